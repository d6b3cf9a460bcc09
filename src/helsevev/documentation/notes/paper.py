"""A signed note on paper: whom it is about, what was written and where it came from, who signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, Image, KeepTogether, Paragraph, Spacer

from helsevev.documentation.panel import Document
from helsevev.documentation.tracing import COPY, Stretch
from helsevev.fhir.identifiers import PERSON_SYSTEMS
from helsevev.fhir.reading import full_name, objects, text
from helsevev.locale import gettext as _
from helsevev.screens import paper
from helsevev.screens.formatting import clinical_date, clinical_time
from helsevev.screens.paper import said

_BROUGHT: Final = ParagraphStyle("brought", paper.TEXT, leftIndent=4 * mm)
_SOURCE: Final = ParagraphStyle("source", paper.SMALL, fontName=paper.ITALIC, leftIndent=4 * mm)
_RULE: Final = colors.HexColor("#6b7280")
_TALLEST: Final = 110 * mm


def pdf_of_note(
    note: Document,
    patient: Mapping[str, Any],
    photos: Sequence[tuple[str, bytes]],
    at: datetime,
) -> bytes:
    """A4 pages with a note and its photos (title, picture); `at` is when it was made (aware)."""
    # The styles name fonts that are registered first.
    paper.letters()
    name, born = full_name(patient.get("name")), clinical_date(text(patient.get("birthDate")))
    story: list[Flowable] = [Paragraph(said(note.organisation), paper.SMALL)]
    story += [
        Paragraph(said(note.title), paper.TITLE),
        Paragraph(said(_about(name, born, patient)), paper.STRONG),
        Paragraph(said(_written(note)), paper.TEXT),
        HRFlowable(width="100%", color=_RULE, spaceBefore=2 * mm, spaceAfter=2 * mm),
    ]
    if note.awaits:
        story.append(Paragraph(said(_("Awaits a co-signature.")), paper.STRONG))
    story += _stretches(note.stretches)
    for section in note.titled:
        story.append(Paragraph(said(section.title), paper.HEAD))
        story += _stretches(section.stretches)
    for title, picture in photos:
        story.append(_photo(title, picture))
    story += [Spacer(1, 6 * mm), *_signatures(note)]
    made = clinical_time(at)
    return paper.pages(
        story, title=f"{note.title}, {name}", footer=f"{name}, {born} · {_('printed')} {made}"
    )


def _about(name: str, born: str, patient: Mapping[str, Any]) -> str:
    number = next(
        (
            text(each.get("value"))
            for each in objects(patient.get("identifier"))
            if each.get("system") in PERSON_SYSTEMS
        ),
        "",
    )
    return ", ".join(part for part in (name, f"{_('born')} {born}" if born else "", number) if part)


def _written(note: Document) -> str:
    when = clinical_time(note.at.text) if note.at else ""
    return ", ".join(part for part in (", ".join(note.authors), when) if part)


def _stretches(found: Iterable[Stretch]) -> list[Flowable]:
    drawn: list[Flowable] = []
    for stretch in found:
        if not stretch.text.strip():
            continue
        style = _BROUGHT if stretch.kind else paper.TEXT
        for part in stretch.text.split("\n\n"):
            drawn += [Paragraph(said(part), style), Spacer(1, 1.5 * mm)]
        if stretch.kind:
            drawn.append(Paragraph(said(source_of(stretch)), _SOURCE))
    return drawn


def source_of(stretch: Stretch) -> str:
    """Where a stretch came from, in words."""
    if stretch.kind == COPY:
        return _("Copied from %(note)s") % {"note": stretch.sources[0].said}
    return _("Fetched from the record")


def _photo(title: str, content: bytes) -> Flowable:
    picture = Image(BytesIO(content))
    scale = min(paper.WIDTH / picture.imageWidth, _TALLEST / picture.imageHeight, 1)
    picture.drawWidth, picture.drawHeight = picture.imageWidth * scale, picture.imageHeight * scale
    picture.hAlign = "LEFT"
    return KeepTogether([Spacer(1, 3 * mm), picture, Paragraph(said(title), paper.SMALL)])


def _signatures(note: Document) -> list[Flowable]:
    drawn: list[Flowable] = []
    for each in note.signatures:
        when = clinical_time(each.at.text) if each.at else ""
        line = _("Signed %(name)s, %(when)s") % {"name": each.name, "when": when}
        if each.why:
            line += ". " + _("Corrected: %(why)s") % {"why": each.why}
        drawn.append(Paragraph(said(line), paper.SMALL))
    return drawn
