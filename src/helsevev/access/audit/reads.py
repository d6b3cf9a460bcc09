"""What is known of reads that may be unusual: who read, whose record, and what ties them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from helsevev.access.touch import Touch
from helsevev.fhir import identifiers

ZONE: Final = ZoneInfo("Europe/Oslo")
_WELL_KNOWN: Final = frozenset({"CEL"})
"""Security labels (HL7 v3 ActCode) of those whom many know."""

STAFF: Final = ("Practitioner/", "PractitionerRole/")
"""How the references of those whose reads are looked at begin."""


@dataclass(slots=True)
class Reads:
    """One person's reads in one record on one day."""

    actor: str
    name: str
    unit: str
    patient: int
    day: date
    first: Touch
    count: int = 0
    emergency: bool = False
    relations: dict[str, datetime] = field(default_factory=dict)
    """What the reads rested on, and when the last of them was."""

    def add(self, touch: Touch) -> None:
        """One more."""
        self.count += 1
        self.emergency = self.emergency or touch.is_emergency
        kind, _, relation = touch.basis.partition(" ")
        if kind == "relation" and relation:
            self.relations[relation] = touch.at


@dataclass(frozen=True, slots=True)
class Person:
    """What the rules compare of a person."""

    family: str = ""
    number: str = ""
    address: str = ""
    is_well_known: bool = False


NOBODY: Final = Person()


def grouped(touches: Iterable[Touch]) -> dict[tuple[str, int, date], Reads]:
    """Reads by members of staff, by reader, inhabitant and day; refusals and lists are none."""
    found: dict[tuple[str, int, date], Reads] = {}
    for touch in touches:
        if (
            touch.patient <= 0
            or touch.refused
            or touch.action not in ("read", "emergency")
            or not touch.actor.startswith(STAFF)
        ):
            continue
        day = touch.at.astimezone(ZONE).date()
        key = (touch.actor, touch.patient, day)
        if key not in found:
            unit = touch.unit_name or touch.organisation
            found[key] = Reads(touch.actor, touch.name, unit, touch.patient, day, touch)
        found[key].add(touch)
    return found


def person_of(resource: Mapping[str, Any] | None) -> Person:
    """The person whom a Patient or Practitioner describes."""
    if resource is None:
        return NOBODY
    names = resource.get("name", ())
    official = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    numbers = (
        each["value"]
        for each in resource.get("identifier", ())
        if each.get("system") in identifiers.PERSON_SYSTEMS and each.get("value")
    )
    labels = resource.get("meta", {}).get("security", ())
    return Person(
        official.get("family", ""),
        next(numbers, ""),
        _address_of(resource.get("address", ())),
        any(label.get("code") in _WELL_KNOWN for label in labels),
    )


def _address_of(addresses: Iterable[Mapping[str, Any]]) -> str:
    for address in addresses:
        lines = address.get("line", ())
        if lines and address.get("postalCode") and address.get("use") != "old":
            return f"{lines[0]}, {address['postalCode']}"
    return ""
