"""One Observation as one reading: its value in parts, how it is judged and what is normal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import (
    Amount,
    Moment,
    amount,
    choice,
    codings,
    concept_text,
    mapping,
    moment,
    moment_of,
    notes,
    number,
    objects,
    reference_text,
    start_and_end,
    text,
)
from helsevev.locale import gettext as _

# http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation -> what the chart calls it.
# "" is a judgement too: somebody found it normal.
_KINDS: Final[Mapping[str, str]] = {
    "H": "high", "HX": "high", ">": "high",
    "L": "low", "LX": "low", "<": "low",
    "HH": "critical-high", "HU": "critical-high", "LL": "critical-low", "LU": "critical-low",
    "AA": "critical-high", "A": "abnormal", "W": "abnormal", "R": "abnormal", "POS": "abnormal",
    "DET": "abnormal", "N": "", "NEG": "", "ND": "", "S": "", "B": "",
}  # fmt: skip
_CODES: Final = {
    "critical-high": "HH", "critical-low": "LL", "high": "H", "low": "L", "abnormal": "A", "": "N",
}  # fmt: skip
TIMES: Final = (
    "effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming", "issued",
)  # fmt: skip
_GRAVITY: Final = ("critical-high", "critical-low", "high", "low", "abnormal", "")


class Judgement(Struct, frozen=True):
    """How a value is judged.

    `kind` is "critical-high", "critical-low", "high", "low", "abnormal" or "" for normal;
    `text` is the sender's word when it is none of those. `is_computed` when it was found by
    comparing the value with the one range that was sent.
    """

    kind: str
    text: str = ""
    is_computed: bool = False

    @property
    def code(self) -> str:
        """The interpretation code that says the same: HH, LL, H, L, A or N."""
        return _CODES[self.kind]


class Range(Struct, frozen=True):
    """A reference range; `text` is the sender's words when there are no limits."""

    low: Decimal | None
    high: Decimal | None
    unit: str
    text: str


class Part(Struct, frozen=True):
    """One value with its own name: the observation's own, or one component's."""

    code: str
    title: str
    amount: Amount | None
    words: str
    absent: str
    judgement: Judgement | None
    range: Range | None


class Reading(Struct, frozen=True):
    """One Observation: when, what values, by whom, and its state."""

    id: str
    at: Moment | None
    status: str
    parts: tuple[Part, ...]
    performer: str
    notes: tuple[str, ...]
    method: str
    body_site: str
    stored: str = ""

    @property
    def judgement(self) -> Judgement | None:
        """The gravest judgement of its parts."""
        judged = [part.judgement for part in self.parts if part.judgement is not None]
        return min(judged, key=_gravity, default=None)

    @property
    def is_abnormal(self) -> bool:
        """True when any part is judged abnormal."""
        return any(p.judgement is not None and p.judgement.kind for p in self.parts)

    @property
    def is_provisional(self) -> bool:
        """True until the sender says that the result is final."""
        return self.status in ("registered", "preliminary", "unknown", "")


def reading(resource: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Reading:
    """One Observation as a reading. Nothing is converted; units and digits stay as sent."""
    own = _part(resource)
    components = [_part(c) for c in objects(resource.get("component"))]
    parts = ([own] if own.amount or own.words else []) + components
    if not parts and (own.absent or not objects(resource.get("hasMember"))):
        parts = [own]
    return Reading(
        id=text(resource.get("id")),
        at=moment_of(resource, *TIMES),
        status=text(resource.get("status")),
        parts=tuple(parts),
        performer=", ".join(
            t for p in objects(resource.get("performer")) if (t := reference_text(p, names))
        ),
        notes=tuple(notes(resource.get("note"))),
        method=concept_text(resource.get("method")),
        body_site=concept_text(resource.get("bodySite")),
        stored=text(mapping(resource.get("meta")).get("lastUpdated")),
    )


def _part(element: Mapping[str, Any]) -> Part:
    measured, words = _value(element)
    normal = _range(element)
    listed = codings(element.get("code"))
    return Part(
        code=listed[0][1] if listed else "",
        title=concept_text(element.get("code")),
        amount=measured,
        words=words,
        absent=concept_text(element.get("dataAbsentReason")),
        judgement=_judgement(element, measured, normal),
        range=normal,
    )


def _value(element: Mapping[str, Any]) -> tuple[Amount | None, str]:
    for kind, value in choice(element, "value"):
        if kind == "Quantity":
            return amount(value), ""
        if kind == "Integer" and (whole := number(value)) is not None:
            return Amount(whole, ""), ""
        words = _words(kind, value)
        if words:
            return None, words
    return None, ""


def _words(kind: str, value: object) -> str:
    found = mapping(value)
    if kind == "CodeableConcept":
        return concept_text(value)
    if kind == "Boolean":
        return (_("yes") if value else _("no")) if isinstance(value, bool) else ""
    if kind == "Range":
        return _joined("–", amount(found.get("low")), amount(found.get("high")))
    if kind == "Ratio":
        return _joined(" : ", amount(found.get("numerator")), amount(found.get("denominator")))
    if kind == "Period":
        return "–".join(m.text for m in start_and_end(value) if m is not None)
    if kind == "DateTime":
        found_moment = moment(value)
        return found_moment.text if found_moment else ""
    if kind == "SampledData":
        return f"{number(found.get('period')) or ''} ms".strip() if found.get("data") else ""
    return text(value)


def _joined(between: str, *amounts: Amount | None) -> str:
    shown = [
        f"{a.comparator}{a.value if a.value is not None else ''} {a.unit}".strip()
        for a in amounts
        if a
    ]
    return between.join(shown)


def _range(element: Mapping[str, Any]) -> Range | None:
    """The one range that holds for this patient; several unexplained ones give their texts."""
    listed = objects(element.get("referenceRange"))
    general = [r for r in listed if not r.get("age") and not r.get("appliesTo")]
    normal = [r for r in general if _is_normal_range(r)]
    if len(normal) == 1:
        low, high = amount(normal[0].get("low")), amount(normal[0].get("high"))
        unit = next((a.unit for a in (low, high) if a is not None and a.unit), "")
        found = Range(
            low.value if low else None,
            high.value if high else None,
            unit,
            text(normal[0].get("text")),
        )
        return found if found.text or found.low is not None or found.high is not None else None
    said = [_range_text(r) for r in listed]
    return Range(None, None, "", "; ".join(s for s in said if s)) if any(said) else None


def _is_normal_range(element: Mapping[str, Any]) -> bool:
    kinds = {code for _system, code in codings(element.get("type"))}
    return not kinds or "normal" in kinds


def _range_text(element: Mapping[str, Any]) -> str:
    if said := text(element.get("text")):
        return said
    limits = _joined("–", amount(element.get("low")), amount(element.get("high")))
    whom = ", ".join(concept_text(a) for a in objects(element.get("appliesTo")))
    kind = concept_text(element.get("type"))
    return " ".join(part for part in (kind, whom, limits) if part)


def _judgement(
    element: Mapping[str, Any], measured: Amount | None, normal: Range | None
) -> Judgement | None:
    concepts = objects(element.get("interpretation"))
    known = [
        Judgement(_KINDS[code], text(concept.get("text")))
        for concept in concepts
        for _system, code in codings(concept)
        if code in _KINDS
    ]
    if known:
        return min(known, key=_gravity)
    for concept in concepts:
        if said := concept_text(concept):
            return Judgement("abnormal", said)
    return _compared(measured, normal)


def _gravity(judgement: Judgement) -> int:
    return _GRAVITY.index(judgement.kind)


def _compared(measured: Amount | None, normal: Range | None) -> Judgement | None:
    """High or low by plain comparison, only when value and limits are in the same unit."""
    if measured is None or normal is None or measured.value is None:
        return None
    if normal.unit and normal.unit != measured.unit and normal.unit != measured.code:
        return None
    value, sign = measured.value, measured.comparator
    if normal.high is not None and value > normal.high and sign in ("", ">", ">="):
        return Judgement("high", is_computed=True)
    if normal.low is not None and value < normal.low and sign in ("", "<", "<="):
        return Judgement("low", is_computed=True)
    if sign or (normal.low is None and normal.high is None):
        return None
    return Judgement("", is_computed=True)
