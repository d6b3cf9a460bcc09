"""What a search by an actor looks into: whose records, and what of them is left out.

The same rules that judge an entry when it is read say here which labels ask for which tie, so that
what is withheld neither matches nor counts, leads on or orders anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.naming_withheld import asked_for, withheld_of
from helsevev.access.permit import HOLDS, Permits
from helsevev.access.policy import Closeness, Facts, decide, may_treat, rules_on_entry
from helsevev.access.sight import ADDRESSES, STRICTEST, Entry, sight_of
from helsevev.access.telling_places import KINDS, telling
from helsevev.content.loading import categories
from helsevev.fhir.search_filters import AnyOf, Chain, Condition, Filter, Formula, Has
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_query import Query
from helsevev.fhir.search_terms import ReferenceTerm
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.rows import label_hash
from helsevev.record.search_scope import Level, Scope, Withheld
from helsevev.record.statements import load
from helsevev.record.store import Store

_SQL: Final = load("access")
_NEARER: Final[tuple[Closeness, ...]] = ("organisation", "unit", "personal")
_TELLS: Final = ("address", "near", "phone", "email", "telecom", "_text", "_content", "_filter")
"""Parameters, by how they begin, that may find somebody by where they live."""

_MOST_KEPT: Final = 20_000
Shut = tuple[tuple[int, ...], tuple[tuple[int, int], ...], tuple[tuple[int, str, str], ...]]
"""Whole records, (inhabitant, label) and (inhabitant, type, id)."""


class SearchBounds:
    """Works out scopes; what inhabitants have shut is used again for a few seconds."""

    def __init__(self, permits: Permits, store: Store) -> None:
        self._permits = permits
        self._store = store
        self._kept: dict[Actor, tuple[datetime, int, Shut]] = {}

    async def of(self, actor: Actor, query: Query) -> Scope | None:
        """What a search looks into; None: everything."""
        if actor.kind == "system":
            return None
        now = clock.now()
        own = keys.patient_key(actor.patient[8:]) if actor.patient else keys.REFERENCE
        if actor.kind == "inhabitant":
            withheld = await self._of_own(actor, own, now, query)
            if vain := await self._named_in_vain(query, actor, now):
                withheld = replace(withheld or Withheld(), patients=vain)
            return Scope(actor.id, (), now, own, withheld=withheld)
        if not may_treat(actor):
            # Their unit's ties open nothing to them: they find what is about nobody.
            return Scope(actor.id, (), now, keys.REFERENCE)
        levels, addresses, areas = _levels(_unnamed(actor))
        if looks_at_addresses(query):
            # Nor is a child found by the address of a mother who is hidden.
            addresses = tuple(replace(level, of_family=True) for level in addresses)
        else:
            addresses = areas if await self._looks_at_areas(query, actor) else ()
        patients, labels, entries = await self._shut(actor, now)
        patients += await self._named_in_vain(query, actor, now)
        withheld = Withheld(
            tuple(_named(level, actor) for level in levels),
            tuple(_named(level, actor) for level in addresses),
            patients, labels, entries,
        )  # fmt: skip
        return Scope(actor.id, actor.grantees, now, withheld=withheld)

    async def _named_in_vain(self, query: Query, actor: Actor, now: datetime) -> tuple[int, ...]:
        """Those about whom a search names what is withheld: nothing of theirs is found."""
        asked = asked_for(
            _references(_parts(query.resource_type, (*query.conditions, *query.joins)))
        )
        if not asked:
            return ()
        places: dict[int, set[Entry]] = {}
        for entry, patient in (await self._store.places_of(asked)).items():
            places.setdefault(patient, set()).add(entry)
        known = await self._permits.known(actor, places, now)
        sights = {patient: each.sight for patient, each in known.items()}
        return tuple(sorted(await withheld_of(self._store, places, sights)))

    async def _looks_at_areas(self, query: Query, actor: Actor) -> bool:
        """Whether a search may find people by who serves the place where they live."""
        asked = list(_parts(query.resource_type, (*query.conditions, *query.joins)))
        if any(through in KINDS for _, _, through in asked):
            return True
        named = {text for text in _references(asked) if text.partition("/")[0] in KINDS}
        named.difference_update(actor.grantees)
        return bool(named and await telling(self._store, named, services=True))

    async def _of_own(self, actor: Actor, own: int, now: datetime, query: Query) -> Withheld | None:
        if own == keys.REFERENCE:
            return None
        facts, sight, _ = (await self._permits.known(actor, [own], now))[own]
        if not decide(actor, "read", facts).allowed:
            # Nor does a count tell of a record that is closed to a parent or a representative.
            return Withheld(patients=(own,))
        if sight.hides_of_family and looks_at_addresses(query):
            # Nor does a father find in the child's texts where a mother lives who is hidden.
            return Withheld(patients=(own,))
        labels = tuple(label_hash(label) for label in sorted(sight.labels))
        entries = tuple((own, *entry) for entry in sorted(sight.entries))
        return Withheld((Level(labels),) if labels else (), entries=entries)

    async def _shut(self, actor: Actor, now: datetime) -> Shut:
        kept = self._kept.get(actor)
        if kept is not None and now < kept[0] and kept[1] == self._permits.edition:
            return kept[2]
        edition = self._permits.edition
        patients: set[int] = set()
        labels: list[tuple[int, int]] = []
        entries: list[tuple[int, str, str]] = []
        found = await self._permits.blocked_for(actor, now)
        known = await self._permits.known(actor, found, now)
        for patient, blocks in found.items():
            facts = known[patient].facts
            if not decide(actor, "read", facts).allowed:
                patients.add(patient)
                continue
            sight = sight_of(actor, facts, tuple(blocks))
            blocked_labels = {block.label for block in blocks if block.label}
            hidden = {label_hash(label) for label in sight.labels}
            labels += [(patient, label) for label in sorted(blocked_labels & hidden)]
            entries += [(patient, *entry) for entry in sorted(sight.entries)]
        patients |= await self._permits.marked_at_a_distance(actor, now)
        shut = tuple(sorted(patients)), tuple(labels), tuple(entries)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[actor] = (now + HOLDS, edition, shut)
        return shut


def looks_at_addresses(query: Query) -> bool:
    """Whether a search may find, count or order people by where they live."""
    names = [*_asked(query.resource_type, (*query.conditions, *query.joins))]
    names += [(query.resource_type, sort.name) for sort in query.sort]
    return any(_tells(kind, name) for kind, name in names)


def _tells(kind: str, name: str) -> bool:
    if name.startswith(_TELLS):
        return True
    # What a parameter added here looks at is not known; of a place its name is enough.
    return name not in PARAMETERS[kind] or (kind == "Location" and name == "name")


def _asked(kind: str, filters: Iterable[Filter]) -> Iterable[tuple[str, str]]:
    return ((source, each.name) for source, each, _ in _parts(kind, filters))


def _references(parts: Iterable[tuple[str, Condition, str]]) -> Iterable[str]:
    """The references that a query asks for."""
    for _, each, _ in parts:
        for term in each.terms:
            if isinstance(term, ReferenceTerm):
                yield from term.texts


def _parts(
    kind: str, filters: Iterable[Filter], through: str = ""
) -> Iterable[tuple[str, Condition, str]]:
    """Every condition: of which type it is, and of which type what leads to it is, or is led to."""
    for each in filters:
        if isinstance(each, Condition):
            yield kind, each, through
        elif isinstance(each, AnyOf):
            yield from _parts(kind, each.conditions, through)
        elif isinstance(each, Formula):
            yield from _parts(kind, each.parts, through)
        elif isinstance(each, Chain):
            for target, inner in each.within:
                yield from _parts(target, [inner], target)
        elif isinstance(each, Has):
            # Asking of a unit who names it is as good as naming it.
            yield from _parts(each.source, [each.asked], kind)


def _unnamed(actor: Actor) -> Actor:
    return Actor(actor.kind, "", "", actor.profession, actor.role)


def _named(level: Level, actor: Actor) -> Level:
    """The level with the actor's own references for what it asks."""
    near = {
        "organisation": actor.grantees,
        "unit": (*actor.person, *actor.unit),
        "personal": actor.person,
    }
    if not level.grantees:
        return level
    asked = level.grantees[0]
    return replace(level, grantees=near[asked], rank=len(_NEARER) - _NEARER.index(asked))


@lru_cache(maxsize=2000)
def _levels(actor: Actor) -> tuple[tuple[Level, ...], tuple[Level, ...], tuple[Level, ...]]:
    """Labels by the tie that shows them; `grantees` names the nearness in place of references.

    Of entries, of addresses, and of those among them where the place is told nobody else.
    """
    entry = {
        label_hash(label): _shown(partial(_entry, actor, label)) for label in categories().labels()
    }
    address = {label_hash(label): _shown(partial(_address, actor, label)) for label in ADDRESSES}
    strictest = label_hash(STRICTEST)
    return _grouped(entry), _grouped(address), _grouped({strictest: address[strictest]})


Needed = tuple[str, bool, bool]
"""The least nearness ("" when none is enough), whether a stated tie and an emergency are enough."""


def _shown(shows: Callable[[Facts], bool]) -> Needed:
    related = Facts("inhabitant", related=True)
    least = next((near for near in _NEARER if shows(replace(related, closeness=near))), "")
    now = clock.now()
    return (
        least,
        shows(Facts("inhabitant", stated_until=now)),
        shows(Facts("inhabitant", emergency_until=now)),
    )


def _entry(actor: Actor, label: str, facts: Facts) -> bool:
    return rules_on_entry(actor, facts, "", frozenset({label})).shown


def _address(actor: Actor, label: str, facts: Facts) -> bool:
    return decide(actor, "read-address", replace(facts, labels=frozenset({label}))).allowed


def _grouped(needed: dict[int, Needed]) -> tuple[Level, ...]:
    found: dict[Needed, list[int]] = {}
    for label, each in needed.items():
        if each != ("organisation", True, True):
            found.setdefault(each, []).append(label)
    return tuple(
        Level(tuple(sorted(labels)), (near,) if near else (), stated, emergency)
        for (near, stated, emergency), labels in sorted(found.items())
    )
