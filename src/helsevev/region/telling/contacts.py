"""Who meets the inhabitant, when and where: Encounter and Appointment, kept or missed."""

from __future__ import annotations

from ..calendar import DAY, clock, stamp, workday
from ..catalogue import Unit
from ..demo.codes import coding, concept, hl7, no_basis
from ..life import Contact, Tale, at_unit, named
from ..notation import Raw, hl7_coded, link, raw, words
from ..workforce import Worker

_CLASSES = {
    "home": ("HH", "home health"),
    "ambulatory": ("AMB", "ambulatory"),
    "inpatient": ("IMP", "inpatient encounter"),
    "emergency": ("EMER", "emergency"),
    "field": ("FLD", "field"),
    "virtual": ("VR", "virtual"),
}
CLASSES = {kind: raw(coding(hl7("v3-ActCode"), *pair)) for kind, pair in _CLASSES.items()}
RESPONSIBLE = raw([concept("Ansvarlig", coding(hl7("v3-ParticipationType"), "PPRF"))])
_BOOKED = {"meta": raw({"profile": [no_basis("Appointment")]})}
_MISSED = 0.085


def contact(
    t: Tale,
    at: int,
    kind: str,
    what: str,
    unit: Unit,
    by: str | Worker,
    *,
    minutes: int = 30,
    reason: str | None = None,
    part_of: str | None = None,
    appointment: str | None = None,
) -> Contact | None:
    """A contact at an instant, or None when it falls outside what is told.

    `by` is a profession, of which somebody at the unit is chosen, or the worker.
    """
    life = t.life
    if not life.start <= at < life.end:
        return None
    worker = t.worker(unit, by) if isinstance(by, str) else by
    end = min(at + minutes, life.end)
    content = {
        "status": "finished",
        "class": CLASSES[kind],
        "type": [words(what)],
        "subject": life.subject,
        "participant": [{"type": RESPONSIBLE, "individual": named(worker)}],
        "period": {"start": stamp(at), "end": stamp(end)},
        "serviceProvider": at_unit(unit),
    }
    if reason is not None:
        content["reasonCode"] = [words(reason)]
    if part_of is not None:
        content["partOf"] = {"reference": part_of}
    if appointment is not None:
        content["appointment"] = [{"reference": appointment}]
    return Contact(life.put("Encounter", content), at, end, unit, worker)


def office_hour(t: Tale, day: int) -> int:
    """An instant in office hours on the day, or on the Monday after a weekend."""
    return clock(workday(day), t.chance.whole(8, 14), 10 * t.chance.whole(0, 5))


def visit(
    t: Tale,
    day: int,
    what: str,
    unit: Unit,
    by: str | Worker,
    *,
    minutes: int = 30,
    reason: str | None = None,
    missed: float = _MISSED,
    kind: str = "ambulatory",
) -> Contact | None:
    """A booked contact in office hours: an Appointment, and the contact unless it was missed.

    Nobody comes who is in hospital that day: the time is cancelled.
    """
    at = office_hour(t, day)
    if not t.life.start <= at < t.life.end:
        return None
    worker = t.worker(unit, by) if isinstance(by, str) else by
    if t.life.in_hospital(at):
        appointment(t, at, what, unit, worker, minutes, "cancelled")
        return None
    if t.chance.happens(missed):
        appointment(t, at, what, unit, worker, minutes, "noshow")
        return None
    booked = appointment(t, at, what, unit, worker, minutes, "fulfilled")
    return contact(t, at, kind, what, unit, worker, minutes=minutes, reason=reason,
                   appointment=booked)  # fmt: skip


def appointment(
    t: Tale, at: int, what: str, unit: Unit, by: Worker, minutes: int, status: str
) -> str:
    """A time at the unit: booked, fulfilled, noshow or cancelled."""
    accepted = {"required": "required", "status": "accepted"}
    content = {
        **_BOOKED,
        "status": status,
        "description": what,
        "start": stamp(at),
        "end": stamp(at + minutes),
        "minutesDuration": minutes,
        "participant": [
            {"actor": t.life.subject, **accepted},
            {"actor": place(unit), **accepted},
            {"actor": named(by), **accepted},
        ],
    }
    if status == "cancelled":
        content["cancelationReason"] = hl7_coded("appointment-cancellation-reason", "pat")
    return t.life.put("Appointment", content)


def coming(t: Tale, day: int, what: str, unit: Unit, by: str, *, minutes: int = 30) -> None:
    """A time that is booked after the last day that is told; nothing for those who died."""
    life = t.life
    if life.died_at is None and life.until <= day < life.until + 365:
        appointment(t, office_hour(t, day), what, unit, t.worker(unit, by), minutes, "booked")


def place(unit: Unit) -> Raw:
    """A Reference to the unit's Location."""
    return link(f"Location/{unit.id}", unit.name)


def day_of(instant: int) -> int:
    """The day of an instant."""
    return instant // DAY
