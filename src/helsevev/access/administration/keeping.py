"""Writing who works here: one transaction for a person or a group and the roles that follow.

Through the gate's writer, as every write: checked, traced in the name of who did it, with history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.policy import Facts, decide
from helsevev.access.transaction import Bundles
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.rows import reference_hash, token_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored

SQL: Final = load("staff")
PLACES: Final = [keys.REFERENCE, keys.UNASSIGNED]
"""A Group of practitioners names no inhabitant; the rest is reference data."""


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody has, now or later. Times in microseconds since 1970."""

    id: str
    person: str
    unit: str
    title: str
    start_at: int
    end_at: int

    def holds(self, at: int) -> bool:
        """Whether it holds at a time."""
        return self.start_at <= at < self.end_at


class StaffKeeper:
    """Reads and writes people, their roles, units and groups for those who administer them."""

    def __init__(self, gate: Gate, bundles: Bundles) -> None:
        self.gate = gate
        self._bundles = bundles
        self._store = gate.store.beyond
        self.database = gate.store.roles.officer
        self.given_out = gate.store.database
        """Sessions, tokens and apps: what somebody has been given, about nobody's record."""

    async def decide(
        self, actor: Actor, resource_type: str = "", about: str = "", *, oversee: bool = False
    ) -> None:
        """That the actor may administer what is about `about`. Raises `Refused`, audited.

        An app never may in somebody's name; a system's scopes are asked as it reads and writes.
        """
        facts = Facts("reference", own=bool(about) and about == actor.id)
        decision = decide(actor, "oversee" if oversee else "administer", facts, resource_type)
        if actor.scopes is not None and actor.kind != "system":
            decision = replace(decision, allowed=False)
        if not decision.allowed:
            await self.gate.refuse(actor, keys.REFERENCE, decision, "administer", action="write")

    async def write(
        self, actor: Actor, entries: Sequence[Mapping[str, Any]], unless: str = ""
    ) -> list[Stored]:
        """Store resources together, in their order; those with `meta` follow the version in it.

        The first is created `unless` such a one exists (a search); then it is given as it stands.
        Raises what `Bundles.transact` raises; then nothing was stored.
        """
        if not entries:
            return []
        made = [_entry(each) for each in entries]
        if unless:
            made[0]["request"]["ifNoneExist"] = unless
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": made}
        answer = await self._bundles.transact(_keeper(actor), bundle)
        wanted = []
        for each in answer["entry"]:
            kind, name = each["response"]["location"].partition("/_history")[0].split("/")[-2:]
            wanted.append((kind, name))
        found = await self._store.read_many(wanted)
        return [found[place] for place in wanted]

    async def read(self, resource_type: str, resource_id: str) -> Stored | None:
        """What stands now; None when there is nothing."""
        found = await self._store.read(resource_type, resource_id)
        return None if found is None or found.deleted else found

    async def read_many(self, references: Iterable[str]) -> dict[str, Stored]:
        """What stands now, by reference."""
        places = {(kind, name) for kind, _, name in (r.partition("/") for r in references) if name}
        found = await self._store.read_many(places)
        return {stored.reference: stored for stored in found.values() if not stored.deleted}

    async def by_identifier(
        self, resource_type: str, *identifiers: tuple[str | None, str]
    ) -> list[Stored]:
        """Those that one of some identifiers names (system, value)."""
        hashes = [token_hash("identifier", system, value) for system, value in identifiers]
        return await self._by_keys(resource_type, hashes)

    async def by_reference(
        self, resource_type: str, parameter: str, references: Iterable[str]
    ) -> list[Stored]:
        """Those that name one of `references` by a search parameter."""
        return await self._by_keys(
            resource_type, [reference_hash(parameter, each) for each in references]
        )

    async def _by_keys(self, resource_type: str, hashes: list[int]) -> list[Stored]:
        if not hashes:
            return []
        rows = await self.database.fetch(SQL["by_key"], PLACES, resource_type, hashes)
        return [Stored(*row) for row in rows]

    async def every(self, resource_type: str, most: int, after: str = "") -> list[Stored]:
        """All of a type, by id; at most so many, after an id."""
        rows = await self.database.fetch(SQL["of_type"], PLACES, resource_type, most, after)
        return [Stored(*row) for row in rows]

    async def roles_of(self, *people: str) -> list[Held]:
        """The roles of people (references) that are active, also those to come."""
        rows = await self.database.fetch(SQL["roles_of"], list(people))
        return [Held(*row) for row in rows]

    async def trace(
        self, actor: Actor, interaction: str, target: str, *, action: str = "read"
    ) -> None:
        """A line in the trail of what was looked at or done."""
        await self.gate.trace_nothing(actor, interaction, target, action=action)


def ended(role: Mapping[str, Any], now: str) -> dict[str, Any]:
    """A PractitionerRole that ends now; one that has not begun never did."""
    period = {**role.get("period", {}), "end": now}
    begins, ends = dates.bounds(period.get("start", "")), dates.bounds(now)
    if begins is not None and ends is not None and begins[0] > ends[0]:
        del period["start"]
    return {**role, "active": False, "period": period}


def now_text() -> str:
    """This moment, as FHIR writes it."""
    return clock.now().isoformat(timespec="milliseconds")


def _keeper(actor: Actor) -> Actor:
    """Who is decided to be an administrator writes what only systems do, in their own name."""
    return replace(actor, kind="system") if actor.kind == "practitioner" else actor


def _entry(resource: Mapping[str, Any]) -> dict[str, Any]:
    kind = resource["resourceType"]
    if "id" not in resource:
        request = {"method": "POST", "url": kind}
        return {"fullUrl": f"urn:uuid:{uuid4()}", "resource": dict(resource), "request": request}
    place = f"{kind}/{resource['id']}"
    request = {"method": "PUT", "url": place}
    if version := resource.get("meta", {}).get("versionId"):
        request["ifMatch"] = f'W/"{version}"'
    return {"fullUrl": place, "resource": dict(resource), "request": request}
