"""The board of a ward's beds: who lies where, isolated how, planned home when; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.content.desk_shapes import Isolation
from helsevev.content.loading import ward
from helsevev.desk.tasks import row_of
from helsevev.desk.ward import Resident
from helsevev.fhir.reading import (
    codes,
    first,
    mapping,
    moment,
    number,
    objects,
    reference_key,
    text,
)
from helsevev.follow_up.coding import Who, stamp
from helsevev.locale import gettext as _
from helsevev.patient.flags import active_flags

PLANNED: Final = "http://helsevev.no/fhir/StructureDefinition/planned-discharge"
"""On Encounter: when the patient is planned to go home."""
ISOLATED: Final = "http://helsevev.no/fhir/CodeSystem/isolation"
"""Code system of a Flag's category: how somebody is isolated, as the content names it."""
_SCORES: Final = frozenset({"1104051000000101", "1104301000000104", "88330-6"})
_BED: Final = frozenset({"bd", "ro"})


class Place(Struct, frozen=True):
    """A bed, or a room without beds of its own."""

    reference: str
    name: str


class Lying(Struct, frozen=True, kw_only=True):
    """One who stays in the unit, as the board tells of them."""

    who: Resident
    home_at: datetime | None
    isolation: Isolation | None
    isolation_flag: Mapping[str, Any]
    warnings: tuple[str, ...]
    score: str
    late: int
    waiting: int

    @property
    def version(self) -> str:
        """The version of the stay that was read."""
        return text(mapping(self.who.stay.get("meta")).get("versionId"))


class Bed(Struct, frozen=True):
    """A bed and those who lie there: usually one, or nobody."""

    place: Place
    lying: tuple[Lying, ...]


def lying(who: Resident, now: datetime) -> Lying:
    """One resident for the board."""
    flags = who.found.get("Flag", ())
    isolated = next((each for each in flags if _isolation(each) is not None), {})
    tasks = [row_of(each, {}, now) for each in who.found.get("Task", ())]
    waiting = [each for each in tasks if each.standing and each.standing.is_open]
    home = moment(mapping(first(_planned(who.stay))).get("valueDateTime"))
    other = [flag for flag in flags if flag is not isolated]
    return Lying(
        who=who, home_at=home.at if home else None,
        isolation=_isolation(isolated) if isolated else None, isolation_flag=isolated,
        warnings=tuple(flag.text for flag in active_flags(other, now)),
        score=_score(who.found.get("Observation", ())),
        late=sum(each.is_late for each in waiting), waiting=len(waiting),
    )  # fmt: skip


def beds(
    places: Iterable[Mapping[str, Any]], people: Sequence[Lying]
) -> tuple[list[Bed], list[Lying]]:
    """(the beds by name with who lies there, those who lie in none of them).

    A room that has beds is no bed itself.
    """
    listed = [
        each for each in places
        if each.get("status") != "inactive" and _BED & codes(each.get("physicalType"))
    ]  # fmt: skip
    rooms = {reference_key(each.get("partOf")) for each in listed}
    known = [
        Place(f"Location/{each['id']}", text(each.get("name")))
        for each in listed
        if f"Location/{each['id']}" not in rooms
    ]
    there = {each.reference for each in known}
    placed = sorted(known, key=lambda place: place.name.casefold())
    return (
        [Bed(p, tuple(each for each in people if each.who.bed == p.reference)) for p in placed],
        [each for each in people if each.who.bed not in there],
    )


def moved(
    stay: Mapping[str, Any], to: Place | None, home_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """The stay when the patient lies in `to` (None: where they lay) and goes home at `home_at`."""
    after = {**stay}
    if to is not None:
        ended = [
            each if each.get("status") == "completed" else {
                **each, "status": "completed",
                "period": {**mapping(each.get("period")), "end": stamp(now)},
            }
            for each in objects(stay.get("location"))
        ]  # fmt: skip
        begun = {
            "location": Who(to.reference, to.name).as_reference(), "status": "active",
            "period": {"start": stamp(now)},
        }  # fmt: skip
        after["location"] = [*ended, begun]
    others = [each for each in objects(stay.get("extension")) if each.get("url") != PLANNED]
    planned = [{"url": PLANNED, "valueDateTime": stamp(home_at)}] if home_at else []
    after["extension"] = [*others, *planned]
    if not after["extension"]:
        del after["extension"]
    return after


def isolated(
    known: Mapping[str, Any], kind: Isolation | None, patient_id: str, by: Who, now: datetime
) -> dict[str, Any] | None:
    """The Flag to write when somebody is isolated as `kind` (None: not); None when it is so now."""
    if known and kind is not None and _isolation(known) == kind:
        return None
    if kind is None:
        period = {**mapping(known.get("period")), "end": stamp(now)}
        return {**known, "status": "inactive", "period": period} if known else None
    concept = {
        "coding": [{"system": ISOLATED, "code": kind.code, "display": kind.label}],
        "text": kind.label,
    }
    made = {
        "resourceType": "Flag", "status": "active",
        "category": [{**concept, "text": _("Isolation")}], "code": concept,
        "subject": {"reference": f"Patient/{patient_id}"}, "period": {"start": stamp(now)},
        "author": by.as_reference(),
    }  # fmt: skip
    # Another way is the same warning, said anew: one does not stand beside the other.
    return {**known, **made} if known else made


def _isolation(flag: Mapping[str, Any]) -> Isolation | None:
    if flag.get("status") != "active":
        return None
    known = {each.code: each for each in ward().isolation}
    for category in objects(flag.get("category")):
        for coding in objects(category.get("coding")):
            if coding.get("system") == ISOLATED:
                return known.get(text(coding.get("code")))
    return None


def _planned(stay: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in objects(stay.get("extension")) if each.get("url") == PLANNED]


def _score(observations: Iterable[Mapping[str, Any]]) -> str:
    for each in observations:
        if _SCORES & codes(each.get("code")) and each.get("status") != "entered-in-error":
            value = each.get("valueInteger", mapping(each.get("valueQuantity")).get("value"))
            found = number(value)
            return str(found) if found is not None else ""
    return ""
