"""The task that tells a unit which medicines changed: with a deadline, until it is acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import (
    Moment,
    codes,
    mapping,
    moment,
    objects,
    of_patient,
    reference_key,
    reference_text,
    sort_key,
    text,
)
from helsevev.locale import gettext as _
from helsevev.medication.prescription import Prescriber
from helsevev.medication.reconciliation.deciding import LEAVE, Signing
from helsevev.medication.reconciliation.receivers import Receiver
from helsevev.medication.reconciliation.record import Told

Resource = Mapping[str, Any]
HANDOVER: Final = "medication-handover"
SYSTEM: Final = "http://helsevev.no/fhir/CodeSystem/task"
_WAITING: Final = frozenset({"requested", "received", "accepted", "in-progress", "ready"})


class Handover(Struct, frozen=True):
    """A task as somebody sees it. `lines` say what changed, in plain words."""

    id: str
    patient: str
    title: str
    lines: tuple[str, ...]
    owner: str
    owner_name: str
    sender: str
    sent: Moment | None
    due: Moment | None
    is_waiting: bool
    acknowledged: str
    acknowledged_at: Moment | None
    version: str

    def is_late(self, now: datetime) -> bool:
        """Whether nobody has acknowledged it within the deadline."""
        return self.is_waiting and self.due is not None and self.due.end < now


def tell(
    receiver: Receiver, told: Sequence[Told], signing: Signing, record_url: str
) -> dict[str, Any]:
    """The task for one unit that is told of a signed reconciliation."""
    content = loading.reconciliation()
    changed = [each for each in told if each.decision.verb != "continue"]
    is_open = any(each.decision.verb == LEAVE for each in told)
    due = signing.moment + timedelta(hours=content.unsure_hours if is_open else content.hours)
    stamp = signing.moment.isoformat(timespec="milliseconds")
    title = _titles()[signing.at] if changed else _("Medicines reconciled, nothing changed")
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "urgent" if is_open else "routine",
        "code": {"coding": [{"system": SYSTEM, "code": HANDOVER}], "text": title},
        "description": "\n".join(each.words for each in changed) or title,
        "focus": {"reference": record_url},
        "for": {"reference": f"Patient/{signing.patient_id}"},
        "authoredOn": stamp,
        "lastModified": stamp,
        "requester": _party(signing.prescriber),
        "owner": {"reference": receiver.reference, "display": receiver.name},
        "restriction": {"period": {"end": due.isoformat(timespec="seconds")}},
    }
    if signing.encounter:
        task["encounter"] = {"reference": signing.encounter}
    return task


def take_over(receiver: Receiver, signing: Signing) -> dict[str, Any]:
    """The order to a unit that does not treat the patient yet: it lets them open the record."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": _("Take over the medicines")},
        "subject": {"reference": f"Patient/{signing.patient_id}"},
        "authoredOn": signing.moment.isoformat(timespec="milliseconds"),
        "requester": _party(signing.prescriber),
        "performer": [{"reference": receiver.reference, "display": receiver.name}],
    }


def acknowledge(task: Resource, by: Prescriber, at: datetime) -> dict[str, Any]:
    """The next version: read, and taken on by a named person."""
    stamp = at.isoformat(timespec="milliseconds")
    read = {
        "type": {"coding": [{"system": SYSTEM, "code": "acknowledged-by"}]},
        "valueReference": _party(by),
    }
    return {
        **task, "status": "completed", "lastModified": stamp,
        "executionPeriod": {"start": text(task.get("authoredOn")) or stamp, "end": stamp},
        "output": [*objects(task.get("output")), read],
    }  # fmt: skip


def is_handover(task: Resource) -> bool:
    """Whether a task tells of changed medicines."""
    return HANDOVER in codes(task.get("code"))


def handovers(tasks: Iterable[Resource], names: Mapping[str, str]) -> tuple[Handover, ...]:
    """The tasks that tell of changed medicines, the newest first."""
    found = [handover(each, names) for each in of_patient(tasks) if is_handover(each)]
    return tuple(sorted(found, key=lambda each: sort_key(each.sent), reverse=True))


def handover(task: Resource, names: Mapping[str, str]) -> Handover:
    """One task as somebody sees it."""
    read = [mapping(o.get("valueReference")) for o in objects(task.get("output"))
            if "acknowledged-by" in codes(o.get("type"))]  # fmt: skip
    ended = moment(mapping(task.get("executionPeriod")).get("end"))
    return Handover(
        id=text(task.get("id")),
        patient=reference_key(task.get("for")).removeprefix("Patient/"),
        title=text(mapping(task.get("code")).get("text")),
        lines=tuple(line for line in text(task.get("description")).split("\n") if line),
        owner=reference_key(task.get("owner")),
        owner_name=reference_text(task.get("owner"), names),
        sender=reference_text(task.get("requester"), names),
        sent=moment(task.get("authoredOn")),
        due=moment(mapping(mapping(task.get("restriction")).get("period")).get("end")),
        is_waiting=text(task.get("status")) in _WAITING,
        acknowledged=", ".join(reference_text(each, names) for each in read),
        acknowledged_at=ended if read else None,
        version=text(mapping(task.get("meta")).get("versionId")),
    )


def _titles() -> dict[str, str]:
    return {
        "admission": _("Medicines changed at admission"),
        "transfer": _("Medicines changed at transfer"),
        "discharge": _("Medicines changed at discharge"),
        "home": _("Medicines changed at home"),
    }


def _party(by: Prescriber) -> dict[str, Any]:
    return {"reference": by.reference, **({"display": by.name} if by.name else {})}
