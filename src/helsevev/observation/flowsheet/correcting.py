"""A stored value confirmed, corrected or found to be a mistake, and what was worked out from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.content.score_shapes import News2
from helsevev.content.shapes import VitalSigns
from helsevev.fhir.reading import amount, codes, codings, mapping, objects, reference_key, text
from helsevev.observation.entries import LEVEL_OF_CONSCIOUSNESS, points_of, score_entry
from helsevev.observation.flowsheet.sheet import Sheet
from helsevev.observation.news2 import Score, score
from helsevev.observation.vital_signs import Performer, was_on_scale_2

_SAID: Final = (
    "valueQuantity", "valueCodeableConcept", "valueString", "component", "referenceRange",
    "interpretation", "dataAbsentReason",
)  # fmt: skip


class Change(Struct, frozen=True):
    """Who changes a value, when and why."""

    by: Performer
    at: datetime
    why: str = ""


def confirmed(observation: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """What a device measured, as a person stands for it: the device stays named."""
    who = {"reference": change.by.reference, "display": change.by.name}
    others = [
        each for each in objects(observation.get("performer"))
        if reference_key(each) != change.by.reference
    ]  # fmt: skip
    return {**observation, "status": "final", "performer": [*others, who]}


def corrected(
    observation: Mapping[str, Any], fresh: Mapping[str, Any], change: Change
) -> dict[str, Any]:
    """The value of `fresh` in the place of the old one, which the version before keeps."""
    kept = {
        name: value
        for name, value in observation.items()
        if name not in _SAID and name not in ("method", "derivedFrom")
    }
    said = {name: fresh[name] for name in _SAID if name in fresh}
    return {**kept, **said, "status": "corrected", "note": _noted(observation, change)}


def mistaken(observation: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The value as entered in error, with why: it stays, and is shown nowhere as measured."""
    return {
        **observation, "status": "entered-in-error", "note": _noted(observation, change),
    }  # fmt: skip


def _noted(observation: Mapping[str, Any], change: Change) -> list[Mapping[str, Any]]:
    note = {
        "authorReference": {"reference": change.by.reference, "display": change.by.name},
        "time": change.at.isoformat(timespec="seconds"),
        "text": change.why,
    }
    return [*objects(observation.get("note")), note]


def built_on(
    observation_id: str, observations: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The scores and sums that were worked out from a value."""
    wanted = f"Observation/{observation_id}"
    return [
        each
        for each in observations
        if each.get("status") != "entered-in-error"
        and "survey" in codes(each.get("category"))
        and wanted in {reference_key(source) for source in objects(each.get("derivedFrom"))}
    ]


def worked_out_anew(
    found: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    sheet: Sheet,
    change: Change,
) -> tuple[dict[str, Any], Score | None]:
    """A score or sum by the `sources` as they are now, and the NEWS2 if that is what it is.

    What no longer has all its parts was never whole: it is entered in error.
    """
    table = sheet.table
    if table.snomed in codes(found.get("code")):
        result = _scored(found, sources, sheet.signs, table)
        if result.total is None:
            return mistaken(found, change), None
        fresh = score_entry(result, table, [], {})
        kept = {"derivedFrom": found["derivedFrom"]}
        return {**corrected(found, fresh, change), **kept}, result
    points = [_points(source, sheet) for source in sources]
    if not points or any(each is None for each in points):
        return mistaken(found, change), None
    parts = [
        {"code": source.get("code"), "valueQuantity": points_of(each or 0)}
        for source, each in zip(sources, points, strict=True)
    ]
    total = {"valueQuantity": points_of(sum(each or 0 for each in points)), "component": parts}
    kept = {"derivedFrom": found["derivedFrom"]}
    return {**corrected(found, total, change), **kept}, None


def score_of(
    sources: Iterable[Mapping[str, Any]], signs: VitalSigns, table: News2, *, scale_2: bool
) -> Score:
    """NEWS2 of stored measurements, whoever stored them."""
    values: dict[str, Decimal] = {}
    letter = ""
    answers = {each.snomed: each.key for each in table.consciousness}
    for source in sources:
        if LEVEL_OF_CONSCIOUSNESS in codes(source.get("code")):
            chosen = {code for _system, code in codings(source.get("valueCodeableConcept"))}
            letter = next((answers[code] for code in chosen if code in answers), letter)
        for element in (source, *objects(source.get("component"))):
            measured = amount(element.get("valueQuantity"))
            for code in codes(element.get("code")):
                part = signs.part(code)
                if part is not None and measured is not None and measured.value is not None:
                    values[part.key] = measured.value
    return score(values, letter, table, scale_2=scale_2)


def _scored(
    found: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    signs: VitalSigns,
    table: News2,
) -> Score:
    return score_of(sources, signs, table, scale_2=was_on_scale_2([found]))


def _points(source: Mapping[str, Any], sheet: Sheet) -> int | None:
    for system, code in codings(source.get("code")):
        parameter = sheet.by_code.get(f"{system}|{code}")
        if parameter is None:
            continue
        chosen = {code for _system, code in codings(source.get("valueCodeableConcept"))}
        for option in parameter.options:
            if chosen & {option.key, option.snomed}:
                return option.points
    return None


def version_of(resource: Mapping[str, Any]) -> int:
    """The version that a change follows."""
    said = text(mapping(resource.get("meta")).get("versionId"))
    return int(said) if said.isdecimal() else 0
