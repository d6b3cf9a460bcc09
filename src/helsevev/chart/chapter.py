"""What the chart adds: one inhabitant's page, its panels, its curves and its live stream."""

from helsevev.chart import access_pages, live, pages, search_pages, trail_pages
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="chart",
    routes=(
        pages.overview, pages.section, pages.notes_section,
        pages.plans_section, pages.results_section, pages.timeline_section, pages.panel,
        *search_pages.ROUTES, pages.curve, pages.timeline_search, live.live,
        access_pages.access_log, access_pages.search_log, access_pages.print_log,
        access_pages.log_as_json,
        access_pages.log_as_csv, access_pages.ask_about, trail_pages.trail_page,
        trail_pages.search_trail,
    ),
)  # fmt: skip
