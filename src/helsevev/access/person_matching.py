"""Who somebody may be: the registered inhabitants that a description fits, most likely first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.people import People
from helsevev.content.loading import person_matching
from helsevev.fhir import dates
from helsevev.fhir.person_matching import Likeness, Weights, compare, registered_spellings
from helsevev.record.rows import token_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored
from helsevev.record.wall import beyond

_PEOPLE: Final = load("people")
_CANDIDATES: Final = 500
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Match:
    """A registered inhabitant, as much as the actor may see, and how likely it is the one."""

    resource: dict[str, Any]
    likeness: Likeness


class PersonMatcher:
    """Compares descriptions with those who are registered; every list is audited."""

    def __init__(self, gate: Gate, people: People) -> None:
        self._database = gate.store.roles.people
        self._gate = gate
        self._people = people

    async def match(
        self, actor: Actor, described: dict[str, Any], *, certain_only: bool, count: int
    ) -> list[Match]:
        """Those whom the Patient `described` may be, at least possibly, most likely first.

        Inhabitants who were replaced by others are left out. Raises `Refused` for inhabitants.
        """
        await self._people.staff_only(actor)
        found = []
        with beyond():
            # A likeness to an address that is hidden would tell of it.
            for stored in await self._gate.as_seen(actor, await self._candidates(described)):
                resource = stored.resource
                likeness = compare(described, resource, _weights())
                grade = likeness.grade
                if grade == "certainly-not" or (certain_only and grade != "certain"):
                    continue
                if not _is_replaced(resource):
                    found.append((stored, likeness))
        found.sort(key=lambda each: (-each[1].score, each[0].id))
        listed = found[: min(count, MOST)]
        if certain_only and len(listed) > 1:
            # Several that are certain are a contradiction, and none of them is.
            return []
        shown = await self._people.listed(actor, [stored for stored, _ in listed], "match")
        return [
            Match(each.resource, likeness)
            for each, (_, likeness) in zip(shown, listed, strict=True)
        ]

    async def _candidates(self, described: dict[str, Any]) -> list[Stored]:
        numbers = [
            token_hash("identifier", None, identifier["value"])
            for identifier in described.get("identifier", ())
            if identifier.get("value")
        ]
        born = dates.bounds(described.get("birthDate", ""))
        families = {
            spelling
            for name in described.get("name", ())
            for spelling in registered_spellings(name.get("family", ""))
            if len(spelling) > 1
        }
        rows = await self._database.fetch(
            _PEOPLE["candidates"], numbers, born[0] if born else None, sorted(families), _CANDIDATES
        )
        return [Stored(*row) for row in rows]


@cache
def _weights() -> Weights:
    return msgspec.convert(msgspec.to_builtins(person_matching()), Weights)


def _is_replaced(patient: dict[str, Any]) -> bool:
    return any(link.get("type") == "replaced-by" for link in patient.get("link", ()))
