"""The gate: every opening of the record is decided here, and traced before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NoReturn

from helsevev.access import app_bounds, touch
from helsevev.access.actor import Actor
from helsevev.access.audit_trail import AuditTrail
from helsevev.access.errors import Gone, Invalid, NotFound, Refused
from helsevev.access.permit import Grounds, Permit, Permits
from helsevev.access.policy import Decision
from helsevev.access.representing import representations
from helsevev.access.scopes import Letter
from helsevev.access.slices import Slice, seen_of
from helsevev.access.withholding import Masked, sift, sift_versions, without_address
from helsevev.fhir.outcome import Issue
from helsevev.kit import clock
from helsevev.kit.caller import CALLER
from helsevev.record import keys
from helsevev.record.audit import Author, Origin, audit_row, origin, told
from helsevev.record.rows import label_hash
from helsevev.record.slices import read_slices
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored
from helsevev.record.wall import asking

REFUSED_PARTLY: Final = "You cannot change an entry of which something is withheld from you."
REFUSED_REPRESENTATION: Final = "Who acts for somebody is kept by the register of persons."
_ACCESS: Final = load("access")
REASON_LENGTH: Final = 10
"""Fewest characters of a stated reason for opening a record in an emergency."""


class Gate:
    """Opens the record to those whom the policy lets in. Every method decides, and audits."""

    def __init__(self, store: Store) -> None:
        self.store, self.permits = store, Permits(store.database)
        self.trail = AuditTrail(store.database)

    async def open_chart(
        self, actor: Actor, patient_id: str, *, interaction: str = "open"
    ) -> Permit:
        """A permit to read this inhabitant's record, audited as an opening.

        Raises `Refused` (audited too) when no rule lets the actor in.
        """
        permit = await self._permit(actor, patient_id, interaction)
        await self._trace(permit, interaction, f"Patient/{patient_id}")
        return permit

    async def open_chart_at(
        self, actor: Actor, patient_id: str, slices: Iterable[Slice], *,
        interaction: str = "open", reading: str = "",
    ) -> tuple[Permit, dict[str, list[dict[str, Any]]]]:  # fmt: skip
        """`open_chart` and `open_slices` in one wait: the trail holds both before it is seen."""
        permit = await self._permit(actor, patient_id, interaction)
        opened = self._trace(permit, interaction, f"Patient/{patient_id}")
        read = self.open_slices(permit, slices, interaction=reading or interaction)
        return permit, (await asyncio.gather(read, opened))[0]

    async def _permit(self, actor: Actor, patient_id: str, interaction: str) -> Permit:
        patient = keys.patient_key(patient_id)
        verdict = await self.permits.verdict(actor, patient)
        if not verdict.decision.allowed:
            await self.refuse(actor, patient, verdict.decision, interaction, patient_id)
        return Permit(
            actor, patient, patient_id, verdict.decision.basis, verdict.purpose, verdict.until,
            verdict.why, verdict.sight,
        )  # fmt: skip

    async def break_glass(self, actor: Actor, patient_id: str, ground: str, reason: str) -> Permit:
        """Open a record without a treatment relation, by a coded ground and a reason in words.

        Lasts four hours. Raises `Invalid` when the reason says too little, `NotFound`, or
        `Refused` for those who do not document health care.
        """
        patient = keys.patient_key(patient_id)
        if len(reason.strip()) < REASON_LENGTH:
            text = f"State the reason in at least {REASON_LENGTH} characters."
            raise Invalid([Issue("error", "required", text, "reason")])
        # An open record may hold what only an emergency shows.
        if not (await self.permits.verdict(actor, patient, "break-glass")).decision.allowed:
            # Whom a rule lets in needs no emergency; anyone else is refused here.
            return await self.open_chart(actor, patient_id, interaction="break-glass")
        stored = await self.store.beyond.read("Patient", patient_id)
        if stored is None or stored.deleted:
            raise NotFound(f"Patient/{patient_id}")
        # Why somebody came in is for many to read: not where they found whom they came for.
        reason = await without_address(self.store.beyond, stored, reason.strip())
        words = f"{ground}: {reason}"
        author = author_of(actor, "break-glass", "BTG", words, "emergency")
        await self.trail.keep(
            audit_row(patient, 0, clock.now(), author, stored.reference, action="emergency")
        )
        await self.permits.state_emergency(actor, patient, ground, reason)
        return await self.open_chart(actor, patient_id)

    async def may_state_relation(self, actor: Actor, patient_id: str) -> bool:
        """Whether the actor's word that they treat this person would open the record."""
        return (await self.why_closed(actor, patient_id)).may_state_relation

    async def why_closed(self, actor: Actor, patient_id: str) -> Decision:
        """What is decided about reading a record now, and why; opens nothing."""
        return (await self.permits.verdict(actor, keys.patient_key(patient_id))).decision

    async def withholds(self, permit: Permit) -> bool:
        """Whether something is withheld in an open record that the reader may know of."""
        labels = [label_hash(label) for label in sorted(permit.sight.told)]
        if not labels:
            return bool(permit.sight.told_entries)
        held = await self.store.shown.fetchval(_ACCESS["holds_any"], permit.patient, labels)
        return bool(held or permit.sight.told_entries)

    async def state_relation(
        self, actor: Actor, patient_id: str, ground: str, reason: str
    ) -> Permit:
        """Open a record by saying that one treats this person now, for some hours.

        Raises `Invalid` when the reason says too little, `NotFound`, or `Refused` for those whose
        word is not enough.
        """
        patient = keys.patient_key(patient_id)
        if len(reason.strip()) < REASON_LENGTH:
            text = f"State the reason in at least {REASON_LENGTH} characters."
            raise Invalid([Issue("error", "required", text, "reason")])
        verdict = await self.permits.verdict(actor, patient)
        if not verdict.decision.may_state_relation:
            # Whom a rule lets in need not say so; anyone else is refused here.
            return await self.open_chart(actor, patient_id, interaction="state-relation")
        stored = await self.store.beyond.read("Patient", patient_id)
        if stored is None or stored.deleted:
            raise NotFound(f"Patient/{patient_id}")
        reason = await without_address(self.store.beyond, stored, reason.strip())
        author = author_of(actor, "state-relation", "TREAT", f"{ground}: {reason}", "stated")
        await self.trail.keep(
            audit_row(patient, 0, clock.now(), author, stored.reference, action="relation")
        )
        await self.permits.state_relation(actor, patient, ground, reason)
        return await self.open_chart(actor, patient_id)

    async def open_slices(
        self, permit: Permit, slices: Iterable[Slice], *, interaction: str = "read"
    ) -> dict[str, list[dict[str, Any]]]:
        """An inhabitant's newest resources of some types, decoded, newest first; one statement.

        Raises `Refused` when the permit has run out and no rule lets the actor in any longer.
        """
        await self.require(permit, interaction)
        wanted = list(slices)
        found, _ = await asyncio.gather(
            read_slices(self.store.shown, permit.patient, wanted),
            self._trace(permit, interaction, " ".join(piece.type for piece in wanted)),
        )
        return await seen_of(self.store, found, permit.patient, permit.sight)

    async def open_resource(self, actor: Actor, resource_type: str, resource_id: str) -> Stored:
        """The current version. Raises `NotFound`, `Gone` or `Refused`."""
        place = resource_type, resource_id
        await self.reach(actor, [place])
        if (stored := await self.store.read(*place)) is None:
            await self.tell_closed(actor, *place, "read")
            raise NotFound("/".join(place))
        return await self._one(actor, stored, "read", stored.reference)

    async def open_version(
        self, actor: Actor, resource_type: str, resource_id: str, version: int
    ) -> Stored:
        """One version. Raises `NotFound`, `Gone` (that version is the deletion) or `Refused`."""
        await self.reach(actor, [(resource_type, resource_id)])
        stored = await self.store.read_version(resource_type, resource_id, version)
        text = f"{resource_type}/{resource_id}/_history/{version}"
        if stored is not None:
            return await self._one(actor, stored, "vread", text)
        await self.tell_closed(actor, resource_type, resource_id, "vread")
        raise NotFound(text)

    async def _one(self, actor: Actor, stored: Stored, interaction: str, text: str) -> Stored:
        seen = await self.allow_read(actor, [stored], interaction)
        if not seen:
            # What is withheld is not there.
            raise NotFound(text)
        if stored.deleted:
            raise Gone(stored)
        return seen[0]

    async def open_many(
        self, actor: Actor, wanted: Iterable[tuple[str, str]], *, interaction: str = "read"
    ) -> dict[tuple[str, str], dict[str, Any]]:
        """Those of the resources that exist and the actor may see; the others are left out."""
        wanted = list(wanted)
        await self.reach(actor, wanted)
        found = await self.store.read_many(wanted)
        seen = await self.visible(actor, list(found.values()), interaction)
        return {(stored.type, stored.id): stored.resource for stored in seen}

    async def reach(self, actor: Actor, wanted: Iterable[tuple[str, str]]) -> None:
        """Have the ties looked up that let the wall show these (type, id) to who asks now."""
        if asking() is not None:
            places = await self.store.places_of(wanted)
            await self.permits.known(actor, places.values(), clock.now())

    async def tell_closed(
        self, actor: Actor, resource_type: str, resource_id: str, interaction: str
    ) -> None:
        """Raise `Refused`, audited, where something is there that the wall hides."""
        if asking() is None:
            return
        if (there := await self.store.beyond.read(resource_type, resource_id)) is None:
            return
        closed = (await self.permits.verdict(actor, there.patient)).decision
        if not closed.allowed:
            named = resource_id if resource_type == "Patient" else None
            await self.refuse(actor, there.patient, closed, interaction, named)

    async def allow_read(
        self, actor: Actor, rows: Sequence[Stored], interaction: str, target: str = ""
    ) -> list[Stored]:
        """Decide and audit the reading of `rows`; returns what of them is shown, as it is shown.

        Raises `Refused` at the first record that is refused.
        """
        touched: dict[int, list[Stored]] = {}
        for stored in rows:
            if not app_bounds.shows(actor, stored, interaction):
                await self.refuse(actor, stored.patient, app_bounds.outside(), interaction)
            touched.setdefault(stored.patient, []).append(stored)
        now = clock.now()
        verdicts = await self.permits.verdicts(actor, touched)
        for patient, verdict in verdicts.items():
            if not verdict.decision.allowed:
                first = touched[patient][0]
                patient_id = first.id if first.type == "Patient" else None
                await self.refuse(actor, patient, verdict.decision, interaction, patient_id)
        seen = await sift_versions(
            self.store, rows, {patient: each.sight for patient, each in verdicts.items()}
        )
        if len(seen) < len(rows):
            touched = {patient: [] for patient in touched}
            for stored in seen:
                touched[stored.patient].append(stored)
        audits = []
        for patient, read in touched.items():
            verdict = verdicts[patient]
            author = author_of(actor, interaction, verdict.purpose, basis=verdict.why)
            audits.append(audit_row(patient, 0, now, author, told(read, target), action="read"))
        await self.trail.keep(*audits)
        return seen

    async def as_seen(self, actor: Actor, rows: Sequence[Stored]) -> list[Stored]:
        """What of `rows`, whose records are open and traced, is shown, as it is shown."""
        verdicts = await self.permits.verdicts(actor, (stored.patient for stored in rows))
        sights = {patient: each.sight for patient, each in verdicts.items()}
        return await sift_versions(self.store, rows, sights)

    async def must_see_whole(self, actor: Actor, current: Stored) -> None:
        """That nothing of what is to be changed is withheld. Raises `Refused`, audited."""
        verdict = await self.permits.verdict(actor, current.patient)
        if verdict.sight.is_whole or current.deleted:
            return
        seen, _ = await sift(self.store, [current], {current.patient: verdict.sight})
        if not seen or isinstance(seen[0], Masked):
            closed = Decision(False, "none", REFUSED_PARTLY)
            await self.refuse(actor, current.patient, closed, "write", action="write")

    async def visible(
        self, actor: Actor, rows: Sequence[Stored], interaction: str, target: str = ""
    ) -> list[Stored]:
        """Those of `rows` that the actor may see, audited; what is left out is no refusal."""
        rows = app_bounds.shown(actor, rows, interaction)
        verdicts = await self.permits.verdicts(actor, (stored.patient for stored in rows))
        seen = [stored for stored in rows if verdicts[stored.patient].decision.allowed]
        return await self.allow_read(actor, seen, interaction, target)

    async def trace_nothing(
        self, actor: Actor, interaction: str, target: str, *, action: str = "read"
    ) -> None:
        """Trace what was done without touching anybody's record: an empty search, a sign-in."""
        by = author_of(actor, interaction, basis=actor.kind)
        row = audit_row(keys.REFERENCE, 0, clock.now(), by, target, action=action)
        await self.trail.keep(row)

    async def who_has_read(
        self,
        permit: Permit,
        limit: int = 200,
        *,
        start: datetime = touch.EVER[0],
        end: datetime = touch.EVER[1],
    ) -> list[touch.Touch]:
        """The newest touches of the inhabitant's record in a time; looking is itself audited."""
        await self.require(permit, "read-audit")
        await self._trace(permit, "read-audit", "AuditEvent")
        return await touch.of_patient(
            self.store.shown, permit.patient, start=start, end=end, limit=limit
        )

    async def emergency_notice(self, permit: Permit, since: datetime) -> datetime | None:
        """When the record of an inhabitant who looks was last opened in an emergency, if it was."""
        if permit.basis != "own":
            return None
        return (await touch.emergencies(self.store.shown, permit.patient, since))[1]

    async def require(self, permit: Permit, interaction: str) -> None:
        """That the permit still holds: decided anew once it has run out. Raises `Refused`."""
        if clock.now() < permit.expires_at:
            return
        verdict = await self.permits.verdict(permit.actor, permit.patient)
        if not verdict.decision.allowed:
            await self.refuse(
                permit.actor, permit.patient, verdict.decision, interaction, permit.patient_id
            )

    async def _trace(self, permit: Permit, interaction: str, target: str) -> None:
        author = author_of(permit.actor, interaction, permit.purpose, basis=permit.why)
        await self.trail.keep(
            audit_row(permit.patient, 0, clock.now(), author, target, action="read")
        )

    async def keep_within(
        self,
        actor: Actor,
        resource: Mapping[str, Any],
        patient: int,
        current: Stored | None,
        letter: Letter | None = None,
    ) -> None:
        """That the scopes of the app reach this write: what comes, and what it takes the place of.

        Raises `Refused`, audited. Without `letter` it is a creation or an update.
        """
        if current is not None:
            await self.must_see_whole(actor, current)
        if resource["resourceType"] == "RelatedPerson" and actor.kind != "system":
            await self._keep_representation(actor, resource, patient, current)
        if not app_bounds.lets_write(actor, resource, patient, current, letter):
            await self.refuse(actor, patient, app_bounds.outside(), "write", action="write")

    async def _keep_representation(
        self, actor: Actor, resource: Mapping[str, Any], patient: int, current: Stored | None
    ) -> None:
        """Who acts for whom is the register's to say, not a note about next of kin."""
        there = {} if current is None or current.deleted else current.resource
        if not set(representations(resource)) <= set(representations(there)):
            closed = Decision(False, "none", REFUSED_REPRESENTATION)
            await self.refuse(actor, patient, closed, "write", action="write")

    async def refuse(
        self,
        actor: Actor,
        patient: int,
        decision: Decision,
        interaction: str,
        patient_id: str | None = None,
        *,
        action: str = "read",
    ) -> NoReturn:
        """Audit a refusal, then raise `Refused`."""
        author = author_of(actor, interaction, reason=decision.reason)
        target = f"Patient/{patient_id}" if patient_id else ""
        await self.trail.keep(
            audit_row(patient, 0, clock.now(), author, target, action=action, outcome=8)
        )
        raise Refused(decision, patient_id)


def author_of(
    actor: Actor,
    interaction: str,
    purpose: str = "TREAT",
    reason: str = "",
    basis: str = "",
    grounds: Grounds | None = None,
) -> Author:
    """What an audit row says about who did it, why, and from where they asked."""
    if grounds is not None:
        purpose, basis = grounds
    caller = CALLER.get()
    who = _origin(
        actor.id, actor.name, actor.profession, actor.role,
        actor.organisations[0] if actor.organisations else "", actor.unit_name,
        actor.organisation, actor.organisation_name, actor.client, caller.address, caller.program,
    )  # fmt: skip
    return Author(who, interaction, purpose, reason, basis, caller.number)


_SAID: Final = (
    "name", "profession", "role", "unit", "unitName", "organisation", "organisationName", "app",
    "address", "program",
)  # fmt: skip


@lru_cache(maxsize=20_000)
def _origin(actor: str, *said: str) -> Origin:
    return origin(actor, dict(zip(_SAID, said, strict=True)))
