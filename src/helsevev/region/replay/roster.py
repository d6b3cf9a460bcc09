"""Who works today and with whom, as the record itself says: recent contacts, units, doses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from .record import Record, chunks
from .staff import Staff

_RECENT_DAYS: Final = 4
_UNITS_ASKED_AT_ONCE: Final = 25
_DOSE_PAGES: Final = 12
_NAMES_ASKED: Final = 200
_COLLEAGUES: Final = 12
_TOOK_PLACE: Final = frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"})
# Volven 9060: secretaries document little, and sign no medicines.
_SECRETARY: Final = "HE"


class NobodyToCareFor(Exception):
    """The record tells of no unit with both patients and staff."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its recent patients, how many contacts it had, who is given medicines there."""

    id: str
    contacts: int
    patients: tuple[str, ...]
    doses: tuple[tuple[str, int], ...]
    """Patients with doses given lately, and how many."""
    staff: tuple[Staff, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """The region as it is played."""

    inhabitants: int
    units: tuple[Unit, ...]
    words: tuple[str, ...]
    """Family names to search by."""

    @property
    def staff(self) -> tuple[Staff, ...]:
        """Everybody who works."""
        return tuple(each for unit in self.units for each in unit.staff)


async def learn(record: Record, day: date, most_staff: int | None = None) -> Roster:
    """Learn the roster with a bounded number of searches. Raises `NobodyToCareFor`.

    Units are those with most contacts in the days before `day`; each has as many of its staff at
    work as its share of the contacts, at least one. `most_staff` None is one for 50 inhabitants,
    from 100 to 600.
    """
    inhabitants = await record.count("Patient?_summary=count")
    if most_staff is None:
        most_staff = min(max(inhabitants // 50, 100), 600)
    since = f"ge{day - timedelta(days=_RECENT_DAYS)}"
    contacts = await _contacts(record, since) or await _courses(record)
    doses = await _doses(record, day) or await _prescriptions(record)
    chosen = sorted(contacts, key=lambda unit: (-contacts[unit].total(), unit))[:most_staff]
    workers = await _workers(record, chosen)
    manned = [unit for unit in chosen if workers.get(unit)]
    weight = sum(contacts[unit].total() for unit in manned)
    units = []
    for unit in sorted(manned):
        count = contacts[unit].total()
        many = 1 + int(count / weight * (most_staff - len(manned)))
        patients = tuple(sorted(contacts[unit]))
        given = tuple((each, doses[each]) for each in patients if each in doses)
        here = tuple(workers[unit][: min(many, _COLLEAGUES)])
        units.append(Unit(unit, count, patients, given, here))
    if not units:
        raise NobodyToCareFor("The record tells of no unit with both recent contacts and staff.")
    names = await _names(record, [each for unit in units for each in unit.patients])
    return Roster(inhabitants, tuple(units), names)


async def _contacts(record: Record, since: str) -> dict[str, Counter[str]]:
    """Unit -> patient -> contacts; such a contact lets the unit open the chart for 30 days more."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    asked = {"date": since, "_elements": "subject,serviceProvider,status"}
    async for each in record.search("Encounter", asked):
        if each.get("status") in _TOOK_PLACE:
            _count(found, each.get("serviceProvider"), each.get("subject"))
    return found


async def _courses(record: Record) -> dict[str, Counter[str]]:
    """The same from episodes of care that go on, where nobody has had a contact lately."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    asked = {"status": "active", "_elements": "patient,managingOrganization"}
    async for each in record.search("EpisodeOfCare", asked):
        _count(found, each.get("managingOrganization"), each.get("patient"))
    return found


def _count(found: dict[str, Counter[str]], unit: Any, patient: Any) -> None:
    unit_id = _id_of(unit, "Organization")
    patient_id = _id_of(patient, "Patient")
    if unit_id and patient_id:
        found[unit_id][patient_id] += 1


async def _doses(record: Record, day: date) -> Counter[str]:
    """Patient -> doses given since the day before."""
    since = f"ge{day - timedelta(days=1)}"
    return await _subjects(record, "MedicationAdministration", {"effective-time": since})


async def _prescriptions(record: Record) -> Counter[str]:
    """Patient -> medicines in use, where no doses are told."""
    return await _subjects(record, "MedicationRequest", {"status": "active"})


async def _subjects(record: Record, resource_type: str, asked: dict[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    wanted = {**asked, "_elements": "subject"}
    async for each in record.search(resource_type, wanted, _DOSE_PAGES, 1000):
        if patient := _id_of(each.get("subject"), "Patient"):
            found[patient] += 1
    return found


async def _workers(record: Record, units: Iterable[str]) -> dict[str, list[Staff]]:
    """Unit -> those who document there, in the order of their ids."""
    found: dict[str, list[Staff]] = defaultdict(list)
    for together in chunks([f"Organization/{unit}" for unit in units], _UNITS_ASKED_AT_ONCE):
        roles, secretaries = [], set()
        asked = {"organization": together, "active": "true",
                 "_include": "PractitionerRole:practitioner"}  # fmt: skip
        async for each in record.search("PractitionerRole", asked):
            if each["resourceType"] == "PractitionerRole":
                roles.append(each)
            elif not _documents(each):
                secretaries.add(f"Practitioner/{each['id']}")
        for role in sorted(roles, key=lambda role: str(role["id"])):
            who, where = role.get("practitioner", {}), role.get("organization", {})
            unit = _id_of(where, "Organization")
            if unit and who.get("reference") and who["reference"] not in secretaries:
                name, unit_name = who.get("display", ""), where.get("display", "")
                found[unit].append(Staff(role["id"], who["reference"], name, unit, unit_name))
    return found


def _documents(practitioner: dict[str, Any]) -> bool:
    approved = {
        coding.get("code")
        for qualification in practitioner.get("qualification", ())
        for coding in qualification.get("code", {}).get("coding", ())
    }
    return bool(approved - {_SECRETARY})


async def _names(record: Record, patients: list[str]) -> tuple[str, ...]:
    few = sorted(set(patients))
    few = few[:: max(1, len(few) // _NAMES_ASKED)][:_NAMES_ASKED]
    found: set[str] = set()
    for together in chunks(few, 50):
        for each in await record.found("Patient", {"_id": together, "_elements": "name"}):
            found.update(name["family"] for name in each.get("name", ()) if name.get("family"))
    return tuple(sorted(found))


def _id_of(reference: Any, resource_type: str) -> str:
    kind, _, found = (reference or {}).get("reference", "").partition("/")
    return found if kind == resource_type else ""
