"""Who has read: touches of a record as lines for people, the many of one stay as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from helsevev.access.touch import Touch
from helsevev.chart.labels import label
from helsevev.content import loading
from helsevev.locale import gettext as _

ONE_STAY: Final = timedelta(hours=48)
"""Touches of one person in one role belong together while no longer pause lies between them."""


class Moment(Struct, frozen=True):
    """What one person did within a minute: when, what, and its number in the trail."""

    at: datetime
    what: str
    id: str


class Line(Struct, frozen=True):
    """What one person did in one role during one stay; emergencies and refusals by themselves.

    `first` and `at` are its first and last moment, `kinds` the kinds of information, `why` what
    let the person in, `moments` each of its minutes, newest first.
    """

    at: datetime
    first: datetime
    who: str
    role: str
    organisation: str
    what: str
    why: str
    purpose: str
    reason: str
    is_emergency: bool
    is_refused: bool
    is_own: bool
    times: int
    moments: tuple[Moment, ...]

    @property
    def id(self) -> str:
        """The number of its newest touch, by which one asks about it."""
        return self.moments[0].id


def lines(touches: Iterable[Touch], own: str = "") -> list[Line]:
    """Touches newest first as lines, newest first. `own` is the reader, whose own looks are one."""
    groups: list[list[Touch]] = []
    open_groups: dict[tuple[str, ...], list[Touch]] = {}
    for touch in touches:
        key = (touch.actor, touch.role, touch.unit, _kind(touch))
        group = open_groups.get(key)
        if group is None or group[-1].at - touch.at > ONE_STAY or touch.is_emergency:
            open_groups[key] = group = []
            groups.append(group)
        group.append(touch)
    stated: dict[str, str] = {}
    found = [_line(group, own, stated) for group in reversed(groups)]
    found.reverse()
    return found


def _kind(touch: Touch) -> str:
    if touch.refused:
        return "refused"
    if touch.purpose == "BTG":
        return "emergency" if touch.is_emergency else "emergency-read"
    return touch.action if touch.action in ("write", "list", "login") else "read"


def _line(group: Sequence[Touch], own: str, stated: dict[str, str]) -> Line:
    """`stated` holds the reason that each one gave last: it stands at what they read for it too."""
    newest = group[0]
    moments = _moments(group)
    reason = "" if newest.refused else _reason(newest.reason)
    if newest.is_emergency:
        stated[newest.actor] = reason
    elif newest.purpose == "BTG":
        reason = reason or stated.get(newest.actor, "")
    return Line(
        at=newest.at,
        first=group[-1].at,
        who=newest.name,
        role=newest.role,
        organisation=", ".join(
            dict.fromkeys(n for n in (newest.unit_name, newest.organisation) if n)
        ),
        what=_what(group),
        why="" if newest.refused else why(newest),
        purpose=_("emergency") if newest.purpose == "BTG" else "",
        reason=reason,
        is_emergency=newest.is_emergency,
        is_refused=newest.refused,
        is_own=bool(own) and newest.actor == own,
        times=len(moments),
        moments=moments,
    )


def _moments(group: Sequence[Touch]) -> tuple[Moment, ...]:
    minutes: dict[datetime, list[Touch]] = {}
    for touch in group:
        minutes.setdefault(touch.at.replace(second=0, microsecond=0), []).append(touch)
    return tuple(Moment(found[0].at, _what(found), found[0].fhir_id) for found in minutes.values())


def why(touch: Touch) -> str:
    """What let the person in, in the patient's words; "" when nothing is told."""
    kind, _space, rest = touch.basis.partition(" ")
    source = rest.partition("/")[0]
    if kind == "relation":
        return {
            "CareTeam": _("Is in your care team"),
            "EpisodeOfCare": _("You receive a service from this unit"),
            "Encounter": _("You are or were in contact with this unit"),
            "Appointment": _("You have an appointment with this unit"),
            "ServiceRequest": _("You are referred to this unit"),
            "Task": _("This unit has a task for you"),
        }.get(source, _("Takes part in treating you"))
    return {
        "own": _("Your own record"), "system": _("A computer system that serves the record"),
        "emergency": _("Emergency access"), "list": _("A list or a search for a name"),
        "follow-up": _("Looks after who has read"),
        "on-request": _("Registered what you had asked for"),
        "parent": _("Acts as your parent"), "guardian": _("Acts as your guardian"),
        "power-of-attorney": _("Acts by your power of attorney"),
    }.get(kind, "")  # fmt: skip


def _reason(text: str) -> str:
    """The stated reason with the ground's name in place of its code."""
    code, separator, words = text.partition(": ")
    names = {ground.code: ground.label for ground in loading.grounds().ground}
    return f"{names[code]}: {words}" if separator and code in names else text


def _what(group: Sequence[Touch]) -> str:
    action = group[0].action
    if action == "login":
        return _signing_in(group[0])
    if group[0].refused:
        return _("Tried to open the record")
    if action == "emergency":
        return _("Opened the record in an emergency")
    if action == "list":
        return _("Saw the name in a list")
    types = dict.fromkeys(kind for touch in group for kind in touch.what)
    kinds = kinds_of([types])
    named = ", ".join(kind for kind in kinds if kind)
    if action == "write":
        return _("Wrote: %(what)s") % {"what": named}
    opened = "Patient" in types
    others = [kind for kind in kinds if kind != _("identity")]
    if opened and others:
        return _("Opened the record, read: %(what)s") % {"what": ", ".join(others)}
    if opened:
        return _("Opened the record")
    return _("Read: %(what)s") % {"what": named}


def _signing_in(touch: Touch) -> str:
    if touch.refused:
        return _("Could not sign in")
    return {
        "token": _("Got a key for a program"), "logout": _("Signed out"),
        "sign-out": _("Signed out"), "switch-role": _("Changed role"),
        "change-sign-in": _("Changed how they sign in"),
    }.get(touch.interaction, _("Signed in"))  # fmt: skip


def kinds_of(types: Iterable[Iterable[str]]) -> list[str]:
    """The kinds of information that resource types stand for, each once."""
    every = dict.fromkeys(kind for found in types for kind in found)
    return list(dict.fromkeys(map(_type_name, every)))


def as_data(found: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines as plain data, one entry for each moment, for a file of one's own."""
    return [
        {
            "time": moment.at.isoformat(timespec="seconds"),
            "name": line.who,
            "role": line.role,
            "unit": line.organisation,
            "what": moment.what,
            "why": line.why,
            "reason": line.reason,
            "emergency": line.is_emergency,
            "refused": line.is_refused,
            "number": moment.id,
        }
        for line in found
        for moment in line.moments
    ]


def chosen(found: Iterable[Line], show: str, words: str) -> list[Line]:
    """Those of a kind (`emergency`, `refused`, `write`) in whose words every word given occurs."""
    tests: Mapping[str, Any] = {
        "emergency": lambda line: line.is_emergency or line.purpose,
        "refused": lambda line: line.is_refused,
        "others": lambda line: not line.is_own,
    }
    wanted = words.casefold().split()
    return [
        line
        for line in found
        if tests.get(show, lambda _line: True)(line)
        and all(word in f"{line.who} {line.role} {line.organisation}".casefold() for word in wanted)
    ]


@lru_cache(maxsize=512)
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
