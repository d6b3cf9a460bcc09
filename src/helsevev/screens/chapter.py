"""What the screens bring to the app: the style page and the built assets."""

from __future__ import annotations

from helsevev.kit.chapter import Chapter
from helsevev.screens.pages import show_style_curve, show_style_page, show_style_panel
from helsevev.screens.static_files import serve_asset

CHAPTER = Chapter(
    name="screens",
    routes=(show_style_page, show_style_panel, show_style_curve, serve_asset),
)
