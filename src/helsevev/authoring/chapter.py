"""What authoring holds: the commands and pages by which content is written and released."""

from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(name="authoring")
