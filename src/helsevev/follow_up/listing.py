"""What a list of work shows of what its search found: columns, and whom a row is about; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct

from helsevev.content.desk_shapes import Column
from helsevev.content.loading import labels
from helsevev.content.packs.worklists import NAMES, Worklist
from helsevev.fhir.path import PathError, compile_path
from helsevev.fhir.reading import reference_key, text
from helsevev.fhir.search_query import SearchError, parse
from helsevev.screens.formatting import clinical_date, clinical_time

_ABOUT: Final = ("subject", "patient", "for", "beneficiary")
_INSTANT: Final = "2026-01-01T00:00:00Z"
_TRIED: Final = {
    "me": "Practitioner/me", "unit": "Organization/unit", "now": _INSTANT, "day-ago": _INSTANT,
}  # fmt: skip
_DAY: Final = "2026-01-01"


class Row(Struct, frozen=True):
    """One row: the id of what was found, whom it is about, and its cells."""

    id: str
    patient_id: str
    cells: tuple[str, ...]


def row(found: Mapping[str, Any], columns: Sequence[Column]) -> Row:
    """What was found, as a row."""
    cells = tuple(_cell(found, column) for column in columns)
    return Row(text(found.get("id")), patient_of(found), cells)


def patient_of(found: Mapping[str, Any]) -> str:
    """The id of the Patient that something is about, "" for none."""
    if found.get("resourceType") == "Patient":
        return text(found.get("id"))
    named = [reference_key(found.get(name)) for name in _ABOUT]
    named += [
        reference_key(each.get("actor"))
        for each in found.get("participant") or ()
        if isinstance(each, dict) and isinstance(each.get("actor"), dict)
    ]
    patients = [each for each in named if each.startswith("Patient/")]
    return patients[0].removeprefix("Patient/") if patients else ""


def faults(worklist: Worklist) -> list[str]:
    """What is wrong with a list: a search nobody can carry out, cases whose cells say otherwise."""
    found = []
    try:
        parse(worklist.type, put_in(worklist.search, _TRIED, _DAY), base="")
    except SearchError as problem:
        found.append(f"{worklist.search}: {problem}")
    for case in worklist.case:
        shown = row(case.decoded(), worklist.column).cells
        if shown != case.cells:
            found.append(f"the columns show {list(shown)}, not {list(case.cells)}")
    return found


def put_in(search: str, values: Mapping[str, str], otherwise: str = "") -> list[tuple[str, str]]:
    """The parameters of a search, with values put in for the names in braces."""
    found = []
    for name, value in parse_qsl(search.partition("?")[2], keep_blank_values=True):
        said = value
        for key in NAMES:
            said = said.replace(f"{{{key}}}", values.get(key, otherwise))
        found.append((name, said))
    return found


def _cell(found: Mapping[str, Any], column: Column) -> str:
    try:
        values = compile_path(column.path)(found)
    except PathError:
        return ""
    return ", ".join(_said(value, column) for value in values if not isinstance(value, dict))


def _said(value: object, column: Column) -> str:
    said = str(value)
    if column.codes:
        sets = (each.label for each in labels().set if each.name == column.codes)
        return next(sets, {}).get(said, said)
    if column.kind == "text":
        return said
    return clinical_time(said) if column.kind == "time" else clinical_date(said)
