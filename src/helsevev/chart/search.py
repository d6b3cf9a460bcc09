"""What a search in the chart found, as rows: grouped, each in its context and with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup, escape
from msgspec import Struct

from helsevev.access.chart_search import Hit
from helsevev.chart.labels import analyses, measurements
from helsevev.chart.result_rows import curve_key
from helsevev.chart.timeline import event
from helsevev.fhir.reading import Moment, codings, text
from helsevev.locale import gettext as _
from helsevev.observation.reading import reading
from helsevev.observation.results import category_of, series_key

_FOUND: Final = re.compile("\x02(.*?)\x03", re.DOTALL)
_GROUPS: Final = ("measured", "medicine", "problem", "note", "result", "plan", "contact", "other")
_GROUP_OF: Final = {
    "MedicationRequest": "medicine", "MedicationStatement": "medicine",
    "MedicationAdministration": "medicine", "MedicationDispense": "medicine",
    "Immunization": "medicine", "Condition": "problem", "AllergyIntolerance": "problem",
    "Flag": "problem", "Procedure": "problem", "Composition": "note", "DocumentReference": "note",
    "QuestionnaireResponse": "note", "ClinicalImpression": "note", "Communication": "note",
    "DiagnosticReport": "result", "ImagingStudy": "result", "Observation": "measured",
    "CarePlan": "plan", "Goal": "plan", "Task": "plan", "ServiceRequest": "plan",
    "Appointment": "plan", "Encounter": "contact", "EpisodeOfCare": "contact",
}  # fmt: skip
_PLACES: Final = {
    "medicine": "/medications", "problem": "", "note": "/notes", "result": "/results",
    "plan": "/plans", "contact": "/contacts", "other": "/timeline",
}  # fmt: skip
_MEASURED: Final = ("vital-signs", "survey", "exam", "activity")


class Row(Struct, frozen=True):
    """One hit: what it is, when and by whom, the words around what was found, and where it stands.

    `value` is what was measured, on one line, and `judged` how. `curve` is the address
    of its curve.
    """

    title: str
    at: Moment | None
    who: str
    around: Markup
    value: str
    judged: str
    href: str
    curve: str


class Group(Struct, frozen=True):
    """Hits of one kind."""

    key: str
    label: str
    rows: tuple[Row, ...]


def words_of(resource: Mapping[str, Any]) -> str:
    """What the content calls a measurement and its group; "" for one that it does not know."""
    for _system, code in codings(resource.get("code")):
        if code in analyses():
            return " ".join(analyses()[code][1:])
        if code in measurements():
            return measurements()[code][1]
    return ""


def _name_of(resource: Mapping[str, Any]) -> str:
    for _system, code in codings(resource.get("code")):
        if code in analyses():
            return analyses()[code][2]
        if code in measurements():
            return measurements()[code][1]
    return ""


def grouped(said: Iterable[Hit], measured: Iterable[Hit], base: str) -> list[Group]:
    """The hits by kind, in the order in which one looks for things; a measurement once."""
    found: dict[str, list[Row]] = {key: [] for key in _GROUPS}
    known: set[str] = set()
    for hit in measured:
        key = series_key(hit.resource)
        if key not in known:
            known.add(key)
            found["measured"].append(_measured(hit, base))
    for hit in said:
        group = _GROUP_OF.get(text(hit.resource.get("resourceType")), "other")
        if group != "measured":
            found[group].append(_said(hit, base, group))
        elif series_key(hit.resource) not in known or _has_own_words(hit):
            found[group].append(_measured(hit, base))
    labels = {
        "measured": _("Measurements and test results"), "medicine": _("Medicines"),
        "problem": _("Problems, allergies and warnings"), "note": _("Notes and documents"),
        "result": _("Answers"), "plan": _("Plans and tasks"), "contact": _("Contacts"),
        "other": _("Other"),
    }  # fmt: skip
    return [Group(key, labels[key], tuple(rows)) for key, rows in found.items() if rows]


def _has_own_words(hit: Hit) -> bool:
    return bool(hit.resource.get("note"))


def _said(hit: Hit, base: str, group: str) -> Row:
    happened = event(hit.resource)
    kind, key = happened.source, happened.id
    place = f"{base}{_PLACES[group]}"
    if kind == "Composition":
        place = f"{base}/notes#note-{key}"
    elif kind == "DiagnosticReport":
        place = f"{base}/results/{key}"
    elif kind in ("MedicationRequest", "MedicationStatement"):
        place = f"{base}/medications/{kind}/{key}"
    elif kind == "ServiceRequest":
        place = f"{base}/orders"
    title = happened.title or _("Untitled entry")
    who = happened.who or happened.organisation
    around = _marked(hit.around)
    if all(found.casefold() in title.casefold() for found in _FOUND.findall(hit.around)):
        around = escape(happened.detail)
    return Row(title, happened.at, who, around, "", "", place, "")


def _measured(hit: Hit, base: str) -> Row:
    happened, taken = event(hit.resource), reading(hit.resource)
    section = "measurements" if category_of(hit.resource) in _MEASURED else "results"
    judged = taken.judgement
    return Row(
        title=_name_of(hit.resource) or happened.title or _("Unnamed measurement"),
        at=happened.at,
        who=happened.who or happened.organisation,
        around=_marked(hit.around) if _has_own_words(hit) else Markup(""),
        value=happened.detail,
        judged=judged.kind if judged else "",
        href=f"{base}/{section}",
        curve=f"{base}/curve/{curve_key(series_key(hit.resource))}",
    )


def _marked(around: str) -> Markup:
    """The words as they may stand in a page: what was found is marked, all else is escaped."""
    parts, last = [], 0
    for found in _FOUND.finditer(around):
        parts.append(escape(around[last : found.start()]))
        parts.append(Markup("<mark>{}</mark>").format(found[1]))
        last = found.end()
    parts.append(escape(around[last:].replace("\x02", "").replace("\x03", "")))
    return Markup("").join(parts)
