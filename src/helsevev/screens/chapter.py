"""What the screens bring to the app: the style page and the built assets."""

from __future__ import annotations

from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from helsevev.kit.chapter import Chapter
from helsevev.screens.pages import show_style_curve, show_style_page, show_style_panel
from helsevev.screens.static_files import FOLDER, PATH

FOLDER.mkdir(exist_ok=True)

static_files = create_static_files_router(
    path=PATH,
    directories=[FOLDER],
    cache_control=CacheControlHeader(max_age=31536000, public=True, immutable=True),
    opt={"decision": "public"},
    include_in_schema=False,
)

CHAPTER = Chapter(
    name="screens",
    routes=(show_style_page, show_style_panel, show_style_curve, static_files),
)
