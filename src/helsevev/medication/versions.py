"""What became of one medicine: each version told by what it changed, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from helsevev.fhir.reading import Moment, mapping, moment, reference_text, text
from helsevev.locale import gettext as _
from helsevev.medication.panel import Medicine, medicines


class Difference(Struct, frozen=True):
    """One thing that a version says otherwise than the one before; either side may be empty."""

    label: str
    before: str
    after: str


class Told(Struct, frozen=True):
    """One version: when it was written and by whom, what it did in a word, what it changed."""

    version: str
    at: Moment | None
    who: str
    did: str
    differences: tuple[Difference, ...]


def medicine_of(resource: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Medicine:
    """One resource as a line of the list, whatever its group."""
    of = "requests" if resource.get("resourceType") == "MedicationRequest" else "statements"
    given: dict[str, Any] = {"requests": (), "statements": (), of: (resource,)}
    listed = medicines(**given, now=datetime.now(UTC), names=names)
    return listed.every[0]


def told(
    oldest_first: Sequence[Mapping[str, Any]], names: Mapping[str, str] | None = None
) -> tuple[Told, ...]:
    """The versions of one medicine, newest first."""
    found: list[Told] = []
    before: Medicine | None = None
    for resource in oldest_first:
        if text(resource.get("status")) == "entered-in-error":
            found.append(_told(resource, names, _("Withdrawn as a mistake"), ()))
            before = None
            continue
        now = medicine_of(resource, names)
        differences = difference(before, now)
        found.append(_told(resource, names, _did(before, now, resource), differences))
        before = now
    return tuple(reversed(found))


def difference(before: Medicine | None, now: Medicine) -> tuple[Difference, ...]:
    """What `now` says otherwise than `before`; all that it says when there is none before."""
    sides: list[tuple[str, Callable[[Medicine], str]]] = [
        (_("Medicine"), lambda m: m.name),
        (_("Dose"), lambda m: m.dose_text),
        (_("Taken for"), lambda m: ", ".join(m.reasons)),
        (_("Reason"), lambda m: m.stopped_because),
        (_("Note"), lambda m: "; ".join(m.notes)),
        (_("Multidose"), lambda m: _("yes") if m.is_multidose else ""),
        (_("Taken care of by the patient"), lambda m: _("yes") if m.is_own_managed else ""),
        (_("Checks"), lambda m: _("unchecked") if m.unchecked else ""),
    ]
    rows = [(label, side(before) if before else "", side(now)) for label, side in sides]
    return tuple(Difference(label, old, new) for label, old, new in rows if old != new)


def _did(before: Medicine | None, now: Medicine, resource: Mapping[str, Any]) -> str:
    if before is None:
        return _("Renewed") if resource.get("priorPrescription") else _("Started")
    if before.status == now.status:
        return _("Changed")
    if now.status == "active":
        return _("Resumed")
    words = {
        "on-hold": _("Put on hold"), "stopped": _("Stopped"), "completed": _("Ended"),
        "cancelled": _("Cancelled"), "draft": _("Planned"),
    }  # fmt: skip
    return words.get(now.status, _("Changed"))


def _told(
    resource: Mapping[str, Any],
    names: Mapping[str, str] | None,
    did: str,
    differences: tuple[Difference, ...],
) -> Told:
    meta = mapping(resource.get("meta"))
    writers = ("recorder", "requester", "informationSource")
    who = next((n for w in writers if (n := reference_text(resource.get(w), names))), "")
    return Told(text(meta.get("versionId")), moment(meta.get("lastUpdated")), who, did, differences)
