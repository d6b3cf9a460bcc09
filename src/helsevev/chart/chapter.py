"""What the chart adds: one inhabitant's page, its panels, its curves and its live stream."""

from helsevev.chart import live, pages
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="chart",
    routes=(
        pages.overview, pages.section, pages.notes_section, pages.timeline_section, pages.panel,
        pages.curve, pages.timeline_search, live.live,
    ),
)  # fmt: skip
