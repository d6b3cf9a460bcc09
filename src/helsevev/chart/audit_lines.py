"""Who has read: rows of the audit trail as lines that a person can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from msgspec import Struct

from helsevev.chart.labels import label
from helsevev.content import loading
from helsevev.locale import gettext as _


class Line(Struct, frozen=True):
    """One touch of the record, or several of the same kind by one person in one minute."""

    at: datetime
    who: str
    role: str
    organisation: str
    what: str
    purpose: str
    reason: str
    is_emergency: bool
    is_refused: bool


def lines(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Rows newest first as lines; the reads of one person within a minute are one line."""

    def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
        at = row["at"].replace(second=0, microsecond=0)
        kind = row["action"] if row["action"] in ("write", "emergency") else "read"
        detail = row["target"] if kind == "write" else ""
        return (at, row["actor"], row["organisation"], kind, detail, row["outcome"])

    return [_line([*group]) for _key, group in groupby(rows, key)]


def _line(group: list[Mapping[str, Any]]) -> Line:
    row = group[0]
    is_refused = row["outcome"] != 0
    return Line(
        at=row["at"],
        who=row["actor_name"] or row["actor"],
        role=row["role"],
        organisation=row["organisation_name"],
        what=_what(group),
        purpose=_("emergency") if row["purpose"] == "BTG" else "",
        reason="" if is_refused else _reason(row["reason"]),
        is_emergency=row["action"] == "emergency",
        is_refused=is_refused,
    )


def _reason(text: str) -> str:
    """The stated reason with the ground's name in place of its code."""
    code, separator, words = text.partition(": ")
    names = {ground.code: ground.label for ground in loading.grounds().ground}
    return f"{names[code]}: {words}" if separator and code in names else text


def _what(group: list[Mapping[str, Any]]) -> str:
    action = group[0]["action"]
    if group[0]["outcome"] != 0:
        return _("Tried to open the record")
    if action == "emergency":
        return _("Opened the record in an emergency")
    if action == "list":
        return _("Saw the name in a list")
    types = dict.fromkeys(
        word.split("/", 1)[0] for row in group for word in str(row["target"]).split()
    )
    named = ", ".join(dict.fromkeys(_type_name(t) for t in types if t))
    if action == "write":
        return _("Wrote: %(what)s") % {"what": named}
    if "Patient" in types or len(types) > 4:
        return _("Opened the record")
    return _("Read: %(what)s") % {"what": named}


def _type_name(resource_type: str) -> str:
    return {
        "AllergyIntolerance": _("allergies"), "Appointment": _("appointments"),
        "AuditEvent": _("who has read"), "CarePlan": _("plans"), "CareTeam": _("contacts"),
        "Composition": _("notes"), "Condition": _("problems"), "DiagnosticReport": _("reports"),
        "DocumentReference": _("documents"), "Encounter": _("contacts"),
        "EpisodeOfCare": _("contacts"), "Flag": _("warnings"), "Immunization": _("vaccines"),
        "Medication": _("medicines"), "MedicationRequest": _("medicines"),
        "MedicationStatement": _("medicines"), "Observation": _("measurements and results"),
        "Patient": _("identity"), "Procedure": _("procedures"), "Task": _("tasks"),
    }.get(resource_type, label("resource-type", resource_type, _("other entries")))  # fmt: skip
