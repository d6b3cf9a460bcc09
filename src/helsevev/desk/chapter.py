"""What the desk adds: the first page after signing in, finding people, and the palette."""

from helsevev.desk import live, pages, task_pages
from helsevev.follow_up.standing import PROJECTION
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="desk",
    routes=(
        pages.my_patients, pages.filter_my_patients, pages.find_page, pages.find, pages.palette,
        pages.emergency_page, pages.open_in_emergency, live.desk_live, *task_pages.ROUTES,
    ),
    projections=(PROJECTION,),
)  # fmt: skip
