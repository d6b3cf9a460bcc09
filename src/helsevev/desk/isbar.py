"""A shift's hand-over of one patient as ISBAR, composed of what the record says; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.content.desk_shapes import HandOver
from helsevev.content.loading import ward
from helsevev.desk.tasks import Asked, in_order, row_of
from helsevev.desk.ward import Resident
from helsevev.documentation.panel import composition
from helsevev.fhir.reading import (
    Moment,
    codes,
    concept_text,
    mapping,
    moment,
    objects,
    text,
)
from helsevev.locale import gettext as _
from helsevev.observation.reading import Reading, reading
from helsevev.patient.allergies import allergies
from helsevev.patient.flags import active_flags
from helsevev.patient.problems import problems
from helsevev.screens.formatting import age, clinical_time, number

_MOST_PROBLEMS: Final = 8
_MOST_WORDS: Final = 160
_PAIR: Final = 2
_LABORATORY: Final = "laboratory"
_PLAN_STATES: Final = ("in-progress", "scheduled", "not-started")


class Line(Struct, frozen=True):
    """One fact as it is handed over: its words, the reference it was read from, and how it stands.

    `is_new` since the last hand-over; `is_grave` when nobody may overlook it.
    """

    words: str
    source: str = ""
    is_new: bool = False
    is_grave: bool = False


class Part(Struct, frozen=True):
    """One letter of ISBAR: its heading and what the record says under it."""

    key: str
    heading: str
    lines: tuple[Line, ...]

    @property
    def plain(self) -> str:
        """Its lines as text, one to a line."""
        return "\n".join(f"– {line.words}" for line in self.lines)


class Isbar(Struct, frozen=True):
    """The hand-over of one patient; `last` is the newest that somebody signed, empty when none."""

    parts: tuple[Part, ...]
    last: Mapping[str, Any]
    since: datetime

    @property
    def is_signed_this_shift(self) -> bool:
        """Whether somebody has handed this patient over since the shift began."""
        return bool(self.last)


def isbar(resident: Resident, now: datetime, hours: HandOver | None = None) -> Isbar:
    """What the record has to say at a hand-over."""
    rules = hours or ward().hand_over
    last = last_of(resident.found.get("Composition", ()), rules)
    written = moment(last.get("date"))
    since = written.at if written else now - rules.shift
    found = resident.found
    parts = (
        Part("identification", rules.identification, tuple(_identification(resident, now))),
        Part("situation", rules.situation, tuple(_situation(resident, now, since))),
        Part("background", rules.background, tuple(_background(found))),
        Part("assessment", rules.assessment, tuple(_assessment(found, rules, now, since))),
        Part("recommendation", rules.recommendation, tuple(_recommendation(found, rules, now))),
    )
    fresh = last if written and written.at > now - rules.shift / 2 else {}
    return Isbar(parts, fresh, since)


def last_of(
    compositions: Iterable[Mapping[str, Any]], rules: HandOver | None = None
) -> Mapping[str, Any]:
    """The newest signed hand-over; empty when there is none."""
    label = (rules or ward().hand_over).label
    return next(
        (each for each in compositions
         if text(each.get("title")) == label and each.get("status") != "entered-in-error"), {},
    )  # fmt: skip


def plain(made: Isbar, assessment: str, recommendation: str) -> str:
    """The hand-over as the text of a note, each part under its heading."""
    said = {"assessment": assessment.strip(), "recommendation": recommendation.strip()}
    told = []
    for part in made.parts:
        words = "\n".join(each for each in (said.get(part.key, ""), part.plain) if each)
        if words:
            told.append(f"{part.heading}:\n{words}")
    return "\n\n".join(told)


def _identification(resident: Resident, now: datetime) -> Iterator[Line]:
    place = resident.bed_name or resident.bed.partition("/")[2]
    who = ", ".join(
        each for each in (resident.name, age(resident.birth_date, now), resident.number) if each
    )
    yield Line(who, f"Patient/{resident.patient_id}")
    source = f"Encounter/{resident.stay['id']}" if resident.stay else ""
    if place:
        yield Line(_("Is in %(place)s") % {"place": place}, source)
    if resident.responsible:
        yield Line(_("Responsible: %(name)s") % {"name": resident.responsible}, source)


def _situation(resident: Resident, now: datetime, since: datetime) -> Iterator[Line]:
    stay = resident.stay
    if stay:
        words = resident.reason
        if resident.since:
            days = (now - resident.since).days + 1
            words = _("%(reason)s, day %(days)s") % {"reason": words, "days": days}
        yield Line(
            words, f"Encounter/{stay['id']}", resident.since is not None and resident.since > since
        )
    for flag in active_flags(resident.found.get("Flag", ()), now):
        is_new = flag.since is not None and flag.since.at > since
        yield Line(flag.text, f"Flag/{flag.id}", is_new, is_grave=True)


def _background(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Line]:
    listed = allergies(found.get("AllergyIntolerance", ()))
    for each in listed.active:
        reaction = f" ({', '.join(each.reactions)})" if each.reactions else ""
        said = _("Allergy: %(what)s") % {"what": f"{each.substance}{reaction}"}
        yield Line(said, f"AllergyIntolerance/{each.id}", is_grave=each.is_dangerous)
    if listed.status == "unknown":
        yield Line(_("Allergies have not been asked about"))
    for problem in problems(found.get("Condition", ())).active[:_MOST_PROBLEMS]:
        yield Line(problem.text, f"Condition/{problem.id}")


def _assessment(
    found: Mapping[str, Sequence[Mapping[str, Any]]], rules: HandOver, now: datetime,
    since: datetime,
) -> Iterator[Line]:  # fmt: skip
    observations = [
        each for each in found.get("Observation", ()) if each.get("status") != "entered-in-error"
    ]
    for code in rules.measured:
        newest = next((each for each in observations if code in codes(each.get("code"))), None)
        if newest is not None and (line := _measured(newest, now, since)):
            yield line
    for each in observations:
        kinds = {code for category in objects(each.get("category")) for code in codes(category)}
        shown = reading(each)
        fresh = shown.at is not None and shown.at.at > since
        if _LABORATORY in kinds and fresh and shown.is_abnormal:
            yield _line(each, shown, is_new=True, is_grave=_is_critical(shown))
    yield from _written(found.get("Composition", ()), rules, since)


def _measured(resource: Mapping[str, Any], now: datetime, since: datetime) -> Line | None:
    shown = reading(resource)
    if shown.at is None or shown.at.at < now - timedelta(days=3):
        return None
    return _line(resource, shown, is_new=shown.at.at > since, is_grave=_is_critical(shown))


def _line(resource: Mapping[str, Any], shown: Reading, *, is_new: bool, is_grave: bool) -> Line:
    # Of a score, the sum; of a blood pressure, both.
    parts = (
        shown.parts[:1] if resource.get("hasMember") or len(shown.parts) > _PAIR else shown.parts
    )
    values = [
        f"{number(part.amount.value)} {_unit(part.amount.unit)}".strip()
        if part.amount
        else part.words
        for part in parts
    ]
    marks = {"high": "↑", "low": "↓", "critical-high": "‼ ↑", "critical-low": "‼ ↓"}
    mark = marks.get(shown.judgement.kind, "") if shown.judgement else ""
    title = concept_text(resource.get("code"))
    told = " / ".join(each for each in values if each)
    at = clinical_time(shown.at.text) if shown.at else ""
    return Line(
        " ".join(each for each in (f"{title}:", told, mark, f"({at})") if each),
        f"Observation/{shown.id}", is_new, is_grave,
    )  # fmt: skip


def _unit(unit: str) -> str:
    # In UCUM, what stands in braces is no unit.
    return "" if unit.startswith("{") else unit


def _is_critical(shown: Reading) -> bool:
    return shown.judgement is not None and shown.judgement.kind.startswith("critical")


def _written(
    compositions: Iterable[Mapping[str, Any]], rules: HandOver, since: datetime
) -> Iterator[Line]:
    for each in compositions:
        shown = composition(each)
        if shown.at is None or shown.at.at <= since or shown.title == rules.label:
            continue
        words = " ".join(
            " ".join(section.text.split()) for section in shown.sections if section.text
        )
        short = words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS].rsplit(' ', 1)[0]} …"
        who = ", ".join(shown.authors)
        yield Line(f"{shown.title}, {who}: {short}", f"Composition/{shown.id}", is_new=True)


def _recommendation(
    found: Mapping[str, Sequence[Mapping[str, Any]]], rules: HandOver, now: datetime
) -> Iterator[Line]:
    until = now + timedelta(hours=rules.ahead_hours)
    rows = [row_of(task, {}, now) for task in found.get("Task", ())]
    waiting = [
        row for row in rows
        if row.standing and row.standing.is_open and (row.due_at is None or row.due_at <= until)
    ]  # fmt: skip
    yield from _tasks(in_order(waiting))
    for each in found.get("Appointment", ()):
        at: Moment | None = moment(each.get("start"))
        if each.get("status") in ("booked", "pending") and at and now <= at.at <= until:
            what = text(each.get("description")) or concept_text(each.get("appointmentType"))
            yield Line(f"{clinical_time(at.text)} {what}", f"Appointment/{each.get('id')}")
    for plan in found.get("CarePlan", ()):
        if plan.get("status") != "active":
            continue
        for activity in objects(plan.get("activity")):
            detail = mapping(activity.get("detail"))
            if detail.get("status") in _PLAN_STATES and text(detail.get("description")):
                yield Line(text(detail.get("description")), f"CarePlan/{plan.get('id')}")


def _tasks(rows: Sequence[Asked]) -> Iterator[Line]:
    """What is to be done; what comes back through the shift is one line, with how often."""
    alike: dict[tuple[str, str, str, bool], list[Asked]] = {}
    for row in rows:
        alike.setdefault((row.title, row.about, row.owner, row.is_late), []).append(row)
    for (title, about, owner, is_late), found in alike.items():
        due = found[0].due_at
        told = clinical_time(due.isoformat()) if due else ""
        words = " – ".join(
            each for each in (f"{title}: {about}" if about else title, owner) if each
        )
        if told:
            said = _("deadline %(time)s") % {"time": told}
            again = _("then %(more)d more") % {"more": len(found) - 1}
            words = f"{words} ({said}, {again})" if found[1:] else f"{words} ({said})"
        yield Line(words, f"Task/{found[0].task_id}", is_grave=is_late)
