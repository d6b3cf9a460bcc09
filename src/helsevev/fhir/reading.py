"""Read elements for display without ever failing on what foreign records lack or bend.

Every function takes whatever was decoded at that place in a resource and answers with a plain
value, an empty list or None: a chart must open even when a sender broke a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

OSLO: Final = ZoneInfo("Europe/Oslo")
EPOCH: Final = datetime(1, 1, 2, tzinfo=UTC)

# Of the fully specified names of SNOMED CT: "Asthma (disorder)".
_SEMANTIC_TAGS: Final = frozenset({
    "attribute", "body structure", "clinical drug", "disorder", "environment", "event", "finding",
    "medicinal product", "morphologic abnormality", "navigational concept", "observable entity",
    "occupation", "organism", "person", "physical object", "procedure", "product",
    "qualifier value", "record artifact", "regime/therapy", "situation", "specimen",
    "staging scale", "substance",
})  # fmt: skip
_LENGTHS: Final = {4: "year", 7: "month", 10: "day"}


class Moment(Struct, frozen=True, gc=False):
    """A FHIR date, dateTime or instant: its own text, its earliest instant and how exact it is.

    `precision` is "year", "month", "day" or "minute". `at` is aware; dates without a zone are
    read as Norwegian time.
    """

    text: str
    at: datetime
    precision: str

    @property
    def is_exact(self) -> bool:
        """True when a time of day was given."""
        return self.precision == "minute"

    @property
    def day(self) -> date:
        """The calendar day in Norway."""
        if self.precision != "minute":
            return self.at.date()
        return self.at.astimezone(OSLO).date()

    @property
    def end(self) -> datetime:
        """The first instant after it: tomorrow for a day, next year for a year."""
        if self.precision == "minute":
            return self.at
        if self.precision == "day":
            return self.at + timedelta(days=1)
        if self.precision == "month":
            return (self.at + timedelta(days=32)).replace(day=1)
        return self.at.replace(year=self.at.year + 1)


class Amount(Struct, frozen=True, gc=False):
    """A Quantity as it was sent: number with its own precision, unit as people write it."""

    value: Decimal | None
    unit: str
    comparator: str = ""
    code: str = ""
    system: str = ""


def mapping(value: object) -> Mapping[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Mapping[str, Any]]:
    """All JSON objects of a repeating element; a single object counts as one."""
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict)]
    return [value] if isinstance(value, dict) else []


def first(value: object) -> Mapping[str, Any]:
    """The first object of a repeating element, or an empty one."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                return item
    return {}


def text(value: object) -> str:
    """A string stripped of surrounding space; anything else is no text."""
    return value.strip() if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """All non-empty strings of a repeating primitive."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return []
    return [stripped for item in value if (stripped := text(item))]


def number(value: object) -> Decimal | None:
    """A JSON number with its own precision; booleans and text are no numbers."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        try:
            parsed = Decimal(repr(value))
        except InvalidOperation:
            return None
        return parsed if parsed.is_finite() else None
    return None


def codings(concept: object) -> list[tuple[str, str]]:
    """(system, code) of every coding of a CodeableConcept (or of a Coding) in order."""
    found = mapping(concept)
    listed = objects(found.get("coding")) if "coding" in found else ([found] if found else [])
    return [(text(c.get("system")), text(c.get("code"))) for c in listed if text(c.get("code"))]


def codes(concepts: object) -> set[str]:
    """All codes of one or more CodeableConcepts, systems left out."""
    return {code for concept in objects(concepts) for _system, code in codings(concept)}


def code_of(concept: object) -> str:
    """The code of what is coded once, such as a status; "" for none."""
    return min(codes(concept), default="")


def concept_text(concept: object) -> str:
    """What a person would call it: text, the coding the user chose, any display, the code."""
    found = mapping(concept)
    if not found:
        return text(concept)
    if said := text(found.get("text")):
        return without_tag(said)
    listed = objects(found.get("coding")) or [found]
    chosen = [c for c in listed if c.get("userSelected") is True]
    for coding in (*chosen, *listed):
        if shown := text(coding.get("display")):
            return without_tag(shown)
    for coding in (*chosen, *listed):
        if code := text(coding.get("code")):
            return code
    return ""


def without_tag(name: str) -> str:
    """The name without SNOMED CT's semantic tag, which tells terminologists its hierarchy."""
    if name.endswith(")"):
        words, _, tag = name[:-1].rpartition(" (")
        if words and tag in _SEMANTIC_TAGS:
            return words
    return name


def concept_texts(concepts: object) -> list[str]:
    """`concept_text` of each, empty ones and repetitions left out."""
    return list(dict.fromkeys(t for concept in objects(concepts) if (t := concept_text(concept))))


def reference_key(reference: object) -> str:
    """ "Type/id" without base address and version, or the reference as it stands; "" when none."""
    target = text(mapping(reference).get("reference"))
    if not target or target.startswith(("#", "urn:")):
        return target
    target = target.split("/_history/", 1)[0]
    parts = target.rsplit("/", 2)
    return "/".join(parts[-2:]) if len(parts) >= 2 else target


def reference_text(reference: object, names: Mapping[str, str] | None = None) -> str:
    """Who or what is meant, in words: the name the record knows, or the one sent along."""
    found = mapping(reference)
    known = names.get(reference_key(found), "") if names else ""
    return known or text(found.get("display"))


def contained(resource: Mapping[str, Any], reference: object) -> Mapping[str, Any]:
    """The contained resource that a "#id" reference means, or an empty object."""
    target = text(mapping(reference).get("reference"))
    if target.startswith("#"):
        for inner in objects(resource.get("contained")):
            if inner.get("id") == target[1:]:
                return inner
    return {}


def moment(value: object) -> Moment | None:
    """A Moment of a date, dateTime or instant; None when absent or not a date at all.

    Years 1 and 9999 are what programs write for "never": they are no dates here.
    """
    raw = text(value)
    if not raw or raw[:4] in ("0000", "0001", "9999"):
        return None
    precision = _LENGTHS.get(len(raw), "minute")
    try:
        if precision == "year":
            return Moment(raw, datetime(int(raw), 1, 1, tzinfo=OSLO), precision)
        if precision == "month":
            return Moment(raw, datetime(int(raw[:4]), int(raw[5:7]), 1, tzinfo=OSLO), precision)
        at = datetime.fromisoformat(raw)
    except (ValueError, OverflowError):
        # A time of day no clock shows (a leap second, 24:00) still has a day worth showing.
        return moment(raw[:10]) if len(raw) > 10 else None
    return Moment(raw, at if at.tzinfo else at.replace(tzinfo=OSLO), precision)


def start_and_end(value: object) -> tuple[Moment | None, Moment | None]:
    """Start and end of a Period."""
    found = mapping(value)
    return moment(found.get("start")), moment(found.get("end"))


def timing_start(value: object) -> Moment | None:
    """The earliest moment that a Timing names: its events, else its bounds."""
    found = mapping(value)
    events = [m for e in texts(found.get("event")) if (m := moment(e))]
    if events:
        return min(events, key=sort_key)
    return start_and_end(mapping(found.get("repeat")).get("boundsPeriod"))[0]


def moment_of(resource: Mapping[str, Any], *elements: str) -> Moment | None:
    """The first of the named elements that holds a time: primitive, Period or Timing."""
    for element in elements:
        value = resource.get(element)
        if value is None:
            continue
        found = moment(value)
        if found is None and isinstance(value, dict):
            started, ended = start_and_end(value)
            found = started or ended or timing_start(value)
        if found is not None:
            return found
    return None


def sort_key(value: Moment | None) -> datetime:
    """A key that sorts by time, the unknown first (so it is last in newest-first lists)."""
    return value.at if value is not None else EPOCH


def amount(value: object) -> Amount | None:
    """A Quantity (also Money-free subtypes such as Age and Duration); None when empty."""
    found = mapping(value)
    if not found:
        return None
    magnitude = number(found.get("value"))
    code = text(found.get("code"))
    unit = text(found.get("unit")) or code
    if magnitude is None and not unit:
        return None
    return Amount(magnitude, unit, text(found.get("comparator")), code, text(found.get("system")))


def choice(resource: Mapping[str, Any], stem: str) -> Iterator[tuple[str, Any]]:
    """(type name, value) of each element of a choice such as value[x]: ("Quantity", {...})."""
    for name, value in resource.items():
        if name.startswith(stem) and len(name) > len(stem) and name[len(stem)].isupper():
            yield name[len(stem) :], value


def notes(value: object) -> list[str]:
    """The texts of a list of Annotations."""
    return [said for item in objects(value) if (said := text(item.get("text")))]


def chosen_name(names: object) -> Mapping[str, Any]:
    """The HumanName to show: official and current before usual before anything not old."""
    listed = objects(names)
    current = [n for n in listed if start_and_end(n.get("period"))[1] is None] or listed
    for use in ("official", "usual", None):
        for candidate in current:
            if candidate.get("use") == use:
                return candidate
    kept = [n for n in current if n.get("use") != "old"]
    return next(iter(kept or current), {})


def full_name(names: object) -> str:
    """Given and family name of the HumanName to show, or its text; empty when there is none."""
    chosen = chosen_name(names)
    parts = (" ".join(texts(chosen.get("given"))), text(chosen.get("family")))
    return " ".join(part for part in parts if part) or text(chosen.get("text"))


def birth_date(person: Mapping[str, Any]) -> str:
    """When somebody was born, as FHIR writes it; empty when it is not known."""
    born = moment(person.get("birthDate"))
    return born.text if born else ""


def is_mistake(resource: Mapping[str, Any]) -> bool:
    """True when the resource is marked as entered in error, by status or verification."""
    if resource.get("status") == "entered-in-error":
        return True
    verified = resource.get("verificationStatus")
    return verified is not None and "entered-in-error" in codes(verified)


def of_patient(resources: Iterable[object]) -> list[Mapping[str, Any]]:
    """The resources that are objects and not withdrawn as mistakes."""
    return [r for r in resources if isinstance(r, dict) and not is_mistake(r)]
