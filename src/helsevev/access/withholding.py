"""The one filter: entries that the rules withhold are left out, hidden addresses are taken out.

Whatever hands a resource over, by reading, searching, history, export or notification, passes its
rows through here. An entry is judged by what stands in the version handed over, and an older or
deleted version also by what stands in it now or stood in it last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from helsevev.access.address_mask import NOTHING, Secrets, masked, secrets_of
from helsevev.access.naming_withheld import Withheld, named_among, withheld_of, without
from helsevev.access.sight import ADDRESSES, STRICTEST, WHOLE, Sight
from helsevev.access.telling_places import told_by
from helsevev.fhir.serialization import encode
from helsevev.record import keys
from helsevev.record.labels import NONE, labels_of, may_be_labelled
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored
from helsevev.record.wall import beyond

_SQL: Final = load("withholding")
_PERSONAL: Final = frozenset({"Location", "Person", "Practitioner"})
"""Reference data that may carry somebody's address."""


@dataclass(frozen=True, slots=True)
class Shown(Stored):
    """A version unpacked to be judged, so that nobody has to unpack it again."""

    shown: bytes

    @classmethod
    def of(cls, stored: Stored, json: bytes) -> Self:
        """The version with this JSON."""
        place = (stored.patient, stored.type, stored.id, stored.version, stored.last_updated)
        return cls(*place, stored.deleted, stored.packed, json)

    @property
    def json(self) -> bytes:
        """The resource's JSON as the reader sees it."""
        return self.shown


@dataclass(frozen=True, slots=True)
class Masked(Shown):
    """A version without the address that the reader may not see."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry as somebody sees it: `stored` None when it is withheld, and whether that is told."""

    stored: Stored | None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Besides:
    """What an inhabitant's entries are judged by besides what stands in them.

    `secrets` is what tells of a hidden address in any text, `away` which references tell of it,
    `withheld` what the entries name that is withheld itself.
    """

    secrets: Secrets = NOTHING
    away: frozenset[str] = frozenset()
    withheld: Withheld = field(default_factory=dict)


ALONE: Final = Besides()


def judge(stored: Stored, sight: Sight, besides: Besides = ALONE) -> Judged:
    """One version, by its own content. A deletion has none, and passes."""
    if (stored.type, stored.id) in sight.entries:
        return Judged(None, (stored.type, stored.id) in sight.told_entries)
    if stored.deleted or sight.is_whole:
        return Judged(stored)
    if stored.patient == keys.REFERENCE and stored.type not in _PERSONAL:
        return Judged(stored)
    seen = stored if isinstance(stored, Shown) else Shown.of(stored, stored.json)
    labels = NONE
    if may_be_labelled(seen.shown):
        labels = labels_of(seen.resource)
        if hidden := labels & sight.labels:
            return Judged(None, hidden <= sight.told)
    if besides.withheld:
        resource = seen.resource
        left = without(resource, besides.withheld)
        if left is None:
            return Judged(None)
        if left is not resource:
            seen = Masked.of(stored, encode(left))
    of_other = _of_other(stored, labels, sight)
    if sight.hides_address or of_other or sight.hides_of_family:
        mine = not (sight.hides_address or of_other)
        hidden_address = masked(
            seen.resource, besides.secrets, besides.away, texts_alone=mine,
            files=sight.hides_files or of_other,
        )  # fmt: skip
        if hidden_address is not None:
            seen = Masked.of(stored, hidden_address)
    return Judged(seen)


def _of_other(stored: Stored, labels: frozenset[str], sight: Sight) -> bool:
    """Whether it carries a protected address of somebody besides the inhabitant."""
    return stored.type != "Patient" and not sight.addresses.isdisjoint(labels & ADDRESSES)


async def sift(
    store: Store, rows: Sequence[Stored], sights: Mapping[int, Sight]
) -> tuple[list[Stored], bool]:
    """What of `rows` is shown, and whether something is withheld that the reader may know of."""
    if all(sights.get(stored.patient, WHOLE).is_whole for stored in rows):
        return list(rows), False
    besides = await besides_of(store, rows, sights)
    seen: list[Stored] = []
    told = False
    for stored in rows:
        found = judge(stored, sights.get(stored.patient, WHOLE), besides.get(stored.patient, ALONE))
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


async def besides_of(
    store: Store, rows: Sequence[Stored], sights: Mapping[int, Sight]
) -> dict[int, Besides]:
    """What rows are judged by besides what stands in them, by inhabitant."""
    found: dict[int, Besides] = {}
    if named := named_among(rows, sights):
        withheld = await withheld_of(store, named, sights)
        found = {patient: Besides(withheld=texts) for patient, texts in withheld.items()}
    hiding = {s.patient for s in rows if _hides(sights.get(s.patient, WHOLE))}
    if not hiding:
        return found
    secrets = await _secrets(store, hiding, sights)
    for patient in hiding:
        sight = sights[patient]
        own = [stored for stored in rows if stored.patient == patient and not stored.deleted]
        away = await told_by(store, own, services=sight.hides_area) - sight.near
        known = found.get(patient, ALONE)
        found[patient] = Besides(secrets[patient], away, known.withheld)
    return found


def _hides(sight: Sight) -> bool:
    """Whether texts have to be searched for an address."""
    return sight.hides_address or bool(sight.hides_of_family)


async def without_address(store: Store, person: Stored, text: str) -> str:
    """A text about somebody (the Patient) with gaps where it tells of an address that is protected.

    For what is kept beside the record, such as why it was opened: many may read it.
    """
    with beyond():
        # The writer is mostly not tied to them yet.
        own = labels_of(person.resource) & ADDRESSES
        if not own:
            return text
        sight = Sight(hides_address=True, hides_area=STRICTEST in own)
        found = await _secrets(store, [person.patient], {person.patient: sight})
    return found[person.patient].out_of(text)


async def _secrets(
    store: Store, patients: Iterable[int], sights: Mapping[int, Sight]
) -> dict[int, Secrets]:
    """What must not stand in any text about some inhabitants whose address is hidden."""
    found: dict[int, list[dict[str, Any]]] = {patient: [] for patient in patients}
    for row in await store.shown.fetch(_SQL["persons_ever"], sorted(found)):
        found[row["patient"]].append(Stored(*row).resource)
    return {patient: _told_of(persons, sights[patient]) for patient, persons in found.items()}


def _told_of(persons: Sequence[dict[str, Any]], sight: Sight) -> Secrets:
    """What tells where those live whose address is hidden, the inhabitant or somebody close."""
    if sight.hides_address:
        return secrets_of(persons, strictly=sight.hides_area)
    grades = [(each["id"], labels_of(each) & sight.hides_of_family) for each in persons]
    hidden = {name for name, grade in grades if grade}
    strictly = any(STRICTEST in grade for _, grade in grades)
    close = [e for e in persons if e["resourceType"] == "RelatedPerson" and e["id"] in hidden]
    return secrets_of(close, strictly=strictly)
