"""The trail asked across records: by who did it, when, about what, and whether it was refused.

A page looks at so many rows at most, newest first, and says from where the next one goes on: no
request goes through the whole trail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.audit.event import event_of
from helsevev.access.errors import Invalid
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Decision, may_follow_up
from helsevev.access.touch import EVER, Touch, touch_of
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import full_name
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.statements import load
from helsevev.record.store import Stored
from helsevev.record.wall import beyond

_SQL: Final = load("audit")
_PEOPLE: Final = load("people")
LONGEST: Final = timedelta(days=31)
"""The longest time that is gone through when nobody and nothing is named."""

LOOKED_AT: Final = 5000
"""Most rows that one page looks at."""

_CHUNK: Final = 500
_FIRST_SPAN: Final = timedelta(minutes=1)
_LONGEST_SPAN: Final = timedelta(hours=12)
_LAST_ID: Final = 2**63 - 1
_LATEST: Final = (EVER[1] - EVER[0]) // timedelta(microseconds=1)

Place = tuple[datetime, int]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: `agent` and `entity` are references, `entity` also of a Patient.

    `refused` None: done and refused alike. `before` is where the last page ended.
    """

    agent: str = ""
    entity: str = ""
    refused: bool | None = None
    start: datetime = EVER[0]
    end: datetime = EVER[1]
    before: Place | None = None


class Page(msgspec.Struct, frozen=True):
    """Touches, whose records they were of (by key: id and name), and where the next page begins."""

    touches: list[Touch]
    people: dict[int, tuple[str, str]]
    following: Place | None


class TrailSearch:
    """Opens the whole trail to the privacy officer and to systems, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.store.roles.officer

    async def page(self, actor: Actor, asked: Asked, limit: int) -> Page:
        """The newest `limit` that fit. Raises `Refused` (audited), or `Invalid`: ask for less."""
        await self.require(actor)
        whose = await self._whose(asked.entity)
        _check_bounds(asked, whose)
        found: list[Touch] = []
        following: Place | None = None
        count = 0
        async for touch in self._touches(asked, whose):
            count += 1
            if fits(touch, asked, whose):
                found.append(touch)
            if len(found) == limit or count == LOOKED_AT:
                following = (touch.at, touch.id)
                break
        people = await self._people({each.patient for each in found})
        await self._trace(actor, asked, people)
        return Page(found, people, following)

    async def events(
        self, actor: Actor, asked: Asked, limit: int
    ) -> tuple[list[Stored], Place | None]:
        """The same as AuditEvents, as far as the scopes of a system show them."""
        page = await self.page(actor, asked, limit)
        made = [event_of(each, page.people.get(each.patient, ("", ""))[0]) for each in page.touches]
        return app_bounds.shown(actor, made, "search-type"), page.following

    async def _touches(self, asked: Asked, whose: int | None) -> AsyncIterator[Touch]:
        place = asked.before if asked.before is not None else (asked.end, -_LAST_ID)
        if whose is not None and whose > keys.REFERENCE:
            rows = self._chunks("touched_of", asked.start, place, whose)
        elif asked.agent:
            rows = self._chunks("of_actor", asked.start, place, asked.agent)
        elif asked.refused:
            rows = self._chunks("refused_in", asked.start, place)
        else:
            rows = self._spans(asked.start, place)
        async for row in rows:
            yield touch_of(row)

    async def _chunks(
        self, statement: str, start: datetime, place: Place, *named: Any
    ) -> AsyncIterator[Any]:
        while True:
            rows = await self._database.fetch(_SQL[statement], start, *place, _CHUNK, *named)
            for row in rows:
                yield row
            if len(rows) < _CHUNK:
                return
            place = rows[-1]["at"], rows[-1]["id"]

    async def _spans(self, start: datetime, place: Place) -> AsyncIterator[Any]:
        """Backwards in time by spans, longer where less is written: none is a large sort."""
        latest = clock.now() + LONGEST
        place = min(place, (latest, -_LAST_ID))
        span = _FIRST_SPAN
        while place[0] > start:
            low = max(start, place[0] - span)
            rows = [row async for row in self._chunks("touched_in", low, place)]
            for row in rows:
                yield row
            # What happened at the very edge has been told.
            place = low, -_LAST_ID
            span = min(span * 2, _LONGEST_SPAN) if len(rows) < _CHUNK else _FIRST_SPAN

    async def _whose(self, entity: str) -> int | None:
        """The inhabitant whose record holds what is named; None when nothing is named."""
        if not entity:
            return None
        kind, _, name = entity.partition("/")
        if kind == "Patient":
            return keys.patient_key(name)
        places = await self._gate.store.places_of([(kind, name)])
        return places.get((kind, name), keys.REFERENCE)

    async def _people(self, patients: set[int]) -> dict[int, tuple[str, str]]:
        wanted = [each for each in patients if each > keys.REFERENCE]
        rows = await self._database.fetch(_PEOPLE["patients"], wanted) if wanted else []
        with beyond():
            return {
                row["patient"]: (row["id"], full_name(Stored(*row).resource.get("name")))
                for row in rows
            }

    async def _trace(self, actor: Actor, asked: Asked, people: dict[int, tuple[str, str]]) -> None:
        """That the trail was asked, and by whom each inhabitant's part of it was seen."""
        author = author_of(actor, "search-type", "HSYSADMIN", basis="follow-up")
        now = clock.now()
        words = [
            name
            for name, given in (
                ("agent", asked.agent), ("entity", asked.entity),
                ("outcome", asked.refused is not None), ("date", asked.start > EVER[0]),
            )
            if given
        ]  # fmt: skip
        target = " ".join(filter(None, (f"AuditEvent?{'&'.join(words)}", asked.agent)))
        await self._gate.trail.keep(
            audit_row(keys.UNASSIGNED, 0, now, author, target, action="read"),
            *(
                audit_row(each, 0, now, author, "AuditEvent?", action="list")
                for each in sorted(people)
            ),
        )

    async def require(self, actor: Actor) -> None:
        """That the actor may look at the whole trail. Raises `Refused` (audited)."""
        if may_follow_up(actor) or actor.kind == "system":
            return
        decision = Decision(False, "none", "Only the privacy officer follows up who has read.")
        await self._gate.refuse(actor, keys.REFERENCE, decision, "follow-up")


def fits(touch: Touch, asked: Asked, whose: int | None) -> bool:
    """Whether a touch is one of those that are asked for, wherever it was found."""
    if asked.agent and touch.actor != asked.agent:
        return False
    if asked.refused is not None and touch.refused != asked.refused:
        return False
    if whose is None or asked.entity.startswith("Patient/"):
        return whose is None or touch.patient == whose
    return asked.entity in touch.target.split()


def cursor_of(place: Place) -> str:
    """Where a page ended, as its successor is asked for."""
    return f"{(place[0] - EVER[0]) // timedelta(microseconds=1)}-{place[1]}"


def place_of(cursor: str) -> Place:
    """The place that `cursor_of` told. Raises ValueError."""
    at, _, row = cursor.partition("-")
    moment, number = int(at), int(row)
    if not (0 <= moment < _LATEST and abs(number) <= _LAST_ID):
        raise ValueError("out of time")
    return EVER[0] + timedelta(microseconds=moment), number


def _check_bounds(asked: Asked, whose: int | None) -> None:
    if asked.agent or (whose is not None and whose > keys.REFERENCE):
        return
    if min(asked.end, clock.now()) - asked.start > LONGEST:
        text = (
            "The trail is not gone through from end to end: name an agent, an inhabitant or a"
            f" resource of one, or at most {LONGEST.days} days."
        )
        raise Invalid([Issue("error", "too-costly", text, "date")])


__all__ = [
    "LONGEST", "LOOKED_AT", "Asked", "Page", "Place", "TrailSearch", "cursor_of", "fits",
    "place_of",
]  # fmt: skip
