"""What of an open record an actor sees: which labels and entries are withheld, and the address.

Worked out from the same facts as the decision about the record, by the rules about entries. A label
withholds by itself, whatever else an entry is labelled with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import msgspec

from helsevev.access.actor import Actor
from helsevev.access.policy import Facts, decide, rules_on_entry
from helsevev.content.loading import categories
from helsevev.record.rows import label_hash

EVERYONE: Final = "*"
ADDRESSES: Final = frozenset(
    mark.key for mark in categories().mark if mark.key.startswith("address:")
)
"""Marks of protected addresses."""

STRICTEST: Final = "address:strictly-confidential"

_NOTHING: Final[frozenset[str]] = frozenset()
Entry = tuple[str, str]
"""A resource's type and id."""


@dataclass(frozen=True, slots=True)
class Block:
    """A row of what an inhabitant has blocked: for whom, which category (hash), which entry."""

    grantee: str
    label: int
    entry_type: str
    entry_id: str
    exempt: bool

    @property
    def aimed_at(self) -> str:
        """Whom it is aimed at: person, unit or everyone."""
        if self.grantee == EVERYONE:
            return "everyone"
        return "person" if self.grantee.startswith("Practitioner/") else "unit"

    @property
    def is_whole(self) -> bool:
        """Whether it is for the whole record."""
        return not self.label and not self.entry_type


@dataclass(frozen=True, slots=True)
class Sight:
    """What is withheld: entries with one of `labels`, the `entries` themselves, the address.

    `told` are those of the labels, `told_entries` those of the entries, that the actor may know to
    be withheld. `addresses` are the grades of protection of other persons in the record whose
    addresses stay hidden; `hides_address` says the same of the inhabitant's own, `hides_area` that
    even the place is told nobody but those of `near`, the actor's own units. `hides_of_family` are
    those of `addresses` that somebody close to the inhabitant has, which no text may tell either;
    `hides_files` says that files which cannot be searched for an address stay here.
    """

    labels: frozenset[str] = _NOTHING
    told: frozenset[str] = _NOTHING
    entries: frozenset[Entry] = frozenset()
    told_entries: frozenset[Entry] = frozenset()
    addresses: frozenset[str] = _NOTHING
    hides_address: bool = False
    hides_area: bool = False
    near: frozenset[str] = _NOTHING
    hides_of_family: frozenset[str] = _NOTHING
    hides_files: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing can be withheld."""
        return not (self.labels or self.entries or self.addresses or self.hides_address)


WHOLE: Final = Sight()


def blocks_of(json: str | None) -> tuple[Block, ...]:
    """The blocks that statement `ties` tells of as JSON."""
    if json is None:
        return ()
    return tuple(Block(*row) for row in msgspec.json.decode(json))


def blocked(found: Iterable[Block]) -> frozenset[str]:
    """Whom blocks that meet an actor are aimed at; one who is spared meets those by name alone."""
    every = list(found)
    spared = any(block.exempt for block in every)
    aimed = {block.aimed_at for block in every if not block.exempt}
    return frozenset(aimed & {"person"} if spared else aimed)


def sight_of(
    actor: Actor,
    facts: Facts,
    blocks: tuple[Block, ...],
    of_family: frozenset[str] = _NOTHING,
) -> Sight:
    """What the actor sees of a record that is open to them.

    `of_family` are the labels of the related persons in it.
    """
    if actor.kind == "system" or facts.subject == "unassigned":
        return WHOLE
    sight = _by_labels(actor, facts)
    if family := of_family & sight.addresses:
        # One's own letters are one's own to read, even where a relative must stay hidden.
        files = sight.hides_files or not facts.own
        sight = replace(sight, hides_of_family=family, hides_files=files)
    if not blocks:
        return sight
    exempt = [block for block in blocks if block.exempt]
    labels: dict[int, list[Block]] = {}
    entries: dict[Entry, list[Block]] = {}
    for block in blocks:
        if block.label:
            labels.setdefault(block.label, []).append(block)
        elif block.entry_type:
            entries.setdefault((block.entry_type, block.entry_id), []).append(block)
    hidden, told = set(sight.labels), set(sight.told)
    for number, found in labels.items():
        key = _labels_by_hash()[number]
        ruling = rules_on_entry(
            actor, facts, "", frozenset({key}), blocked=blocked([*found, *exempt])
        )
        if not ruling.shown:
            hidden.add(key)
            told = told | {key} if ruling.told else told - {key}
    closed, known = set(), set()
    for entry, found in entries.items():
        ruling = rules_on_entry(
            actor, facts, entry[0], _NOTHING, blocked=blocked([*found, *exempt])
        )
        if not ruling.shown:
            closed.add(entry)
            known |= {entry} if ruling.told else set()
    return replace(
        sight, labels=frozenset(hidden), told=frozenset(told), entries=frozenset(closed),
        told_entries=frozenset(known),
    )  # fmt: skip


def _by_labels(actor: Actor, facts: Facts) -> Sight:
    hidden, told = set(), set()
    if facts.subject == "inhabitant":
        for key in _entry_labels():
            ruling = rules_on_entry(actor, facts, "", frozenset({key}))
            if not ruling.shown:
                hidden.add(key)
                told |= {key} if ruling.told else set()
    # Another person's address in one's record is not one's own.
    of_others = replace(facts, own=False, represents="")
    addresses = frozenset(
        mark
        for mark in ADDRESSES
        if not decide(
            actor, "read-address", replace(of_others, labels=facts.labels | {mark})
        ).allowed
    )
    own = facts.labels & ADDRESSES
    hides = bool(own) and not decide(actor, "read-address", facts).allowed
    return Sight(
        frozenset(hidden), frozenset(told), addresses=addresses, hides_address=hides,
        hides_area=hides and STRICTEST in own,
        near=frozenset(actor.grantees) if hides else _NOTHING, hides_files=hides,
    )  # fmt: skip


@cache
def _entry_labels() -> tuple[str, ...]:
    known = categories()
    marks = [mark.key for mark in known.mark if mark.on == "entry"]
    return (*(category.key for category in known.category), *marks)


@cache
def _labels_by_hash() -> Mapping[int, str]:
    return {label_hash(key): key for key in categories().labels()}
