"""The write path, one recipe for every door: web, API, import and jobs.

1 decide · 2 touch up · 3 validate · 4 same inhabitant · 5 clinical rules · 6 version · 7 one
statement · 8 wake those who follow. Nothing is stored unless all of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from helsevev.access import own_word
from helsevev.access.actor import Actor
from helsevev.access.beside import RulesBeside, same_inhabitant
from helsevev.access.errors import (
    Conflict,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    Unprocessable,
    VersionRequired,
)
from helsevev.access.gate import Gate, author_of
from helsevev.access.permit import TIES, Grounds
from helsevev.access.unit_times import TimesOfUnits
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue
from helsevev.fhir.validation import validate
from helsevev.kit import clock
from helsevev.kit.chapter import Rule, RuleBeside
from helsevev.record import keys, rows
from helsevev.record.changes import Feed
from helsevev.record.rows import Row
from helsevev.record.store import Remembered, Stored, UniqueViolation, VersionMismatch, Write
from helsevev.record.turns import Turn, TurnTaken

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes a resource's next version out of a version of it, which stays as it is."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left: the current version, and whether this call created or changed it."""

    stored: Stored
    created: bool
    changed: bool


class Keeper(Protocol):
    """Carries out the writes and deletions of one type, each as `Writer` says."""

    async def write(
        self,
        actor: Actor,
        resource: dict[str, Any],
        *,
        create: bool = False,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        turns: Sequence[Turn] = (),
    ) -> Written:
        """As `Writer.write`."""

    async def delete(
        self, actor: Actor, resource_type: str, resource_id: str, if_match: int | None = None
    ) -> Stored | None:
        """As `Writer.delete`."""


class Writer:
    """Carries single writes through the recipe, on top of the gate."""

    def __init__(
        self,
        gate: Gate,
        feed: Feed,
        rules: Mapping[str, Rule],
        beside: Mapping[str, RuleBeside] | None = None,
    ) -> None:
        self.gate = gate
        self._store = gate.store.beyond
        self._feed = feed
        self._rules = rules
        self.unit_times = TimesOfUnits(gate.store.roles.program)
        self.beside = RulesBeside(gate.store, beside or {}, self.unit_times)
        self.keepers: dict[str, Keeper] = {}
        """For types that are more than rows: who carries out their writes and deletions."""

    async def write(
        self,
        actor: Actor,
        resource: dict[str, Any],
        *,
        create: bool = False,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        turns: Sequence[Turn] = (),
    ) -> Written:
        """Create (`create`, or without `id`) or update one resource, given as decoded FHIR JSON.

        An update names the version it follows (`if_match`, or its own meta: `version_seen`),
        unless it changes nothing. Raises `Invalid`, `Refused`, `Unprocessable`,
        `PreconditionFailed` (with what stands now) or `Conflict`; then nothing was stored. The
        same `idempotency_key` with the same content returns the first result. `turns` are those of
        the condition on which this is written: raises `TurnTaken` when another was first.
        """
        if keeper := self.keepers.get(str(resource.get("resourceType"))):
            return await keeper.write(
                actor, resource, create=create, if_match=if_match,
                idempotency_key=idempotency_key, turns=turns,
            )  # fmt: skip
        fingerprint = fingerprint_of(resource, create, if_match)
        if idempotency_key is not None:
            earlier = await self._earlier(actor, idempotency_key, fingerprint)
            if earlier is not None:
                return earlier
        self.check(resource)
        current = None
        if create or "id" not in resource:
            resource = with_new_id(resource)
        else:
            current = await self._store.read(resource["resourceType"], resource["id"])
        patient = rows.locality(resource)
        grounds = await self.allow(actor, resource["resourceType"], patient)
        await self.gate.keep_within(actor, resource, patient, current)
        if current is not None:
            if says_the_same(current, resource):
                await self.gate.allow_read(actor, [current], "update")
                return Written(current, created=False, changed=False)
            check_version(current, patient, version_seen(current, resource, if_match))
        elif if_match is not None:
            raise NotFound(f"{resource['resourceType']}/{resource['id']}")
        request = (idempotency_key, fingerprint)
        return await self._store_one(actor, resource, current, grounds, request, turns)

    async def patch(
        self,
        actor: Actor,
        resource_type: str,
        resource_id: str,
        change: Change,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        fingerprint: bytes = b"",
    ) -> Written:
        """Store what `change` makes of the version that `if_match` names.

        Raises what `write` raises, `NotFound`, `Gone`, and whatever `change` does; then nothing
        was stored. `fingerprint` tells one change from another for the same `idempotency_key`.
        """
        fingerprint = fingerprint_of(resource_type, resource_id, if_match) + fingerprint
        if idempotency_key is not None:
            earlier = await self._earlier(actor, idempotency_key, fingerprint)
            if earlier is not None:
                return earlier
        current = await self._store.read(resource_type, resource_id)
        if current is None:
            raise NotFound(f"{resource_type}/{resource_id}")
        # What a patch finds or does not find tells of the content: it is read as well as written.
        grounds = await self.allow(actor, resource_type, current.patient)
        if not await self.gate.allow_read(actor, [current], "patch"):
            raise NotFound(f"{resource_type}/{resource_id}")
        await self.gate.must_see_whole(actor, current)
        if current.deleted:
            raise Gone(current)
        check_version(current, current.patient, if_match)
        resource = change(current.resource)
        await self.gate.keep_within(actor, resource, current.patient, current, "u")
        self.check(resource)
        if says_the_same(current, resource):
            return Written(current, created=False, changed=False)
        check_version(current, rows.locality(resource), if_match)
        request = (idempotency_key, fingerprint)
        return await self._store_one(actor, resource, current, grounds, request)

    async def _store_one(
        self,
        actor: Actor,
        resource: dict[str, Any],
        current: Stored | None,
        grounds: Grounds,
        request: tuple[str | None, bytes],
        turns: Sequence[Turn] = (),
    ) -> Written:
        """The last steps of the recipe, for what may be written after `current`.

        `request` is the idempotency key and what tells the request from another with that key.
        """
        idempotency_key, fingerprint = request
        patient = rows.locality(resource)
        version = 1 if current is None else current.version + 1
        await self.check_same_inhabitant([(resource, patient)])
        held = await self.beside.check([(resource, patient)])
        now = clock.now()
        row = build_row(resource, version, now, patient)
        remember = None
        if idempotency_key is not None:
            result = msgspec.json.encode([row.type, row.id, version]).decode()
            remember = Remembered(idempotency_key, fingerprint, result)
        author = author_of(actor, "create" if version == 1 else "update", grounds=grounds)
        step = own_word.Step(resource, patient, current)
        await own_word.note(self.gate.store.database, actor, [step], now)
        try:
            await self._store.write(
                Write(keys.next_key(), now, author, [row], remember, turns=(*turns, *held))
            )
        except TurnTaken:
            if turns or not held:
                raise
            # What the rules saw was no longer so: they look again.
            return await self._store_one(actor, resource, current, grounds, request)
        except UniqueViolation:
            return await self._someone_was_first(actor, row, idempotency_key, fingerprint)
        except VersionMismatch:
            raise await self._overtaken(row) from None
        self.tell([row])
        stored = Stored(patient, row.type, row.id, version, now, False, row.body)
        return Written(stored, created=current is None or current.deleted, changed=True)

    async def delete(
        self, actor: Actor, resource_type: str, resource_id: str, if_match: int | None = None
    ) -> Stored | None:
        """Take a resource out of the present; None when it was not there or is gone already."""
        if keeper := self.keepers.get(resource_type):
            return await keeper.delete(actor, resource_type, resource_id, if_match)
        current = await self._store.read(resource_type, resource_id)
        if current is None or current.deleted:
            return None
        grounds = await self.allow(actor, resource_type, current.patient)
        await self.gate.keep_within(actor, current.resource, current.patient, current, "d")
        if if_match is not None and if_match != current.version:
            raise PreconditionFailed(_seen_another(current), current)
        now = clock.now()
        try:
            author = author_of(actor, "delete", grounds=grounds)
            await self._store.delete(current, keys.next_key(), now, author)
        except VersionMismatch:
            raise Conflict("Someone wrote at the same moment.", current) from None
        self._woken([current.patient] if resource_type in TIES else [])
        return Stored(
            current.patient, resource_type, resource_id, current.version + 1, now, True, b""
        )

    def check(self, resource: dict[str, Any]) -> None:
        """Structure, then the clinical rules of the type. Raises `Invalid` with every issue."""
        issues = [issue for issue in validate(resource) if issue.is_error]
        if not issues and (rule := self._rules.get(resource["resourceType"])):
            issues = [issue for issue in rule(resource) if issue.is_error]
        if issues:
            raise Invalid(issues)

    async def allow(self, actor: Actor, resource_type: str, patient: int) -> Grounds:
        """What audit rows say of why. Raises `Refused`, audited."""
        verdict = await self.gate.permits.verdict(actor, patient, "write", resource_type)
        if not verdict.decision.allowed:
            await self.gate.refuse(actor, patient, verdict.decision, "write", action="write")
        return verdict.grounds

    async def check_same_inhabitant(self, resources: Sequence[tuple[dict[str, Any], int]]) -> None:
        """No order, encounter or document of another inhabitant may be named."""
        await same_inhabitant(self._store, resources)

    def tell(self, written: Iterable[Row]) -> None:
        """Wake those who follow, after the commit; access is decided anew where ties changed."""
        self._woken({row.patient for row in written if row.type in TIES})

    def _woken(self, tied: Iterable[int]) -> None:
        for patient in tied:
            self.gate.permits.forget(patient)
        self._feed.ring()

    async def _earlier(self, actor: Actor, key: str, fingerprint: bytes) -> Written | None:
        remembered = await self._store.remembered(actor.id, key)
        if remembered is None:
            return None
        if remembered[0] != fingerprint:
            text = "The idempotency key was used for another request."
            raise Unprocessable([Issue("error", "business-rule", text)])
        resource_type, resource_id, version = msgspec.json.decode(remembered[1])
        stored = await self._store.read_version(resource_type, resource_id, version)
        if stored is None:
            raise NotFound(f"{resource_type}/{resource_id}")
        await self.gate.allow_read(actor, [stored], "write")
        return Written(stored, created=version == 1, changed=False)

    async def _someone_was_first(
        self, actor: Actor, row: Row, key: str | None, fingerprint: bytes
    ) -> Written:
        earlier = await self._earlier(actor, key, fingerprint) if key else None
        if earlier is None:
            raise await self._overtaken(row)
        return earlier

    async def _overtaken(self, row: Row) -> Conflict:
        current = await self._store.read(row.type, row.id)
        return PreconditionFailed("Someone wrote at the same moment.", current)


def with_new_id(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with an id made by the server, in place of any it has."""
    resource_type = resource["resourceType"]
    patient = keys.REFERENCE if resource_type == "Patient" else rows.locality(resource)
    return {**resource, "id": keys.new_id(resource_type, patient)}


def check_version(current: Stored, patient: int, if_match: int | None) -> None:
    """Whether a write may follow `current`.

    Raises `VersionRequired`, `PreconditionFailed` or `Unprocessable`.
    """
    if current.patient != patient:
        text = f"{current.reference} belongs to another inhabitant and stays there."
        raise Unprocessable([Issue("error", "business-rule", text)])
    if current.deleted and if_match is None:
        return
    if if_match is None:
        text = f'Name the version that was seen: If-Match: W/"{current.version}".'
        raise VersionRequired(text, current)
    if if_match != current.version:
        raise PreconditionFailed(_seen_another(current), current)


def version_seen(
    current: Stored, resource: dict[str, Any], if_match: int | None = None
) -> int | None:
    """The version that a writer has seen: `if_match`, or else what the resource's own meta says.

    Many clients send back what they have read, without a header. Version and time together are
    proof enough that they read it here; a version alone could be another server's.
    """
    meta = resource.get("meta")
    if if_match is not None or current.deleted or meta is None:
        return if_match
    version, moment = meta.get("versionId"), meta.get("lastUpdated")
    if moment is None or version is None:
        return None
    if version != str(current.version):
        return int(version) if version.isascii() and version.isdigit() else None
    return current.version if moment == current.resource["meta"]["lastUpdated"] else None


def _seen_another(current: Stored) -> str:
    return f"{current.reference} is at version {current.version} now; another was seen."


def says_the_same(current: Stored, resource: dict[str, Any]) -> bool:
    """Whether `resource` has the content of `current`, apart from version and time."""
    if current.deleted:
        return False
    return _content(current.resource) == _content(resource)


def _content(resource: dict[str, Any]) -> bytes:
    meta = {
        k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")
    }
    # In the order in which a stored resource has them: what the sender put first says nothing.
    head = {"resourceType": resource["resourceType"], "id": resource.get("id"), "meta": meta}
    return serialization.encode(head | {k: v for k, v in resource.items() if k not in head})


def build_row(resource: dict[str, Any], version: int, at: datetime, patient: int) -> Row:
    """The rows of a resource that has its id, touched up with version and time.

    Raises `Unprocessable` for an id made to look like the server's for another inhabitant.
    """
    if keys.misleads(resource["resourceType"], resource["id"], patient):
        text = f"{resource['resourceType']}/{resource['id']} is an id for another inhabitant."
        raise Unprocessable([Issue("error", "business-rule", text)])
    stamped = rows.stamped(resource, version, at)
    return rows.build(stamped, version, patient)


def fingerprint_of(*request: Any) -> bytes:
    """A digest that is equal for equal requests."""
    return blake2b(b"\x1e".join(map(serialization.encode, request)), digest_size=16).digest()
