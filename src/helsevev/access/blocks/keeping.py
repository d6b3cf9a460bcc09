"""Seeing, placing and lifting blocks: decided by the rules, written as Consents, and audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.blocking import EVERYONE
from helsevev.access.blocks.wording import (
    CATEGORY,
    ENTRY,
    WHOLE,
    Party,
    Told,
    Wish,
    choices,
    consent,
    lifted,
    told,
)
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import author_of
from helsevev.access.permit import Verdict
from helsevev.access.searching import Searcher
from helsevev.access.slices import Slice
from helsevev.access.writing import Writer, Written
from helsevev.fhir import dates
from helsevev.fhir.outcome import error
from helsevev.fhir.reading import concept_text, full_name
from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.wall import beyond

_MOST: Final = 200
_MOST_PARTIES: Final = 12
_MOST_ENTRIES: Final = 60
_ENTRIES: Final = ("Composition", "DocumentReference")
"""What an inhabitant blocks one by one: what somebody wrote or sent."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may see and change whom an inhabitant keeps out, and by which right."""

    actor: Actor
    patient: int
    patient_id: str
    name: str
    verdict: Verdict

    @property
    def is_registering(self) -> bool:
        """Whether this is somebody who registers it on request, and sees nothing else."""
        return self.verdict.decision.basis == "on-request"


@dataclass(frozen=True, slots=True)
class EntryChoice:
    """An entry of the record that can be blocked: `reference`, what it is called, its date."""

    reference: str
    title: str
    date: str


class Blocks:
    """Blocks of inhabitants, for those whom the rules let decide about them."""

    def __init__(self, writer: Writer, searcher: Searcher) -> None:
        self._writer = writer
        self._gate = writer.gate
        self._searcher = searcher

    async def may_keep(self, actor: Actor, patient_id: str) -> bool:
        """Whether the actor decides who is kept out of this record."""
        return (await self._verdict(actor, patient_id)).decision.allowed

    async def held(self, actor: Actor, patient_id: str) -> Holder:
        """The right to these blocks. Raises `Refused`, audited, or `NotFound`."""
        verdict = await self._verdict(actor, patient_id)
        patient = keys.patient_key(patient_id)
        if not verdict.decision.allowed:
            await self._gate.refuse(actor, patient, verdict.decision, "read-blocks")
        # Who registers on request has no tie that the wall knows; the rules have let them in here.
        with beyond():
            stored = await self._gate.store.beyond.read("Patient", patient_id)
            if stored is None or stored.deleted:
                raise NotFound(f"Patient/{patient_id}")
            name = full_name(stored.resource.get("name"))
        return Holder(actor, patient, patient_id, name, verdict)

    async def listed(self, holder: Holder) -> list[Told]:
        """Every block, those that hold first, the newest first; audited."""
        verdict = holder.verdict
        author = author_of(holder.actor, "read-blocks", verdict.purpose, basis=verdict.why)
        row = audit_row(holder.patient, 0, clock.now(), author, "Consent", action="read")
        await self._gate.trail.keep(row)
        with beyond():
            slices = await self._gate.store.beyond.slices(holder.patient, {"Consent": _MOST})
            found = [block for each in slices["Consent"] if (block := told(each.resource))]
        return sorted(found, key=lambda block: (block.active, block.changed_at), reverse=True)

    async def place(self, holder: Holder, wish: Wish) -> str:
        """Carry out a wish at once; the Consent's id. Raises `Invalid`, or what writing raises."""
        if not self._is_possible(holder, wish):
            raise Invalid([error("value", "This cannot be blocked.", "what")])
        if wish.until and not _is_coming(wish.until):
            raise Invalid([error("value", "The last day is a day to come.", "until")])
        made = consent(wish, holder.actor, holder.patient_id, clock.now())
        return (await self._write(holder, made, create=True)).stored.id

    async def lift(self, holder: Holder, consent_id: str) -> None:
        """End a block at once. Raises `NotFound`, or what writing raises."""
        with beyond():
            stored = await self._gate.store.beyond.read("Consent", consent_id)
            if stored is None or stored.deleted or stored.patient != holder.patient:
                raise NotFound(f"Consent/{consent_id}")
            block = told(stored.resource)
            if block is None:
                raise NotFound(f"Consent/{consent_id}")
            over = lifted(stored.resource, holder.actor)
        if block.active:
            await self._write(holder, over, if_match=stored.version)

    async def _write(self, holder: Holder, consent: dict[str, Any], **how: Any) -> Written:
        """By the recipe of every write; for who registers on request, on the program's behalf.

        They have no other hand in the record than this; the trail says who it was.
        """
        if not holder.is_registering:
            return await self._writer.write(holder.actor, consent, **how)
        verdict = holder.verdict
        author = author_of(holder.actor, "register-block", verdict.purpose, basis=verdict.why)
        row = audit_row(holder.patient, 0, clock.now(), author, "Consent", action="write")
        await self._gate.trail.keep(row)
        with beyond():
            return await self._writer.write(SYSTEM, consent, **how)

    async def met(self, holder: Holder) -> list[Party]:
        """Those who have been in the record lately, and their units, as its own log tells."""
        if holder.is_registering:
            return []
        permit = await self._gate.open_chart(holder.actor, holder.patient_id)
        people: dict[str, Party] = {}
        units: dict[str, Party] = {}
        for touch in await self._gate.who_has_read(permit, _MOST):
            if not touch.actor.startswith("Practitioner/"):
                continue
            detail = ", ".join(word for word in (touch.role, touch.unit_name) if word)
            people.setdefault(touch.actor, Party(touch.actor, touch.name, detail))
            if touch.unit and touch.unit_name:
                units.setdefault(touch.unit, Party(touch.unit, touch.unit_name))
        return [*list(units.values())[:_MOST_PARTIES], *list(people.values())[:_MOST_PARTIES]]

    async def found(self, holder: Holder, words: str) -> list[Party]:
        """Units and people who work here whose names begin so; none for less than two letters."""
        if len(words.strip()) < 2:
            return []
        asked = [("name", words.strip()), ("_count", str(_MOST_PARTIES))]
        units, people = [
            (await self._searcher.search(holder.actor, parse(kind, asked, base=""))).matches
            for kind in ("Organization", "Practitioner")
        ]
        found = [Party(each.reference, str(each.resource.get("name", ""))) for each in units]
        details = await self._roles(holder, [each.reference for each in people])
        return found + [
            Party(each.reference, full_name(each.resource.get("name")),
                  details.get(each.reference, ""))
            for each in people
        ]  # fmt: skip

    async def party(self, holder: Holder, reference: str) -> Party | None:
        """Somebody by reference, with the name that the record has; None when there is nobody."""
        if reference == EVERYONE:
            return Party(EVERYONE, "")
        kind, _, name = reference.partition("/")
        if kind not in ("Practitioner", "Organization") or not name:
            return None
        there = await self._gate.open_many(holder.actor, [(kind, name)])
        if (resource := there.get((kind, name))) is None:
            return None
        if kind == "Organization":
            return Party(reference, str(resource.get("name", "")))
        details = await self._roles(holder, [reference])
        return Party(reference, full_name(resource.get("name")), details.get(reference, ""))

    async def entries(self, holder: Holder) -> list[EntryChoice]:
        """Notes and documents of the record, newest first; none for who only registers."""
        if holder.is_registering:
            return []
        permit = await self._gate.open_chart(holder.actor, holder.patient_id)
        pieces = [Slice(kind, _MOST_ENTRIES) for kind in _ENTRIES]
        there = await self._gate.open_slices(permit, pieces)
        found = [_entry(each) for kind in _ENTRIES for each in there[kind]]
        return sorted(found, key=lambda each: each.date, reverse=True)

    async def names(self, holder: Holder, blocks: list[Told]) -> dict[tuple[str, str], EntryChoice]:
        """What single blocked entries are called, for those who may read them."""
        wanted = [entry for block in blocks for entry in block.entries]
        if holder.is_registering or not wanted:
            return {}
        there = await self._gate.open_many(holder.actor, wanted)
        return {place: _entry(resource) for place, resource in there.items()}

    async def _verdict(self, actor: Actor, patient_id: str) -> Verdict:
        patient = keys.patient_key(patient_id)
        return await self._gate.permits.verdict(actor, patient, "keep-blocks", "Consent")

    async def _roles(self, holder: Holder, people: list[str]) -> dict[str, str]:
        if not people:
            return {}
        asked = [("practitioner", ",".join(people)), ("_include", "PractitionerRole:organization")]
        page = await self._searcher.search(holder.actor, parse("PractitionerRole", asked, base=""))
        units = {each.reference: str(each.resource.get("name", "")) for each in page.included}
        found: dict[str, list[str]] = {}
        for role in (each.resource for each in page.matches):
            title = concept_text(next(iter(role.get("code", ())), None))
            unit = units.get(role.get("organization", {}).get("reference", ""), "")
            words = ", ".join(word for word in (title, unit) if word)
            found.setdefault(role.get("practitioner", {}).get("reference", ""), []).append(words)
        return {reference: " · ".join(dict.fromkeys(words)) for reference, words in found.items()}

    def _is_possible(self, holder: Holder, wish: Wish) -> bool:
        what = wish.what
        if what.startswith(CATEGORY):
            return what.removeprefix(CATEGORY) in {each.key for each in choices()}
        if what.startswith(ENTRY):
            kind = what.removeprefix(ENTRY).partition("/")[0]
            return not holder.is_registering and kind in _ENTRIES
        return what == WHOLE


def _is_coming(day: str) -> bool:
    bounds = dates.bounds(day) if len(day) == len("2026-11-22") else None
    return bounds is not None and bounds[1] > dates.microseconds(clock.now())


def _entry(resource: dict[str, Any]) -> EntryChoice:
    title = resource.get("title") or concept_text(resource.get("type"))
    title = title or resource.get("description") or ""
    reference = f"{resource['resourceType']}/{resource['id']}"
    return EntryChoice(reference, str(title), str(resource.get("date", "")))
