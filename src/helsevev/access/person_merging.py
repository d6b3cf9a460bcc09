"""Two records of one person made one record, and two again; each in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Conflict, Unprocessable
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Decision, may_merge
from helsevev.access.writing import Writer, build_row
from helsevev.fhir import person_merging, references
from helsevev.fhir.outcome import error
from helsevev.fhir.person_merging import Note, Place
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.rows import Row, reference_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored, UniqueViolation, VersionMismatch, Write
from helsevev.record.wall import beyond

MOST: Final = 50_000
"""Most resources that are moved at once."""

NOT_ALLOWED: Final = "Records are merged by those who keep the register of persons."
_SQL: Final = load("people")
_CARDS: Final = load("cards")
_HASHES: Final = 20_000
"""Keys that one statement asks for."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge or its undoing came to: the Patient that stays, and how much moved, by type.

    `followed` is how many that are kept elsewhere refer to what moved, and follow it.
    """

    patient: dict[str, Any]
    moved: Mapping[str, int]
    followed: int = 0


class PersonMerger:
    """Merges and parts records, for those who may."""

    def __init__(self, gate: Gate, writer: Writer) -> None:
        self._gate = gate
        self._writer = writer
        self._store = gate.store.beyond

    async def merge(
        self, actor: Actor, source_id: str, target_id: str, *, preview: bool = False
    ) -> Merged:
        """Let the target have all that is kept with the source.

        What moves gets a new id; its old id and versions stay where they were, and the source's
        Patient says who replaced it. What others keep that refers to it (a group, a list, a
        relative's Patient) follows. With `preview` nothing is stored. Raises `Refused`,
        `NotFound`, `Gone`, `Unprocessable`, or `Conflict` when somebody wrote meanwhile.
        """
        with beyond():
            # The register's keeper treats neither, and each reading is decided and in the trail.
            return await self._merge(actor, source_id, target_id, preview=preview)

    async def _merge(
        self, actor: Actor, source_id: str, target_id: str, *, preview: bool
    ) -> Merged:
        source, target = await self._both(actor, source_id, target_id)
        before = source.resource
        known = person_merging.replaced_by(before)
        if known not in (None, target_id) or person_merging.replaced_by(target.resource):
            raise _impossible("One of them was replaced by another person's record already.")
        rows = await self._record_of(source.patient)
        merged = person_merging.replacing(target.resource, before) if known is None else None
        patient = merged or target.resource
        moved = Counter(stored.type for stored in rows)
        others = await self._referring(source, [source, *rows], target)
        if preview:
            return Merged(patient, moved, len(others))
        if known is not None and not rows and not others:
            await self._cards("follow_person", source, target)
            return Merged(patient, moved, len(others))
        now = clock.now()
        places = {
            (stored.type, stored.id): (stored.type, keys.new_id(stored.type, target.patient))
            for stored in rows
        }
        places["Patient", source_id] = ("Patient", target_id)
        note = person_merging.note(
            (_versioned(target), _versioned(source)),
            [("/".join(places[s.type, s.id]), _versioned(s)) for s in rows],
            [_versioned(stored) for stored in others],
            {"reference": actor.id, "display": actor.name},
            now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        note["id"] = keys.new_id("Provenance", target.patient)
        new = [_moved(stored, places, target.patient, now) for stored in rows]
        new += [_next(s, person_merging.redirect(s.resource, places), now) for s in others]
        new.append(build_row(note, 1, now, target.patient))
        if merged is not None:
            self._writer.check(merged)
            new.append(build_row(merged, target.version + 1, now, target.patient))
            left = person_merging.replaced(before, target_id)
            new.append(build_row(left, source.version + 1, now, source.patient))
        await self._write(actor, "merge", now, new, rows, source.patient)
        await self._cards("follow_person", source, target)
        return Merged(patient, moved, len(others))

    async def part(self, actor: Actor, source_id: str) -> Merged:
        """Undo every merge of this source into the one that replaced it.

        What has not been changed since is as it was before; what has keeps its changes. Raises
        what `merge` does; `Conflict` names what was written since and refers to what goes back.
        """
        with beyond():
            # The register's keeper treats neither, and each reading is decided and in the trail.
            return await self._part(actor, source_id)

    async def _part(self, actor: Actor, source_id: str) -> Merged:
        stored = await self._open(actor, source_id)
        target_id = person_merging.replaced_by(stored.resource)
        if target_id is None:
            raise _impossible(f"Patient/{source_id} was not replaced by another.")
        source, target = await self._both(actor, source_id, target_id)
        kept = {(s.type, s.id): s for s in await self._record_of(target.patient)}
        notes = {
            place: found
            for place, s in kept.items()
            if s.type == "Provenance"
            if (found := person_merging.read_note(s.resource, source_id))
        }
        if not notes:
            raise _impossible(f"Nothing says how Patient/{source_id} was merged.")
        pairs = {
            _place(new): old for note in notes.values() for new, old in note.moved
            if _place(new) in kept
        }  # fmt: skip
        await self._refuse_entangled(source, target, kept, pairs, notes)
        now = clock.now()
        back: dict[Place, Place] = {new: _place(old) for new, old in pairs.items()}
        back["Patient", target_id] = ("Patient", source_id)
        rows = [
            await self._put_back(kept[new], old, back, source.patient, now)
            for new, old in pairs.items()
        ]
        others = await self._others_back(notes.values(), back, now)
        # The first of several merges is the one before which the two were as they were.
        first = min(notes.values(), key=lambda note: _version(note.patients[1])).patients
        patients = await self._patients_apart(source, target, first)
        rows += [
            build_row(patients[0], source.version + 1, now, source.patient),
            build_row(patients[1], target.version + 1, now, target.patient),
            *others,
        ]
        gone = [kept[place] for place in (*pairs, *notes)]
        await self._write(actor, "unmerge", now, rows, gone, target.patient)
        await self._cards("leave_person", source, target)
        return Merged(patients[0], Counter(kind for kind, _ in pairs), len(others))

    async def _patients_apart(
        self, source: Stored, target: Stored, before: tuple[str, str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        target_before, source_before = [await self._at(reference) for reference in before]
        if source.version == source_before.version + 1:
            mine = source_before.resource
        else:
            mine = person_merging.restored(source.resource, source_before.resource, target.id)
        if target.version == target_before.version + 1:
            return mine, target_before.resource
        parted = person_merging.parted(target.resource, target_before.resource, mine)
        return mine, parted

    async def _put_back(
        self, stored: Stored, old: str, back: Mapping[Place, Place], patient: int, now: datetime
    ) -> Row:
        resource_id = _place(old)[1]
        if stored.version == 1:
            resource = (await self._at(old)).resource
        else:
            resource = person_merging.redirect(stored.resource, back)
        # Its newest version is its deletion, one after the version that was moved.
        return build_row({**resource, "id": resource_id}, _version(old) + 2, now, patient)

    async def _others_back(
        self, notes: Iterable[Note], back: Mapping[Place, Place], now: datetime
    ) -> list[Row]:
        """What is kept elsewhere, and followed, as it refers once the records are parted."""
        first: dict[Place, str] = {}
        for versioned in sorted((old for note in notes for old in note.followed), key=_version):
            first.setdefault(_place(versioned), versioned)
        rows: list[Row] = []
        for (kind, resource_id), versioned in first.items():
            stored = await self._store.read(kind, resource_id)
            # What went back with the rest, or is gone, has nothing to follow.
            if stored is None or stored.deleted or (kind, resource_id) in back:
                continue
            before = (await self._at(versioned)).resource
            if stored.version != _version(versioned) + 1:
                before = person_merging.led_back(stored.resource, before, back)
            rows.append(_next(stored, before, now))
        return rows

    async def _referring(
        self, source: Stored, moved: Sequence[Stored], target: Stored
    ) -> list[Stored]:
        """What is kept elsewhere than with the source and refers to it, or to what it has."""
        hashes = [
            reference_hash(name, stored.reference)
            for stored in moved
            for name in _parameters_to(stored.type)
        ]
        found: dict[Place, Stored] = {}
        for begin in range(0, len(hashes), _HASHES):
            part = hashes[begin : begin + _HASHES]
            arguments = source.patient, part, MOST + 1
            for row in await self._store.roles.whole.fetch(_SQL["referring_elsewhere"], *arguments):
                stored = Stored(*row)
                found[stored.type, stored.id] = stored
            if len(found) > MOST:
                raise _impossible(f"More than {MOST} resources elsewhere refer to what would move.")
        # The target says by itself whom it replaces, and notes tell of what was.
        found.pop(("Patient", target.id), None)
        return [
            stored for stored in found.values() if stored.type not in ("Provenance", "AuditEvent")
        ]

    async def _at(self, versioned: str) -> Stored:
        kind, resource_id = _place(versioned)
        stored = await self._store.read_version(kind, resource_id, _version(versioned))
        if stored is None:
            raise _impossible(f"{versioned} is not in the record.")
        return stored

    async def _refuse_entangled(
        self,
        source: Stored,
        target: Stored,
        kept: Mapping[Place, Stored],
        pairs: Mapping[Place, str],
        notes: Mapping[Place, Note],
    ) -> None:
        known = {_place(old) for note in notes.values() for old in note.followed}
        moved = [kept[place] for place in pairs]
        since = [s for place, s in kept.items() if place not in pairs and place not in notes]
        since += await self._referring(target, moved, source)
        named = [
            s.reference
            for s in since
            if (s.type, s.id) not in known and person_merging.names_any(s.resource, pairs)
        ]
        if named:
            text = "Written since the merge, these refer to what would go back: "
            raise Conflict(text + ", ".join(named[:20]), None)

    async def _both(self, actor: Actor, source_id: str, target_id: str) -> tuple[Stored, Stored]:
        if source_id == target_id:
            raise _impossible("A record is not merged with itself.")
        return await self._open(actor, source_id), await self._open(actor, target_id)

    async def _open(self, actor: Actor, patient_id: str) -> Stored:
        if not may_merge(actor):
            refusal = Decision(False, "none", NOT_ALLOWED)
            patient = keys.patient_key(patient_id)
            await self._gate.refuse(actor, patient, refusal, "merge", patient_id, action="write")
        # Who keeps the register need not treat those who are in it.
        return await self._gate.open_resource(replace(actor, kind="system"), "Patient", patient_id)

    async def _cards(self, what: str, source: Stored, target: Stored) -> None:
        """Let the log of decision support's cards follow the records, or leave them again.

        What is answered once is not asked again of the same person. Repeating a merge mends it.
        """
        await self._store.roles.whole.execute(_CARDS[what], source.patient, target.patient)

    async def _record_of(self, patient: int) -> list[Stored]:
        rows = await self._store.roles.whole.fetch(_SQL["record_of"], patient, MOST + 1)
        if len(rows) > MOST:
            raise _impossible(f"More than {MOST} resources are not moved at once.")
        return [Stored(*row) for row in rows]

    async def _write(
        self,
        actor: Actor,
        interaction: str,
        now: datetime,
        rows: Sequence[Row],
        gone: Sequence[Stored],
        left: int,
    ) -> None:
        write = Write(
            keys.next_key(), now, author_of(actor, interaction, basis="register"), rows, None, gone
        )
        try:
            await self._store.write(write)
        except (VersionMismatch, UniqueViolation):
            raise Conflict("Someone wrote at the same moment; nothing was moved.", None) from None
        for patient in {left, *(row.patient for row in rows)}:
            self._gate.permits.forget(patient)
        self._writer.tell(rows)


def _moved(stored: Stored, places: Mapping[Place, Place], patient: int, now: datetime) -> Row:
    resource = person_merging.redirect(stored.resource, places)
    resource["id"] = places[stored.type, stored.id][1]
    return build_row(resource, 1, now, patient)


def _next(stored: Stored, resource: dict[str, Any], now: datetime) -> Row:
    return build_row(resource, stored.version + 1, now, stored.patient)


@cache
def _parameters_to(resource_type: str) -> tuple[str, ...]:
    """The names of parameters by which something may refer to a resource of the type."""
    found = {
        parameter.name
        for parameters in PARAMETERS.values()
        for parameter in parameters.values()
        if parameter.kind == "reference" and resource_type in parameter.targets
    }
    return tuple(sorted(found))


def _versioned(stored: Stored) -> str:
    return f"{stored.reference}/_history/{stored.version}"


def _place(reference: str) -> Place:
    place = references.relative(reference)
    if place is None:
        raise _impossible(f"{reference[:100]} is no reference.")
    return place


def _version(versioned: str) -> int:
    return int(versioned.rpartition("/")[2])


def _impossible(text: str) -> Unprocessable:
    return Unprocessable([error("business-rule", text)])
