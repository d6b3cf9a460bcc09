"""Transactions: all entries of a Bundle, or none (http://hl7.org/fhir/R4/http.html#transaction).

The same recipe as a single write, carried out for all entries at once: one look-up, one decision
for each inhabitant and type, one statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

import msgspec

from helsevev.access import own_word
from helsevev.access.actor import Actor
from helsevev.access.bundle_look_up import identifier_of, newest
from helsevev.access.bundle_plan import BundlePlan, Known, Step, placed
from helsevev.access.conditional import Turns, check_condition
from helsevev.access.errors import Conflict, Invalid, Unprocessable
from helsevev.access.gate import author_of
from helsevev.access.permit import TIES, Grounds, joined
from helsevev.access.searching import Searcher
from helsevev.access.writing import Writer, fingerprint_of
from helsevev.fhir.bundle import BundleError, Entry
from helsevev.fhir.outcome import Issue, error
from helsevev.kit import clock
from helsevev.record import conditionals, keys
from helsevev.record.conditionals import Identified
from helsevev.record.store import Remembered, Stored, UniqueViolation, VersionMismatch, Write
from helsevev.record.turns import Turn, TurnTaken, seen

Returning = Literal["minimal", "representation", "OperationOutcome"]
Answer = Callable[[Entry], Awaitable[dict[str, Any]]]
"""Answers an entry that only reads: gives the entry of the response."""

Made = TypeVar("Made")

_AT_A_TIME: Final = 50
"""Entries worked out before others get their turn (some milliseconds)."""


class Bundles:
    """Carries transactions through the write path's recipe, on top of writer and searcher."""

    def __init__(self, writer: Writer, searcher: Searcher) -> None:
        self._writer = writer
        self._searcher = searcher
        self._gate = writer.gate
        self._store = writer.gate.store.beyond
        self._turns = Turns()

    async def transact(
        self,
        actor: Actor,
        bundle: dict[str, Any],
        *,
        idempotency_key: str | None = None,
        returning: Returning = "minimal",
        answer: Answer | None = None,
    ) -> dict[str, Any]:
        """Carry out a transaction Bundle; gives the transaction-response.

        Its entries stand in the Bundle's order; a resource in them is `msgspec.Raw`. Entries that
        read are handed to `answer` after the writing. Raises `BundleError`, `Invalid`,
        `TooManyMatches`, `Refused`, `Unprocessable`, `PreconditionFailed` or `Conflict`, with the
        entries' places in the issues; then nothing was stored.
        """
        if bundle.get("type") != "transaction":
            raise BundleError([error("value", "The Bundle is no transaction.", "Bundle.type")])
        fingerprint = b"" if idempotency_key is None else fingerprint_of(bundle)
        responses = await self._earlier(actor, idempotency_key, fingerprint)
        plan = BundlePlan(bundle)
        if answer is None and any(e.method in ("GET", "HEAD") for e in plan.entries):
            raise BundleError([error("not-supported", "Entries that read are not answered here.")])
        if responses is None:
            async with self._turns.taken(plan.conditions):
                responses = await self._carry_out(actor, plan, idempotency_key, fingerprint)
        if actor.scopes is not None:
            # A patch may be within the scopes where reading what it leaves is not.
            returning = "minimal"
        entries = await self._responses(plan, responses, returning, answer)
        response: dict[str, Any] = {"resourceType": "Bundle", "type": "transaction-response"}
        if entries:
            response["entry"] = entries
        return response

    async def _carry_out(
        self, actor: Actor, plan: BundlePlan, key: str | None, fingerprint: bytes
    ) -> dict[str, dict[str, str]]:
        turns = await seen(self._store.database, plan.conditions)
        known = await self._look_up(actor, plan)
        patched = plan.patched(known)
        await self._gate.allow_read(actor, patched, "patch")
        for current in patched:
            await self._gate.must_see_whole(actor, current)
        plan.resolve(known)
        found = await _unhurried(plan.check(self._writer.check))
        if issues := [issue for each in found for issue in each]:
            raise Invalid(issues)
        grounds = await self._decide(actor, plan.steps)
        plan.follow_versions()
        await self._check_same_inhabitant(plan.steps)
        held = await self._check_beside(plan.steps)
        now = clock.now()
        built = await _unhurried(plan.build(now))
        # In one order, so that two transactions never wait for each other.
        built.sort(key=lambda row: (row.patient, row.type, row.id))
        deletions = [s.current for s in plan.steps if s.act == "delete" and s.current]
        responses = {str(s.entry.index): _response(s, now) for s in plan.steps if s.act != "read"}
        remember = None
        if key is not None:
            result = msgspec.json.encode(responses).decode()
            remember = Remembered(key, fingerprint, result)
        if built or deletions or remember:
            author = author_of(actor, "transaction", grounds=grounds)
            deletions.sort(key=lambda gone: (gone.patient, gone.type, gone.id))
            # Where something fits, its version says who is first.
            taken = [turn for name, turn in turns.items() if not known.matches.get(name)]
            taken += held
            ties = [
                own_word.Step(step.resource, step.patient, step.current)
                for step in plan.steps
                if step.act in ("create", "update")
            ]
            await own_word.note(self._gate.store.database, actor, ties, now)
            write = Write(keys.next_key(), now, author, built, remember, deletions, taken)
            try:
                await self._store.write(write)
            except UniqueViolation:
                earlier = await self._earlier(actor, key, fingerprint)
                if earlier is None:
                    raise Conflict("Someone wrote at the same moment.", None) from None
                return earlier
            except (VersionMismatch, TurnTaken):
                raise Conflict("Someone wrote at the same moment.", None) from None
            for gone in deletions:
                if gone.type in TIES:
                    self._gate.permits.forget(gone.patient)
            self._writer.tell(built)
        return responses

    async def _look_up(self, actor: Actor, plan: BundlePlan) -> Known:
        matches = await self._matches(actor, plan.conditions)
        return Known(matches, await newest(self._store, plan.ids))

    async def _matches(self, actor: Actor, conditions: Iterable[str]) -> dict[str, list[Stored]]:
        simple: dict[str, Identified] = {}
        found: dict[str, list[Stored]] = {}
        for condition in conditions:
            resource_type, _, query = condition.partition("?")
            check_condition(resource_type, query)
            identifier = identifier_of(query)
            if identifier is None:
                found[condition] = await self._searcher.match(actor, resource_type, query)
            else:
                simple[condition] = (resource_type, *identifier)
        rows = await conditionals.identified(self._store.roles.whole, set(simple.values()))
        every = [stored for matching in rows.values() for stored in matching]
        seen = {s.reference for s in await self._gate.visible(actor, every, "match")}
        for condition, wanted in simple.items():
            found[condition] = [s for s in rows[wanted] if s.reference in seen]
        return found

    async def _decide(self, actor: Actor, steps: Iterable[Step]) -> Grounds:
        found: dict[tuple[int, str], Grounds] = {}
        kept: list[Stored] = []
        for step in steps:
            concerned = (step.patient, step.entry.resource_type)
            if step.writes and concerned not in found:
                found[concerned] = await self._writer.allow(actor, concerned[1], concerned[0])
            if step.writes:
                await self._keep_within(actor, step)
            if step.act == "keep" and step.current is not None:
                kept.append(step.current)
        await self._gate.allow_read(actor, kept, "transaction")
        return joined(found.values())

    async def _keep_within(self, actor: Actor, step: Step) -> None:
        current = step.current
        if step.act != "delete":
            await self._gate.keep_within(actor, step.resource, step.patient, current)
        elif current is not None:
            await self._gate.keep_within(actor, current.resource, current.patient, current, "d")

    async def _check_beside(self, steps: Iterable[Step]) -> list[Turn]:
        written = [s for s in steps if s.act in ("create", "update")]
        return await self._writer.beside.check([(s.resource, s.patient) for s in written])

    async def _check_same_inhabitant(self, steps: Iterable[Step]) -> None:
        written = [s for s in steps if s.act in ("create", "update")]
        try:
            await self._writer.check_same_inhabitant([(s.resource, s.patient) for s in written])
        except Unprocessable as failure:
            # Asked again one by one, since only then is it known which entry is meant.
            issues: list[Issue] = []
            for step in written:
                try:
                    await self._writer.check_same_inhabitant([(step.resource, step.patient)])
                except Unprocessable as found:
                    issues += placed(step, found.issues)
            raise Unprocessable(issues or failure.issues) from None

    async def _responses(
        self,
        plan: BundlePlan,
        responses: dict[str, dict[str, str]],
        returning: Returning,
        answer: Answer | None,
    ) -> list[dict[str, Any]]:
        entries: dict[int, dict[str, Any]] = {}
        for step in plan.steps:
            index = step.entry.index
            if str(index) in responses:
                entries[index] = await self._entry(step, responses[str(index)], returning)
            elif answer is not None:
                entries[index] = await answer(step.entry)
        return [entries[index] for index in sorted(entries)]

    async def _entry(
        self, step: Step, response: dict[str, Any], returning: Returning
    ) -> dict[str, Any]:
        if returning == "minimal" or "location" not in response:
            return {"response": response}
        if returning == "OperationOutcome":
            text = f"{response['location']}: {response['status']}"
            told = Issue("information", "informational", text).as_element()
            outcome = {"resourceType": "OperationOutcome", "issue": [told]}
            return {"response": {**response, "outcome": outcome}}
        resource_type, resource_id, _, version = response["location"].split("/")
        stored = await self._store.read_version(resource_type, resource_id, int(version))
        if stored is None or stored.deleted:
            return {"response": response}
        return {"resource": msgspec.Raw(stored.json), "response": response}

    async def _earlier(
        self, actor: Actor, key: str | None, fingerprint: bytes
    ) -> dict[str, dict[str, str]] | None:
        remembered = await self._store.remembered(actor.id, key) if key is not None else None
        if remembered is None:
            return None
        if remembered[0] != fingerprint:
            text = "The idempotency key was used for another request."
            raise Unprocessable([error("business-rule", text)])
        responses: dict[str, dict[str, str]] = msgspec.json.decode(remembered[1])
        return responses


def _response(step: Step, now: datetime) -> dict[str, str]:
    if step.act in ("delete", "nothing"):
        version = step.current.version + 1 if step.act == "delete" and step.current else None
        return {"status": "204 No Content"} | ({"etag": f'W/"{version}"'} if version else {})
    if step.row is not None:
        version, moment = step.row.version, now
        fresh = step.current is None or step.current.deleted
        status = "201 Created" if fresh else "200 OK"
    else:
        version = step.current.version if step.current else 1
        moment = step.current.last_updated if step.current else now
        status = "200 OK"
    return {
        "status": status,
        "location": f"{step.entry.resource_type}/{step.id}/_history/{version}",
        "etag": f'W/"{version}"',
        "lastModified": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


async def _unhurried(work: Iterator[Made]) -> list[Made]:
    done: list[Made] = []
    for item in work:
        done.append(item)
        if len(done) % _AT_A_TIME == 0:
            await asyncio.sleep(0)
    return done
