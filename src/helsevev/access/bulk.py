"""Loading what was kept elsewhere: whole bundles and loose resources, by the same recipe.

A bundle is stored whole or not at all. Loose resources keep their ids and are judged one by one;
those of one call that pass are stored together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from helsevev.access.actor import Actor
from helsevev.access.beside import SPANS_INHABITANTS
from helsevev.access.bundle_look_up import identifier_of, newest
from helsevev.access.bundle_plan import BundlePlan, Known, Step, placed
from helsevev.access.errors import AccessError, Invalid, Unprocessable
from helsevev.access.gate import author_of
from helsevev.access.permit import Grounds, joined
from helsevev.access.searching import Searcher
from helsevev.access.writing import (
    Writer,
    build_row,
    check_version,
    fingerprint_of,
    says_the_same,
)
from helsevev.fhir import references
from helsevev.fhir.bundle import BundleError, links_of
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.outcome import Issue
from helsevev.kit import clock
from helsevev.record import conditionals, keys, rows
from helsevev.record.conditionals import Identified
from helsevev.record.connection import ConnectionLost, DatabaseError
from helsevev.record.rows import Row
from helsevev.record.store import Remembered, Stored, UniqueViolation, VersionMismatch, Write

Links = list[dict[str, Any]]
Answer = TypeVar("Answer")

INTERACTION: Final = "import"
_TRIES: Final = 4
_TRY_AGAIN: Final = frozenset({"40P01", "40001"})
"""Deadlock and serialization failure: nothing was stored, and another attempt may succeed."""


class Unresolved(AccessError):
    """A conditional reference matches nothing yet; it may when more has been loaded."""


class Unavailable(Exception):
    """The database is away and does not come back soon."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What of a bundle is in the record now, and how many of its resources were there before."""

    by_type: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one loose resource: stored, unchanged, or why it was not stored."""

    unchanged: bool = False
    issues: tuple[Issue, ...] = ()


class Loader:
    """Loads on behalf of an actor, on top of writer and searcher."""

    def __init__(self, writer: Writer, searcher: Searcher) -> None:
        self._writer = writer
        self._searcher = searcher
        self._store = writer.gate.store.beyond

    async def load_bundle(
        self,
        actor: Actor,
        bundle: Callable[[], dict[str, Any]],
        digest: bytes,
        *,
        overwrite: bool = False,
    ) -> Loaded:
        """Store all that a Bundle's requests (POST, PUT, DELETE) ask for, or nothing.

        `bundle` gives the Bundle anew for each attempt. A Bundle that creates is remembered by
        the `digest` of its content: given again, it changes nothing. An update of what exists is
        refused unless it says the same, or with `overwrite`. Raises `Unresolved`, `BundleError`,
        or the `AccessError`s of a write, placed in the Bundle.
        """

        async def attempt() -> Loaded:
            return await self._load_bundle(actor, bundle(), digest, overwrite)

        return await _persistently(attempt)

    async def _load_bundle(
        self, actor: Actor, bundle: dict[str, Any], digest: bytes, overwrite: bool
    ) -> Loaded:
        plan = BundlePlan(bundle, overwrite=overwrite)
        by_type = Counter(e.resource_type for e in plan.entries if e.method in ("POST", "PUT"))
        for entry in plan.entries:
            if entry.method in ("GET", "HEAD"):
                text = f"An import carries out no {entry.method}."
                raise BundleError(
                    [Issue("error", "not-supported", text, f"{entry.path}.request.method")]
                )
        remember = None
        if any(e.method == "POST" and not e.if_none_exist for e in plan.entries):
            key = f"import-{digest.hex()}"
            if await self._store.remembered(actor.id, key) is not None:
                return Loaded(by_type, by_type.total())
            remember = Remembered(key, digest, "{}")
        await self._resolve(actor, plan)
        issues = [issue for found in plan.check(self._writer.check) for issue in found]
        if issues:
            raise Invalid(issues)
        grounds = await self._decide(
            actor, ((s.patient, s.entry.resource_type) for s in plan.steps if s.writes)
        )
        plan.follow_versions()
        await self._refuse_strangers(plan.steps)
        now = clock.now()
        built = list(plan.build(now))
        deletions = [s.current for s in plan.steps if s.act == "delete" and s.current]
        if built or deletions:
            author = author_of(actor, INTERACTION, grounds=grounds)
            write = Write(keys.next_key(), now, author, built, remember, deletions)
            await self._store.write(write)
            self._writer.tell(built)
        return Loaded(by_type, by_type.total() - len(built))

    async def load_resources(
        self, actor: Actor, resources: Sequence[dict[str, Any]], *, overwrite: bool = False
    ) -> list[Judged]:
        """Store loose resources under the ids they have; what is said of each, in their order.

        What exists with other content is refused unless `overwrite`.
        """

        async def attempt() -> list[Judged]:
            return await self._load_resources(actor, resources, overwrite)

        return await _persistently(attempt)

    async def _load_resources(
        self, actor: Actor, resources: Sequence[dict[str, Any]], overwrite: bool
    ) -> list[Judged]:
        judged: dict[int, Judged] = {}
        first: dict[tuple[str, str], int] = {}
        again: list[int] = []
        for n, resource in enumerate(resources):
            try:
                self._writer.check(resource)
            except Invalid as invalid:
                judged[n] = Judged(issues=invalid.issues)
                continue
            if first.setdefault((resource["resourceType"], resource["id"]), n) != n:
                again.append(n)
        known = await newest(self._store, first)
        writes: dict[int, tuple[int, Stored | None]] = {}
        for place, n in first.items():
            current, patient = known.get(place), rows.locality(resources[n])
            verdict = _verdict(resources[n], current, patient, overwrite)
            if verdict is None:
                writes[n] = (patient, current)
            else:
                judged[n] = verdict
        await self._judge_strangers(resources, writes, judged)
        await self._write_resources(actor, resources, writes)
        judged.update({n: Judged() for n in writes})
        if again:
            # The same id twice in one call: the later one meets the earlier one stored.
            repeated = [resources[n] for n in again]
            found = await self._load_resources(actor, repeated, overwrite)
            judged.update(zip(again, found, strict=True))
        return [judged[n] for n in range(len(resources))]

    async def _judge_strangers(
        self,
        resources: Sequence[dict[str, Any]],
        writes: dict[int, tuple[int, Stored | None]],
        judged: dict[int, Judged],
    ) -> None:
        own = [
            (resources[n], patient, links_of(resources[n])) for n, (patient, _) in writes.items()
        ]
        if not await self._names_strangers(own):
            return
        for n, (patient, _) in list(writes.items()):
            try:
                await self._writer.check_same_inhabitant([(resources[n], patient)])
            except Unprocessable as failure:
                judged[n] = Judged(issues=failure.issues)
                del writes[n]

    async def _write_resources(
        self,
        actor: Actor,
        resources: Sequence[dict[str, Any]],
        writes: dict[int, tuple[int, Stored | None]],
    ) -> None:
        if not writes:
            return
        concerned = ((patient, resources[n]["resourceType"]) for n, (patient, _) in writes.items())
        grounds = await self._decide(actor, concerned)
        now = clock.now()
        built: list[Row] = []
        for n, (patient, current) in writes.items():
            version = current.version + 1 if current else 1
            built.append(build_row(resources[n], version, now, patient))
        author = author_of(actor, INTERACTION, grounds=grounds)
        await self._store.write(Write(keys.next_key(), now, author, built))
        self._writer.tell(built)

    async def _resolve(self, actor: Actor, plan: BundlePlan) -> None:
        named = _name_by_condition(plan.steps)
        # Before the conditions: what is stored in between is then found by its condition.
        known = await newest(self._store, plan.ids)
        matches = await self._matches(actor, plan.conditions)
        missing = [text for text in plan.references if not matches.get(text)]
        for step in named:
            if step.place in known:
                # It was made so once, and says something else now, or is gone.
                step.id = ""
        try:
            plan.resolve(Known(matches, known))
        except BundleError as failure:
            if missing:
                raise Unresolved(failure.issues) from None
            raise

    async def _matches(self, actor: Actor, conditions: Iterable[str]) -> dict[str, list[Stored]]:
        """What fits each condition.

        Of organisations, staff and the like that are in the record several times under one
        identifier, the oldest is meant: files that create them anew and files that refer to them
        by identifier are then both loaded. A person is never chosen like this.
        """
        persons: dict[str, Identified] = {}
        others: dict[str, Identified] = {}
        found: dict[str, list[Stored]] = {}
        for condition in conditions:
            resource_type, _, query = condition.partition("?")
            identifier = identifier_of(query)
            if identifier is None:
                found[condition] = await self._searcher.match(actor, resource_type, query)
            elif is_clinical(resource_type):
                persons[condition] = (resource_type, *identifier)
            else:
                others[condition] = (resource_type, *identifier)
        database = self._store.roles.whole
        several = await conditionals.identified(database, set(persons.values()))
        oldest = await conditionals.first_identified(database, set(others.values()))
        found.update({condition: several[wanted] for condition, wanted in persons.items()})
        found.update({condition: oldest[wanted] for condition, wanted in others.items()})
        every = [stored for matching in found.values() for stored in matching]
        await self._writer.gate.allow_read(actor, every, "match")
        return found

    async def _decide(self, actor: Actor, concerned: Iterable[tuple[int, str]]) -> Grounds:
        found = {
            await self._writer.allow(actor, resource_type, patient)
            for patient, resource_type in dict.fromkeys(concerned)
        }
        return joined(found)

    async def _refuse_strangers(self, steps: Iterable[Step]) -> None:
        written = [s for s in steps if s.act in ("create", "update")]
        if not await self._names_strangers(
            [(s.resource, s.patient, s.entry.links) for s in written]
        ):
            return
        issues: list[Issue] = []
        for step in written:
            try:
                await self._writer.check_same_inhabitant([(step.resource, step.patient)])
            except Unprocessable as found:
                issues += placed(step, found.issues)
        raise Unprocessable(issues)

    async def _names_strangers(self, written: Sequence[tuple[dict[str, Any], int, Links]]) -> bool:
        """Whether anything names an order, encounter or document of another inhabitant.

        Takes (resource, inhabitant's key, its references). The writer's own check tells which
        and where; this one only finds quickly that there is none.
        """
        own = {(r["resourceType"], r["id"]): patient for r, patient, _ in written}
        named: set[tuple[tuple[str, str], int]] = set()
        for resource, patient, links in written:
            if patient <= 0 or resource["resourceType"] in SPANS_INHABITANTS:
                continue
            for link in links:
                target = references.relative(link["reference"])
                if target is None or target[0] in SPANS_INHABITANTS or own.get(target) == patient:
                    continue
                if is_clinical(target[0]):
                    named.add((target, patient))
        if not named:
            return False
        places = await self._store.places_of({target for target, _ in named} - own.keys())
        places.update(own)
        return any(places.get(target, patient) != patient for target, patient in named)


def _name_by_condition(steps: Iterable[Step]) -> list[Step]:
    """Give conditional creates an id that their condition decides; returns those steps.

    Two loaders that both find nothing then write the same resource, and the second finds the
    first's: no one is in the record twice, without any lock.
    """
    named: dict[str, Step] = {}
    for step in steps:
        if step.entry.if_none_exist and not step.id:
            condition = f"{step.entry.resource_type}?{step.entry.if_none_exist}"
            if named.setdefault(condition, step) is step:
                step.id = f"if-{fingerprint_of(condition).hex()}"
    return list(named.values())


def _verdict(
    resource: dict[str, Any], current: Stored | None, patient: int, overwrite: bool
) -> Judged | None:
    """What can be said of a resource before it is written; None: it is to be written."""
    if current is None:
        return None
    if says_the_same(current, resource):
        return Judged(unchanged=True)
    if not overwrite:
        what = "was deleted" if current.deleted else "is in the record with other content"
        text = f"{current.reference} {what} (version {current.version}); --replace stores this."
        return Judged(issues=(Issue("error", "conflict", text),))
    try:
        check_version(current, patient, current.version)
    except AccessError as failure:
        return Judged(issues=failure.issues)
    return None


async def _persistently(attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """Try again what lost a race or its connection: the record says what came of it before.

    Raises `Unavailable` when the database stays away, `AccessError` when it refuses the content.
    """
    for remaining in reversed(range(_TRIES)):
        try:
            return await attempt()
        except ConnectionLost as problem:
            if not remaining:
                raise Unavailable(str(problem)) from problem
        except DatabaseError as problem:
            raced = isinstance(problem, UniqueViolation | VersionMismatch)
            if not remaining or not (raced or problem.sqlstate in _TRY_AGAIN):
                text = f"The database refuses it: {problem}"
                raise AccessError([Issue("error", "exception", text)]) from problem
    raise AssertionError("unreachable")


__all__ = ["BundleError", "Judged", "Loaded", "Loader", "Unavailable", "Unresolved"]
