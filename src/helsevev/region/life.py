"""One inhabitant's life as it is told: the window it is told for, and what has been said so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .calendar import DAY
from .catalogue import Unit
from .chance import Chance
from .demo.medicines import Dose
from .notation import Raw, encode, link, raw
from .person import Person
from .workforce import Worker, workforce

Content = dict[str, Any]

LARGEST_BUNDLE = 4 * 1024 * 1024
"""Bytes of one bundle: well below the longest line the import takes."""


class Contact(NamedTuple):
    """A contact that took place: its reference, when, where and with whom."""

    reference: str
    start: int
    end: int
    unit: Unit
    by: Worker


@dataclass(slots=True)
class Medicine:
    """A medicine somebody takes, from and until a day; `until` None while in use."""

    product: str
    dose: Dose
    since: int
    reason: str
    by: Worker
    course: str = "1"
    until: int | None = None
    why: str | None = None
    inpatient: bool = False
    """Ordered for a hospital stay only."""
    request: str = ""
    """Reference to the prescription, once it is written."""


@dataclass(slots=True)
class Stay:
    """Days in hospital, in minutes of local time; `reference` names the Encounter."""

    start: int
    end: int
    unit: Unit
    reference: str


@dataclass(slots=True)
class Service:
    """A municipal service from one day to another: `home-care`, `nursing-home` or the like."""

    kind: str
    since: int
    until: int | None
    unit: Unit
    visits: float
    """Contacts a week that are written down."""
    medicines: bool
    """Whether the service gives the medicines."""
    reason: str


class Life:
    """Collects a life's resources as encoded transaction entries, in the order they are told.

    Times are minutes and days of `calendar`; what falls outside the window from `start` to `end`
    is not written. `end` is the death of those who die.
    """

    def __init__(self, person: Person, since: int, until: int) -> None:
        self.person = person
        self.since, self.until = since, until
        own = Chance(person.seed, "end", person.id)
        self.died_at: int | None = None
        self.end = until * DAY
        if person.dies is not None:
            self.died_at = person.dies * DAY + own.whole(0, DAY - 1)
            self.end = self.died_at
        self.start = max(since, person.born) * DAY
        self.last_day = min(until - 1, self.end // DAY)
        self.entries: list[tuple[str, bytes]] = []
        self.medicines: list[Medicine] = []
        self.stays: list[Stay] = []
        self.services: list[Service] = []
        # Not `link`: what is remembered there must not grow with the region.
        self.subject = raw({"reference": f"Patient/{person.id}"})
        self._number = 0

    def put(self, kind: str, content: Content, suffix: str | None = None) -> str:
        """Keep one resource; its id is the inhabitant's and a number. Returns its reference."""
        if suffix is None:
            self._number += 1
            suffix = f"-{self._number}"
        name = self.person.id + suffix
        reference = f"{kind}/{name}"
        entry = {
            "resource": {"resourceType": kind, "id": name, **content},
            "request": {"method": "PUT", "url": reference},
        }
        self.entries.append((kind, encode(entry)))
        return reference

    def holds(self, instant: int) -> bool:
        """Whether an instant lies in the window that is told."""
        return self.start <= instant < self.end

    def in_hospital(self, instant: int) -> bool:
        """Whether the inhabitant is in hospital then."""
        return any(stay.start <= instant < stay.end for stay in self.stays)

    def served(self, kind: str, day: int) -> bool:
        """Whether a municipal service of this kind runs that day."""
        return any(
            each.kind == kind and each.since <= day and (each.until is None or day < each.until)
            for each in self.services
        )

    def bundles(self) -> Iterator[tuple[bytes, dict[str, int]]]:
        """All that was told as transaction Bundles with their counts by type, the Patient first.

        A life is one bundle, unless it is larger than `LARGEST_BUNDLE`: years of doses may be.
        """
        entries: list[bytes] = []
        counts: dict[str, int] = {}
        size = 0
        for kind, entry in self.entries:
            if size + len(entry) > LARGEST_BUNDLE:
                yield _transaction(entries), counts
                entries, counts, size = [], {}, 0
            entries.append(entry)
            counts[kind] = counts.get(kind, 0) + 1
            size += len(entry)
        yield _transaction(entries), counts


def _transaction(entries: list[bytes]) -> bytes:
    return b'{"resourceType":"Bundle","type":"transaction","entry":[%b]}' % b",".join(entries)


@dataclass(slots=True)
class Tale:
    """One course in a life: the life, the course's own chance, and what the course remembers."""

    life: Life
    chance: Chance
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> Person:
        """Whose life it is."""
        return self.life.person

    def age(self, day: int) -> float:
        """The inhabitant's age in years on a day."""
        return self.life.person.age(day)

    def worker(self, unit: Unit, profession: str) -> Worker:
        """Somebody of this profession at a unit, or somebody else who works there."""
        here = workforce()[unit.id]
        there = here.get(profession) or next(iter(here.values()))
        return self.chance.among(there)

    def gp(self) -> Worker:
        """The inhabitant's own general practitioner, always the same."""
        there = workforce()[self.person.unit("general-practice").id]["physician"]
        return there[self.person.household % len(there)]


_names: dict[str, Raw] = {}


def named(worker: Worker) -> Raw:
    """A Reference to a member of staff, with their name."""
    found = _names.get(worker.id)
    if found is None:
        found = _names[worker.id] = link(f"Practitioner/{worker.id}", worker.name)
    return found


def at_unit(unit: Unit) -> Raw:
    """A Reference to a unit, with its name."""
    return link(f"Organization/{unit.id}", unit.name)
