"""One Observation as one cell of a flowsheet: what it says, how it is judged, where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.content.shapes import Measured
from helsevev.fhir.reading import (
    OSLO,
    amount,
    codes,
    codings,
    concept_text,
    is_mistake,
    mapping,
    moment_of,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.observation.flowsheet.sheet import Parameter, Sheet
from helsevev.observation.reading import TIMES, reading

HOW: Final = "http://helsevev.no/fhir/CodeSystem/how-observed"
"""How a value came to be, where nobody measured it anew."""
AS_BEFORE: Final = "as-before"
_UNCONFIRMED: Final = frozenset({"preliminary", "registered"})


class Cell(Struct, frozen=True, kw_only=True):
    """A stored value.

    `typed` is how a person would type it ("" when it cannot be typed here: another unit), `shown`
    how it is read. `kind` is high, low, critical-high, critical-low, abnormal or "". `device` is
    where it came from, `before` the id of the Observation that it repeats. `numbers` are by part,
    `option` the key of the answer.
    """

    id: str
    version: str
    parameter: str
    at: datetime
    stored: str
    typed: str
    shown: str
    kind: str = ""
    by: str = ""
    device: str = ""
    before: str = ""
    is_unconfirmed: bool = False
    is_corrected: bool = False
    numbers: Mapping[str, Decimal] = {}
    option: str = ""

    @property
    def local(self) -> datetime:
        """When, by the clock on the wall."""
        return self.at.astimezone(OSLO)


def cell_of(sheet: Sheet, resource: Mapping[str, Any]) -> Cell | None:
    """The cell that an Observation fills; None when the sheet has no row for it."""
    parameter = next(
        (
            sheet.by_code[f"{system}|{code}"]
            for system, code in codings(resource.get("code"))
            if f"{system}|{code}" in sheet.by_code
        ),
        None,
    )
    at = moment_of(resource, *TIMES)
    if parameter is None or at is None or is_mistake(resource):
        return None
    if resource.get("status") == "cancelled":
        return None
    found = _valued(parameter, resource)
    if found is None:
        return None
    typed, shown, numbers, option = found
    device = objects([resource.get("device")])
    return Cell(
        id=text(resource.get("id")),
        version=text(mapping(resource.get("meta")).get("versionId")),
        parameter=parameter.key,
        at=at.at,
        stored=text(mapping(resource.get("meta")).get("lastUpdated")),
        typed=typed,
        shown=shown,
        kind=_kind(sheet, parameter, resource, numbers),
        by=", ".join(t for p in objects(resource.get("performer")) if (t := reference_text(p))),
        device=(reference_text(device[0]) or reference_key(device[0])) if device else "",
        before=_source(resource),
        is_unconfirmed=resource.get("status") in _UNCONFIRMED,
        is_corrected=resource.get("status") in ("amended", "corrected"),
        numbers=numbers,
        option=option,
    )


def as_typed(value: Decimal) -> str:
    """A number as it is typed: with a comma, and all its digits."""
    return f"{value:f}".replace(".", ",")


_Value = tuple[str, str, dict[str, Decimal], str]


def _valued(parameter: Parameter, resource: Mapping[str, Any]) -> _Value | None:
    """(as typed, as read, numbers by part, key of the answer); None when there is no value."""
    if parameter.kind == "pressure":
        return _pressure(parameter, resource)
    if parameter.kind == "choice":
        said = concept_text(resource.get("valueCodeableConcept"))
        listed = {code for _system, code in codings(resource.get("valueCodeableConcept"))}
        for each in parameter.options:
            if listed & {each.key, each.snomed} or (said and said == each.label):
                return each.key, said or each.label, {}, each.key
        return ("", said, {}, "") if said else None
    if parameter.kind == "text":
        said = text(resource.get("valueString"))
        return (said, said, {}, "") if said else None
    measured = amount(resource.get("valueQuantity"))
    if measured is None or measured.value is None:
        return None
    if not parameter.parts:
        return "", as_typed(measured.value), {parameter.key: measured.value}, ""
    part = parameter.parts[0]
    if measured.code not in ("", part.ucum) or measured.comparator:
        said = f"{measured.comparator}{as_typed(measured.value)} {measured.unit}".strip()
        return "", said, {}, ""
    shown = as_typed(measured.value)
    return shown, shown, {part.key: measured.value}, ""


def _pressure(parameter: Parameter, resource: Mapping[str, Any]) -> _Value | None:
    numbers: dict[str, Decimal] = {}
    for component in objects(resource.get("component")):
        listed = codes(component.get("code"))
        measured = amount(component.get("valueQuantity"))
        for part in parameter.parts:
            if part.loinc in listed and measured is not None and measured.value is not None:
                numbers[part.key] = measured.value
    said = [as_typed(numbers[p.key]) if p.key in numbers else "–" for p in parameter.parts]
    return ("/".join(said) if len(numbers) == len(said) else said[0], "/".join(said), numbers,
            "") if numbers else None  # fmt: skip


def _kind(
    sheet: Sheet,
    parameter: Parameter,
    resource: Mapping[str, Any],
    numbers: Mapping[str, Decimal],
) -> str:
    """How the value was judged where it was measured, else by what is normal for the person."""
    judged = reading(resource).judgement
    if judged is not None:
        return judged.kind
    return judge(sheet, parameter.parts, numbers)


def judge(sheet: Sheet, parts: tuple[Measured, ...], numbers: Mapping[str, Decimal]) -> str:
    """high or low by what is normal for the person, "" for neither."""
    for part in parts:
        low, high = sheet.normal(part)
        value = numbers.get(part.key)
        if value is not None and high is not None and value > high:
            return "high"
        if value is not None and low is not None and value < low:
            return "low"
    return ""


def _source(resource: Mapping[str, Any]) -> str:
    if AS_BEFORE not in codes(resource.get("method")):
        return ""
    for each in objects(resource.get("derivedFrom")):
        kind, _sep, found = reference_key(each).partition("/")
        if kind == "Observation":
            return found
    return ""
