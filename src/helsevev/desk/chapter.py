"""What the desk adds: the first page after signing in, finding people, and the palette."""

from helsevev.desk import (
    board_pages,
    hand_over_pages,
    live,
    pages,
    task_pages,
    visit_pages,
    worklist_pages,
)
from helsevev.follow_up.standing import PROJECTION
from helsevev.follow_up.watching import Escalation
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="desk",
    routes=(
        pages.my_patients, pages.filter_my_patients, pages.find_page, pages.find, pages.palette,
        pages.emergency_page, pages.open_in_emergency, live.desk_live, *task_pages.ROUTES,
        *hand_over_pages.ROUTES, *board_pages.ROUTES, *visit_pages.ROUTES,
        *worklist_pages.ROUTES,
    ),
    projections=(PROJECTION,),
    jobs=(Escalation,),
)  # fmt: skip
