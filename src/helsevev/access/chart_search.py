"""Searching within an open record: only what the reader sees is found, and the search is traced.

What was found by its row is held against what is shown of it: words that are withheld or masked
find nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.gate import Gate, author_of
from helsevev.access.permit import Permit
from helsevev.access.slices import seen_of
from helsevev.kit import clock
from helsevev.record.audit import audit_row
from helsevev.record.chart_search import asked, contexts, measured_in, said_in
from helsevev.record.store import Stored
from helsevev.record.words import MEASURED, SPOKEN, narrative, spoken

MOST: Final = 25
"""Entries of each type that are found at most, the newest."""
_LONGEST: Final = 12_000
"""Characters of an entry that its context is taken from."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry that was found; signs 2 and 3 stand around what was found in `around`."""

    resource: Mapping[str, Any]
    around: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found: entries, newest first; measurements, two of each; whether there is more."""

    said: tuple[Hit, ...]
    measured: tuple[Hit, ...]
    is_cut: bool


class ChartSearch:
    """Finds words in one record."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def find(
        self,
        permit: Permit,
        words: str,
        also: Mapping[str, Sequence[str]],
        name_of: Callable[[Mapping[str, Any]], str],
    ) -> Hits:
        """What holds all the words; `also` are other words for one, `name_of` what a measurement
        is called here besides what its sender says. Raises `Refused` when the permit has run out.
        """
        await self._gate.require(permit, "search-chart")
        author = author_of(permit.actor, "search-chart", permit.purpose, basis=permit.why)
        await self._gate.trail.keep(
            audit_row(permit.patient, 0, clock.now(), author, "chart", action="read")
        )
        wanted = asked(words, also)
        if not wanted:
            return Hits((), (), False)
        database = self._gate.store.shown
        found = await said_in(database, permit.patient, wanted, MOST + 1)
        counted = Counter(row.type for row in found)
        said = await self._seen(permit, found)
        measured = await self._seen(permit, await measured_in(database, permit.patient))
        texts = [_text(each)[:_LONGEST] for each in said]
        texts += [_measured_text(each, name_of) for each in measured]
        around = await contexts(database, texts, wanted)
        hits = [
            Hit(resource, around[place])
            for place, resource in enumerate([*said, *measured]) if place in around
        ]  # fmt: skip
        own = {id(each) for each in measured}
        return Hits(
            tuple(hit for hit in hits if id(hit.resource) not in own),
            tuple(hit for hit in hits if id(hit.resource) in own),
            any(count > MOST for count in counted.values()),
        )

    async def _seen(self, permit: Permit, rows: Sequence[Stored]) -> list[dict[str, Any]]:
        """The rows as the reader sees them, in their order."""
        by_type: dict[str, list[Stored]] = {}
        for row in rows:
            by_type.setdefault(row.type, []).append(row)
        shown = await seen_of(self._gate.store, by_type, permit.patient, permit.sight)
        known = {(kind, each["id"]): each for kind, found in shown.items() for each in found}
        return [known[row.type, row.id] for row in rows if (row.type, row.id) in known]


def _text(resource: dict[str, Any]) -> str:
    told, said = narrative(resource), spoken(resource)
    if resource["resourceType"] in SPOKEN | MEASURED:
        return f"{said} \n{told}" if told else said
    return f"{told} \n{said}" if told else said


def _measured_text(resource: dict[str, Any], name_of: Callable[[Mapping[str, Any]], str]) -> str:
    coded = {k: v for k, v in resource.items() if k in ("code", "component")}
    said = spoken({"resourceType": "", **coded})
    return f"{name_of(resource)} \n{said} \n{spoken(resource)}"
