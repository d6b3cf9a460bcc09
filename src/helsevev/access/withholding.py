"""The one filter: entries that the rules withhold are left out, hidden addresses are taken out.

Whatever hands a resource over, by reading, searching, history, export or notification, passes its
rows through here. An entry is judged by what stands in the version handed over, and an older or
deleted version also by what stands in it now or stood in it last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.address_mask import Secrets, masked, secrets_of
from helsevev.access.sight import ADDRESSES, WHOLE, Sight
from helsevev.record import keys
from helsevev.record.labels import NONE, labels_of, may_be_labelled
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

_PEOPLE: Final = load("people")
_PERSONAL: Final = frozenset({"Location", "Person", "Practitioner"})
"""Reference data that may carry somebody's address."""


@dataclass(frozen=True, slots=True)
class Masked(Stored):
    """A version without the address that the reader may not see."""

    shown: bytes

    @property
    def json(self) -> bytes:
        """The resource's JSON without the address."""
        return self.shown


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry as somebody sees it: `stored` None when it is withheld, and whether that is told."""

    stored: Stored | None
    told: bool = False


def judge(stored: Stored, sight: Sight, secrets: Secrets = ()) -> Judged:
    """One version, by its own content. A deletion has none, and passes."""
    if (stored.type, stored.id) in sight.entries:
        return Judged(None, (stored.type, stored.id) in sight.told_entries)
    if stored.deleted or sight.is_whole:
        return Judged(stored)
    if stored.patient == keys.REFERENCE and stored.type not in _PERSONAL:
        return Judged(stored)
    json = stored.json
    labels = NONE
    if may_be_labelled(json):
        labels = labels_of(stored.resource)
        if hidden := labels & sight.labels:
            return Judged(None, hidden <= sight.told)
    if sight.hides_address or _of_other(stored, labels, sight):
        without = masked(stored.resource, secrets)
        if without is not None:
            place = (stored.patient, stored.type, stored.id, stored.version, stored.last_updated)
            return Judged(Masked(*place, False, stored.packed, without))
    return Judged(stored)


def _of_other(stored: Stored, labels: frozenset[str], sight: Sight) -> bool:
    """Whether it carries a protected address of somebody besides the inhabitant."""
    return stored.type != "Patient" and not sight.addresses.isdisjoint(labels & ADDRESSES)


async def sift(
    store: Store, rows: Sequence[Stored], sights: Mapping[int, Sight]
) -> tuple[list[Stored], bool]:
    """What of `rows` is shown, and whether something is withheld that the reader may know of."""
    if all(sights.get(stored.patient, WHOLE).is_whole for stored in rows):
        return list(rows), False
    secrets = await _secrets(store, rows, sights)
    seen: list[Stored] = []
    told = False
    for stored in rows:
        found = judge(stored, sights.get(stored.patient, WHOLE), secrets.get(stored.patient, ()))
        told = told or found.told
        if found.stored is not None:
            seen.append(found.stored)
    return seen, told


async def sift_versions(
    store: Store, rows: Sequence[Stored], sights: Mapping[int, Sight]
) -> list[Stored]:
    """The same for versions that may be old: what is withheld now was never there."""
    seen, _ = await sift(store, rows, sights)
    partly = [s for s in seen if not sights.get(s.patient, WHOLE).is_whole]
    if not partly:
        return seen
    newest = await store.read_many({(s.type, s.id) for s in partly})
    gone = {(s.type, s.id) for s in partly} - newest.keys()
    for kind, name in gone:
        if (last := await _last_content(store, kind, name)) is not None:
            newest[kind, name] = last
    hidden = {
        place
        for place, stored in newest.items()
        if judge(stored, sights.get(stored.patient, WHOLE)).stored is None
    }
    return [stored for stored in seen if (stored.type, stored.id) not in hidden]


async def _last_content(store: Store, resource_type: str, resource_id: str) -> Stored | None:
    """The version before a deletion; None when there is none."""
    newest = await store.read(resource_type, resource_id)
    if newest is None or not newest.deleted:
        return newest
    return await store.read_version(resource_type, resource_id, newest.version - 1)


async def _secrets(
    store: Store, rows: Sequence[Stored], sights: Mapping[int, Sight]
) -> dict[int, Secrets]:
    """What must not stand in any text about those whose address is hidden."""
    hidden = {s.patient for s in rows if sights.get(s.patient, WHOLE).hides_address}
    if not hidden:
        return {}
    found: dict[int, list[dict[str, Any]]] = {}
    for row in await store.shown.fetch(_PEOPLE["persons_of"], sorted(hidden)):
        found.setdefault(row["patient"], []).append(Stored(*row).resource)
    return {patient: secrets_of(persons) for patient, persons in found.items()}
