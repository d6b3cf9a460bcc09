"""M2 and M3: what the check at the bedside stopped, and lists that did not agree at a hand-over.

Both are counted from what the record keeps of them: a DetectedIssue for each stop, at the unit
where it was scanned, and the List of each signed reconciliation, at the unit the patient was with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Final

from helsevev.fhir import dates
from helsevev.fhir.reading import codings, is_mistake, mapping, objects, reference_key, text
from helsevev.fhir.recurrence import Span
from helsevev.medication.figures.places import Places
from helsevev.medication.reconciliation.record import LISTS, RECONCILIATION
from helsevev.medication.scanning.stops import (
    MEDICINE_OR_DOSE,
    UNIT,
    is_acted_on,
    stop_code,
    stopped_at,
)

Place = tuple[str, date]
_AGREES: Final = "same"


def stops(
    issues: Iterable[Mapping[str, Any]],
    places: Places,
    within: Span,
    zone: tzinfo,
    administrations: Sequence[Mapping[str, Any]] = (),
) -> dict[Place, Counter[str]]:
    """Stops, those of them that were acted on, and other stops, by unit and day."""
    found: dict[Place, Counter[str]] = {}
    for issue in issues:
        at, code = stopped_at(issue), stop_code(issue)
        if not code or at is None or is_mistake(issue):
            continue
        if (place := _place(_unit(issue), at, places, within, zone)) is None:
            continue
        counts = found.setdefault(place, Counter())
        if code in MEDICINE_OR_DOSE:
            counts["stops"] += 1
            counts["acted-on"] += is_acted_on(issue, administrations)
        else:
            counts["other-stops"] += 1
    return found


def agreement(
    lists: Iterable[Mapping[str, Any]], places: Places, within: Span, zone: tzinfo
) -> dict[Place, Counter[str]]:
    """Medicines that were compared, and those that the lists did not agree on, by unit and day."""
    found: dict[Place, Counter[str]] = {}
    for each in lists:
        said = dates.bounds(text(each.get("date")))
        is_one = any(system == RECONCILIATION for system, _code in codings(each.get("code")))
        if not is_one or said is None or is_mistake(each):
            continue
        place = _place("", dates.moment(said[0]), places, within, zone)
        states = [state for entry in objects(each.get("entry")) if (state := _state(entry))]
        if place is not None and states:
            counts = found.setdefault(place, Counter())
            counts["medicines"] += len(states)
            counts["discrepancies"] += sum(state != _AGREES for state in states)
    return found


def _place(unit: str, at: datetime, places: Places, within: Span, zone: tzinfo) -> Place | None:
    if not within.start <= at < within.end:
        return None
    if not unit:
        where = places.at(at)
        unit = where.unit if where is not None else ""
    return (unit, at.astimezone(zone).date()) if unit else None


def _unit(issue: Mapping[str, Any]) -> str:
    return next(
        (reference_key(each.get("valueReference")) for each in objects(issue.get("extension"))
         if each.get("url") == UNIT), "",
    )  # fmt: skip


def _state(entry: Mapping[str, Any]) -> str:
    """How the lists stood to each other on a medicine; "" where nobody wrote it down."""
    return next(
        (text(each.get("valueCode")) for each in objects(mapping(entry).get("extension"))
         if each.get("url") == LISTS), "",
    )  # fmt: skip
