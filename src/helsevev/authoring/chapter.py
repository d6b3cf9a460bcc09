"""What authoring holds: the commands and pages by which content is written and released."""

from helsevev.authoring import change_pages, pages
from helsevev.authoring.command import CONTENT
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="authoring", routes=(*pages.ROUTES, *change_pages.ROUTES), commands=(CONTENT,)
)
