"""The patient's own list as a PDF, drawn by ReportLab with letters that come with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from html import escape
from io import BytesIO
from typing import Any, Final

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from helsevev.fhir.reading import OSLO
from helsevev.locale import gettext as _
from helsevev.medication.patient_list import Part

_PLAIN: Final = "Vera"
_BOLD: Final = "VeraBd"
_WIDTHS: Final = (52 * mm, 66 * mm, 38 * mm, 24 * mm)
_TEXT: Final = ParagraphStyle("text", fontName=_PLAIN, fontSize=10, leading=13)
_STRONG: Final = ParagraphStyle("strong", _TEXT, fontName=_BOLD)
_HEAD: Final = ParagraphStyle("head", _STRONG, fontSize=13, leading=17, spaceBefore=6 * mm)
_TITLE: Final = ParagraphStyle("title", _STRONG, fontSize=18, leading=23)


def pdf_of(
    name: str, born: str, parts: Sequence[Part], at: datetime
) -> bytes:  # fmt: skip
    """A4 pages with the list; `born` as it is shown, `at` the moment it was made (aware)."""
    _letters()
    made = f"{at.astimezone(OSLO):%d.%m.%Y %H:%M}"
    story: list[Flowable] = [
        Paragraph(_said(_("Your medicines")), _TITLE),
        Paragraph(_said(f"{name}, {_('born')} {born}. {_('printed')} {made}"), _TEXT),
    ]
    for part in parts:
        story += [
            Paragraph(_said(part.title), _HEAD), Paragraph(_said(part.explained), _TEXT),
            Spacer(1, 2 * mm), _table(part),
        ]  # fmt: skip
    if not parts:
        story.append(Paragraph(_said(_("No medicines are recorded.")), _TEXT))
    asked = _(
        "Show this list whenever you meet somebody who treats you. Ask if anything is unclear."
    )
    story += [Spacer(1, 6 * mm), Paragraph(_said(asked), _TEXT)]
    written = BytesIO()
    document = SimpleDocTemplate(
        written, pagesize=A4, leftMargin=15 * mm, rightMargin=15 * mm, topMargin=15 * mm,
        bottomMargin=18 * mm, title=_("Your medicines"), author="", lang="nb-NO",
    )  # fmt: skip

    def footer(canvas: Any, page: Any) -> None:
        canvas.setFont(_PLAIN, 8)
        canvas.drawString(15 * mm, 10 * mm, _drawable(f"{name}, {born} \u00b7 {made}"))
        canvas.drawRightString(195 * mm, 10 * mm, str(page.page))

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return written.getvalue()


def _table(part: Part) -> Table:
    heads = (_("Medicine"), _("How you take it"), _("What it is for"), _("Since"))
    rows: list[list[Paragraph]] = [[Paragraph(_said(head), _STRONG) for head in heads]]
    for row in part.rows:
        medicine = f'<font name="{_BOLD}">{_said(row.name)}</font>'
        if row.substance:
            medicine += f"<br/>{_said(row.substance)}"
        how = "<br/>".join(_said(line) for line in row.how)
        cells = (medicine, how, _said(row.what_for), _said(day_of(row.since)))
        rows.append([Paragraph(cell, _TEXT) for cell in cells])
    style = TableStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.HexColor("#6b7280")),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ])  # fmt: skip
    return Table(rows, colWidths=_WIDTHS, style=style, repeatRows=1, hAlign="LEFT")


def day_of(said: str) -> str:
    """A day (ISO 8601) as people write it here; what is no whole day stays as it is."""
    try:
        return f"{datetime.fromisoformat(said[:10]):%d.%m.%Y}"
    except ValueError:
        return said


def _said(text: str) -> str:
    return escape(_drawable(text), quote=False)


def _drawable(text: str) -> str:
    """The text with a letter that the font lacks as the one it is made of, else a question mark."""
    has = _letters()
    return "".join(
        letter if ord(letter) in has else _nearest(letter, has)
        for letter in unicodedata.normalize("NFC", text)
    )


def _nearest(letter: str, has: dict[int, int]) -> str:
    base = unicodedata.normalize("NFKD", letter)[:1]
    return base if base and ord(base) in has else "?"


@cache
def _letters() -> dict[int, int]:
    """Registers the letters, once; gives those there are by code point."""
    fonts = {name: TTFont(name, f"{name}.ttf") for name in (_PLAIN, _BOLD)}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    found: dict[int, int] = fonts[_PLAIN].face.charToGlyph
    return found
