"""A4 pages drawn by ReportLab, with letters that come with it: what every printed text shares."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape
from io import BytesIO
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, SimpleDocTemplate

PLAIN: Final = "Vera"
BOLD: Final = "VeraBd"
ITALIC: Final = "VeraIt"
TEXT: Final = ParagraphStyle("text", fontName=PLAIN, fontSize=10, leading=14)
STRONG: Final = ParagraphStyle("strong", TEXT, fontName=BOLD)
HEAD: Final = ParagraphStyle("head", STRONG, fontSize=12, leading=16, spaceBefore=4 * mm)
TITLE: Final = ParagraphStyle("title", STRONG, fontSize=17, leading=22, spaceAfter=2 * mm)
SMALL: Final = ParagraphStyle("small", TEXT, fontSize=8, leading=11)
MARGIN: Final = 18 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
"""The width between the margins, in points."""
HEIGHT: Final = A4[1] - 40 * mm


def pages(story: Sequence[Flowable], *, title: str, footer: str) -> bytes:
    """The PDF of a story; `footer` stands on every page, with its number of how many."""
    letters()
    written = BytesIO()
    document = SimpleDocTemplate(
        written, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=15 * mm,
        bottomMargin=18 * mm, title=drawable(title), author="", lang="nb-NO",
    )  # fmt: skip

    def draw_footer(canvas: Any, page: Any) -> None:
        canvas.setFont(PLAIN, 8)
        canvas.drawString(MARGIN, 10 * mm, drawable(footer))
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(page.page))

    document.build(list(story), onFirstPage=draw_footer, onLaterPages=draw_footer)
    return written.getvalue()


def said(text: str) -> str:
    """A text as ReportLab's paragraphs want it: nothing in it is markup, and lines are kept."""
    return escape(drawable(text), quote=False).replace("\n", "<br/>")


def drawable(text: str) -> str:
    """The text with a letter that the font lacks as the one it is made of, else a question mark."""
    has = letters()
    return "".join(
        letter if ord(letter) in has or letter == "\n" else _nearest(letter, has)
        for letter in unicodedata.normalize("NFC", text)
    )


def _nearest(letter: str, has: dict[int, int]) -> str:
    if letter.isspace():
        return " "
    base = unicodedata.normalize("NFKD", letter)[:1]
    return base if base and ord(base) in has else "?"


@cache
def letters() -> dict[int, int]:
    """Registers the letters, once; gives those there are by code point."""
    fonts = {name: TTFont(name, f"{name}.ttf") for name in (PLAIN, BOLD, ITALIC)}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    found: dict[int, int] = fonts[PLAIN].face.charToGlyph
    return found
