"""Lists of people: my patients by what is new, and those whom a search found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from helsevev.access.people import Found
from helsevev.fhir.reading import full_name, moment, text
from helsevev.patient.banner import address_protection, national_number


class Row(Struct, frozen=True):
    """One person in a list. `is_new` when others wrote since the reader last looked.

    `search` is what filtering as one types looks in.
    """

    patient_id: str
    name: str
    birth_date: str | None
    sex: str
    number: str
    is_deceased: bool
    may_open: bool
    is_new: bool
    changed_at: datetime | None
    is_protected: bool
    search: str

    @property
    def href(self) -> str:
        """Where to open the record, or to state why it must be opened."""
        kind = "patient" if self.may_open else "emergency"
        return f"/{kind}/{self.patient_id}"


def rows(found: Iterable[Found]) -> list[Row]:
    """The people as rows: those with something new, newest first; then the others by name."""
    listed = sorted((_row(person) for person in found), key=lambda row: row.name.casefold())
    listed.sort(key=lambda row: row.changed_at.timestamp() if row.is_new and row.changed_at else 0,
                reverse=True)  # fmt: skip
    return listed


def _row(person: Found) -> Row:
    patient = person.resource
    born = moment(patient.get("birthDate"))
    number, _kind = national_number(patient)
    name = full_name(patient.get("name"))
    birth_date = born.text if born else None
    seen, changed = person.looked_at, person.changed_at
    return Row(
        patient_id=person.patient_id,
        name=name,
        birth_date=birth_date,
        sex=text(patient.get("gender")),
        number=number,
        is_deceased=bool(patient.get("deceasedDateTime")) or patient.get("deceasedBoolean") is True,
        may_open=person.may_open,
        is_new=seen is not None and changed is not None and changed > seen,
        changed_at=changed,
        is_protected=bool(address_protection(patient)),
        search=" ".join((name, birth_date or "", number)).casefold(),
    )


def fitting(listed: Iterable[Row], words: str) -> list[Row]:
    """The rows that hold every word."""
    parts = words.casefold().split()
    return [row for row in listed if all(part in row.search for part in parts)]
