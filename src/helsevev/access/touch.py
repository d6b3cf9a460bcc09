"""One touch of a record as the audit trail tells it: who, in which role, what, why, from where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from helsevev.record import keys
from helsevev.record.audit import types_in
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("audit")
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_NEWEST: Final = 2**62
REFUSED: Final = 8


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the trail with the words of its origin.

    `what` is the resources' types in order; `basis` what let them in; `request` the request's
    number; `address`, `program` and `app` where it came from.
    """

    patient: int
    id: int
    at: datetime
    action: str
    interaction: str
    refused: bool
    actor: str
    name: str
    profession: str
    role: str
    unit: str
    unit_name: str
    organisation: str
    purpose: str
    reason: str
    target: str
    basis: str
    request: str
    address: str
    program: str
    app: str

    @property
    def what(self) -> list[str]:
        """The types of what was touched, each once."""
        return types_in(self.target)

    @property
    def fhir_id(self) -> str:
        """The id under which this touch is read as an AuditEvent."""
        place = "f" * 16 if self.patient == keys.UNASSIGNED else keys.text_of(self.patient)
        return f"{place}-{keys.text_of(self.id)}"

    @property
    def is_emergency(self) -> bool:
        """Whether the record was opened by a stated emergency with this touch."""
        return self.action == "emergency"


def touch_of(row: Mapping[str, Any]) -> Touch:
    """The touch that a row of statement `of_patient` or `of_time` tells of."""
    who: dict[str, str] = msgspec.json.decode(row["origin"]) if row["origin"] else {}
    return Touch(
        patient=row["patient"],
        id=row["id"],
        at=row["at"],
        action=row["action"],
        interaction=row["interaction"],
        refused=row["outcome"] == REFUSED,
        actor=row["actor"],
        name=who.get("name") or row["actor_name"] or row["actor"],
        profession=who.get("profession", ""),
        role=who.get("role") or row["role"] or "",
        unit=who.get("unit") or row["organisation"] or "",
        unit_name=who.get("unitName", ""),
        organisation=who.get("organisationName") or row["organisation_name"] or "",
        purpose=row["purpose"],
        reason=row["reason"],
        target=row["target"],
        basis=row["basis"],
        request=row["request"],
        address=who.get("address", ""),
        program=who.get("program", ""),
        app=who.get("app", ""),
    )


async def of_patient(
    database: Database,
    patient: int,
    *,
    start: datetime = EVER[0],
    end: datetime = EVER[1],
    before: int = _NEWEST,
    limit: int = 200,
) -> list[Touch]:
    """Who has touched an inhabitant's record from `start` until before `end`, newest first.

    `before` is the id of a touch, to go on after it.
    """
    rows = await database.fetch(_SQL["of_patient"], patient, before, start, end, limit)
    return [touch_of(row) for row in rows]


async def emergencies(
    database: Database, patient: int, since: datetime
) -> tuple[int, datetime | None]:
    """How often a record was opened in an emergency since a time, and when last."""
    row = await database.fetchrow(_SQL["emergencies_of"], patient, since)
    return (0, None) if row is None else (row["times"], row["newest"])


__all__ = ["EVER", "REFUSED", "Touch", "emergencies", "of_patient", "touch_of"]
