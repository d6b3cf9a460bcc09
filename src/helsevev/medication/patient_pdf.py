"""The patient's own list as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from helsevev.fhir.reading import OSLO
from helsevev.locale import gettext as _
from helsevev.medication.patient_list import Part
from helsevev.screens import paper
from helsevev.screens.paper import said

_WIDTHS: Final = (50 * mm, 62 * mm, 38 * mm, 24 * mm)


def pdf_of(
    name: str, born: str, parts: Sequence[Part], at: datetime
) -> bytes:  # fmt: skip
    """A4 pages with the list; `born` as it is shown, `at` the moment it was made (aware)."""
    paper.letters()
    made = f"{at.astimezone(OSLO):%d.%m.%Y %H:%M}"
    story: list[Flowable] = [
        Paragraph(said(_("Your medicines")), paper.TITLE),
        Paragraph(said(f"{name}, {_('born')} {born}. {_('printed')} {made}"), paper.TEXT),
    ]
    for part in parts:
        story += [
            Paragraph(said(part.title), paper.HEAD), Paragraph(said(part.explained), paper.TEXT),
            Spacer(1, 2 * mm), _table(part),
        ]  # fmt: skip
    if not parts:
        story.append(Paragraph(said(_("No medicines are recorded.")), paper.TEXT))
    asked = _(
        "Show this list whenever you meet somebody who treats you. Ask if anything is unclear."
    )
    story += [Spacer(1, 6 * mm), Paragraph(said(asked), paper.TEXT)]
    return paper.pages(story, title=_("Your medicines"), footer=f"{name}, {born} \u00b7 {made}")


def _table(part: Part) -> Table:
    heads = (_("Medicine"), _("How you take it"), _("What it is for"), _("Since"))
    rows: list[list[Paragraph]] = [[Paragraph(said(head), paper.STRONG) for head in heads]]
    for row in part.rows:
        medicine = f'<font name="{paper.BOLD}">{said(row.name)}</font>'
        if row.substance:
            medicine += f"<br/>{said(row.substance)}"
        how = "<br/>".join(said(line) for line in row.how)
        cells = (medicine, how, said(row.what_for), said(day_of(row.since)))
        rows.append([Paragraph(cell, paper.TEXT) for cell in cells])
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
