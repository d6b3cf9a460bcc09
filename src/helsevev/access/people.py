"""Finding inhabitants: those one's unit treats, and anyone by name, birth date or number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Decision, may_treat
from helsevev.fhir import dates, identifiers
from helsevev.fhir.outcome import Issue
from helsevev.fhir.search_query import normalize
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.rows import prefix_end, token_hash
from helsevev.record.statements import load
from helsevev.record.store import Stored
from helsevev.record.wall import beyond

_ACCESS: Final = load("access")
_PEOPLE: Final = load("people")
_NORWEGIAN_DATE: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", re.ASCII)
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOST_FOUND: Final = 30


@dataclass(frozen=True, slots=True)
class Found:
    """One inhabitant in a list: the Patient, whether the chart may be opened, what is new."""

    patient_id: str
    resource: dict[str, Any]
    may_open: bool
    changed_at: datetime | None = None
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    names: tuple[str, ...]
    birth_date: str | None
    number: str | None


class People:
    """Lists inhabitants for those who work; each list is audited for every person on it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.store.roles.people

    async def find(self, actor: Actor, text: str, limit: int = MOST_FOUND) -> list[Found]:
        """Inhabitants that fit every word: beginnings of names, a birth date, a national number.

        Dates as 21.11.1950 or 1950-11-21. Raises `Invalid` when there is too little to go by,
        `Refused` for inhabitants.
        """
        await self.staff_only(actor)
        wanted = _wanted(text)
        day = dates.bounds(wanted.birth_date) if wanted.birth_date else None
        born = day[0] if day else None
        if wanted.number:
            number = [token_hash("identifier", None, wanted.number)]
            rows = await self._database.fetch(_PEOPLE["find_by_number"], number, limit)
        elif wanted.names:
            # The longest word narrows most; all of them have to fit.
            first = max(wanted.names, key=len)
            rows = await self._database.fetch(
                _PEOPLE["find_by_name"], first, prefix_end(first), list(wanted.names), born, limit
            )
        else:
            rows = await self._database.fetch(_PEOPLE["find_by_birth_date"], born, limit)
        return await self.listed(actor, [Stored(*row) for row in rows], "find")

    async def mine(self, actor: Actor, limit: int = 500) -> list[Found]:
        """The inhabitants whom the actor's unit treats now, or whose record the actor opened."""
        await self.staff_only(actor)
        if not may_treat(actor):
            # Whom the unit treats is no business of those who treat nobody.
            return []
        now = clock.now()
        ties = await self._database.fetch(
            _ACCESS["my_patients"],
            list(actor.grantees),
            dates.microseconds(now),
            actor.id,
            now,
            limit,
        )
        patients = [row["patient"] for row in ties]
        rows = await self._database.fetch(_PEOPLE["patients"], patients)
        return await self.listed(actor, [Stored(*row) for row in rows], "my-patients")

    async def named(self, actor: Actor, patient_id: str) -> Found | None:
        """One inhabitant as strangers see them, to know whose closed record it is; None: nobody."""
        await self.staff_only(actor)
        stored = await self._gate.store.beyond.read("Patient", patient_id)
        if stored is None or stored.deleted:
            return None
        (found,) = await self.listed(actor, [stored], "find")
        return found

    async def listed(self, actor: Actor, rows: list[Stored], interaction: str) -> list[Found]:
        """Patients in a list, as much of each as the actor may see, audited for each."""
        author = author_of(actor, interaction, basis="list")
        now = clock.now()
        await self._gate.trail.keep(
            *(audit_row(r.patient, 0, now, author, r.reference, action="list") for r in rows)
        )
        if not rows:
            await self._gate.trace_nothing(actor, interaction, "Patient?", action="list")
        patients = [row.patient for row in rows]
        changes = await self._database.fetch(_ACCESS["newest_change_of"], patients)
        looks = await self._database.fetch(_ACCESS["looks"], actor.id, patients)
        changed = {row["patient"]: row["at"] for row in changes}
        looked = {row["patient"]: row["at"] for row in looks}
        verdicts = await self._gate.permits.verdicts(actor, patients)
        open_to = [row for row in rows if verdicts[row.patient].decision.allowed]
        seen = {row.patient: row for row in await self._gate.as_seen(actor, open_to)}
        found = []
        for row in rows:
            may_open = row.patient in seen
            shown = seen.get(row.patient)
            with beyond():
                # Strangers are shown what identifies somebody, and that it was is in the trail.
                resource = _shown_to_strangers(row.resource) if shown is None else shown.resource
            found.append(
                Found(row.id, resource, may_open, changed.get(row.patient), looked.get(row.patient))
            )
        return found

    async def staff_only(self, actor: Actor) -> None:
        """Raises `Refused`, audited, for inhabitants."""
        if actor.kind == "inhabitant":
            refusal = Decision(False, "none", "Only those who work here can look up inhabitants.")
            await self._gate.refuse(actor, keys.UNASSIGNED, refusal, "find")


def _wanted(text: str) -> _Wanted:
    text = "".join(letter if letter.isprintable() else " " * letter.isspace() for letter in text)
    compact = re.sub(r"\s", "", text)
    if re.fullmatch(r"[0-9]{11}", compact):
        return _Wanted((), None, compact)
    birth_date, names = None, []
    for word in text.replace(",", " ").split():
        if match := _NORWEGIAN_DATE.fullmatch(word):
            birth_date = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
        elif _ISO_DATE.fullmatch(word):
            birth_date = word
        elif name := normalize(word):
            names.append(name)
    if birth_date is not None and dates.bounds(birth_date) is None:
        raise Invalid([Issue("error", "value", f"{birth_date} is not a date.", "q")])
    if birth_date is None and sum(map(len, names)) < 2:
        text = "Give at least two letters of a name, a birth date or a national number."
        raise Invalid([Issue("error", "required", text, "q")])
    return _Wanted(tuple(names), birth_date, None)


def _shown_to_strangers(patient: dict[str, Any]) -> dict[str, Any]:
    """What one who does not treat a person needs to know whom to open: never where they live."""
    kept = (
        "resourceType",
        "id",
        "name",
        "gender",
        "birthDate",
        "deceasedBoolean",
        "deceasedDateTime",
    )
    shown = {name: patient[name] for name in kept if name in patient}
    national = [
        i for i in patient.get("identifier", ()) if i.get("system") in identifiers.PERSON_SYSTEMS
    ]
    return shown | ({"identifier": national} if national else {})
