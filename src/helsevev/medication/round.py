"""One patient's round: doses due now, late, missed and done, and what is taken as needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.reading import (
    codes,
    concept_text,
    concept_texts,
    contained,
    is_mistake,
    mapping,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.fhir.recurrence import Span, Times, TimesFrom
from helsevev.medication.administration import (
    ANSWERS,
    GIVES,
    due_key,
    is_contradiction,
    moment_given,
    needs_two,
    substance_codes,
)
from helsevev.medication.administration_rules import (
    maximum_is_checked,
    shortest_interval,
    spacing,
)
from helsevev.medication.coding import MULTIDOSE, flag
from helsevev.medication.dosage import dose_amount
from helsevev.medication.infusion_flow import is_infusion, is_running, ran_at
from helsevev.medication.infusion_shown import Infusion, infusions_of
from helsevev.medication.outside_shown import OutsidePlan, lately_outside
from helsevev.medication.round_times import earliest, on_time
from helsevev.medication.timing import (
    Due,
    Leave,
    Standing,
    due,
    is_as_needed,
    is_planned,
    unplanned,
)

BACK: Final = timedelta(hours=12)
AHEAD: Final = timedelta(hours=8)
_COMPARED: Final = timedelta(days=35)
EFFECT: Final = "effect"
"""Code of the task to see how an as-needed dose worked."""
OPEN: Final = frozenset({"due", "early", "late", "missed", "prepared"})


class Row(Struct, frozen=True):
    """A planned dose. `state` is upcoming, early, due, late, missed, prepared, running, given,
    withheld or away: the patient was known to be on leave.

    `signed` is the administration that answers it, when there is one. `is_leave` says that the
    patient was on leave then, be it known at the time or told later; `is_bagged` that it is in the
    bag of its time; `is_infusion` that it is started, not given (`infusions`).
    """

    key: str
    at: datetime
    name: str
    amount: str
    route: str
    state: str
    needs_two: bool
    order: Mapping[str, Any]
    dosage: Mapping[str, Any]
    signed: Mapping[str, Any] | None = None
    is_leave: bool = False
    is_bagged: bool = False
    is_infusion: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it can be signed now."""
        return self.state in OPEN

    @property
    def signed_by(self) -> str:
        """Who signed, in words."""
        return ", ".join(
            reference_text(p.get("actor")) for p in objects(mapping(self.signed).get("performer"))
        )

    @property
    def signed_at(self) -> datetime | None:
        """When it was given, or said not to be."""
        return moment_given(self.signed) if self.signed else None

    @property
    def why_not(self) -> str:
        """Why it was not given."""
        return ", ".join(concept_texts(mapping(self.signed).get("statusReason")))


class Bag(Struct, frozen=True):
    """What the pharmacy has packed in one bag for one time, as far as it is not signed."""

    at: datetime
    rows: tuple[Row, ...]

    @property
    def keys(self) -> str:
        """The names of its doses, as a form carries them."""
        return " ".join(row.key for row in self.rows)


class AsNeeded(Struct, frozen=True):
    """What may be given when there is need: the last dose, and from when the next may be given."""

    order: Mapping[str, Any]
    place: int
    dosage: Mapping[str, Any]
    name: str
    amount: str
    reason: str
    last: datetime | None
    not_before: datetime | None
    is_checked: bool


class Contradiction(Struct, frozen=True):
    """Two words about one dose that nobody has settled yet."""

    name: str
    first: Mapping[str, Any]
    second: Mapping[str, Any]


class Round(Struct, frozen=True):
    """All of one patient's round; `unread` are dosages whose times a person has to read."""

    rows: tuple[Row, ...]
    as_needed: tuple[AsNeeded, ...]
    contradictions: tuple[Contradiction, ...]
    unread: tuple[tuple[str, str], ...]
    effects: tuple[Mapping[str, Any], ...]
    outside: tuple[OutsidePlan, ...] = ()
    infusions: tuple[Infusion, ...] = ()

    @property
    def open_rows(self) -> tuple[Row, ...]:
        """What can be signed now, the longest overdue first."""
        return tuple(row for row in self.rows if row.is_open)

    @property
    def bags(self) -> tuple[Bag, ...]:
        """The bags that can be signed now: of one medicine alone there is no bag to sign."""
        together: dict[datetime, list[Row]] = {}
        for row in self.open_rows:
            if row.is_bagged and not row.is_infusion and row.state != "prepared":
                together.setdefault(row.at, []).append(row)
        return tuple(Bag(at, tuple(rows)) for at, rows in together.items() if len(rows) > 1)

    @property
    def single_rows(self) -> tuple[Row, ...]:
        """What can be signed now, is in no bag, and is no infusion."""
        bagged = {row.key for bag in self.bags for row in bag.rows}
        open_rows = (row for row in self.open_rows if not row.is_infusion)
        return tuple(row for row in open_rows if row.key not in bagged)

    def count(self, *states: str) -> int:
        """How many doses are in one of the states."""
        return sum(row.state in states for row in self.rows)


def round_of(
    histories: Iterable[Sequence[Standing]],
    administrations: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    leaves: Sequence[Leave],
    *,
    now: datetime,
    zone: tzinfo,
    times: Times | Sequence[TimesFrom],
) -> Round:
    """The round of a patient at a moment, from the versions of every order that governs now."""
    given = [each for each in administrations if not is_mistake(each)]
    tasks = list(tasks)
    answers = {due_key(each): each for each in given if each.get("status") in ANSWERS}
    rows: list[Row] = []
    needed: list[AsNeeded] = []
    unread: list[tuple[str, str]] = []
    listed = list(histories)
    for history in listed:
        order = history[-1].order
        wide = due(history, Span(now - _COMPARED, now + AHEAD), zone, times)
        rows += [
            _row(dose, history, wide, answers.get(dose.key) or _runs(dose, given), now, leaves)
            for dose in wide
            if dose.at >= now - BACK
        ]
        needed += _as_needed(order, given)
        unread += [
            (name_of(order), text(each.dosage.get("text")) or each.why)
            for each in unplanned(history[-1], zone, times)
        ]
    rows.sort(key=lambda row: (row.at, row.name.casefold()))
    by_id = {text(each.get("id")): each for each in given}
    return Round(
        rows=tuple(rows),
        as_needed=tuple(sorted(needed, key=lambda each: each.name.casefold())),
        contradictions=tuple(_contradictions(given, by_id)),
        unread=tuple(unread),
        effects=tuple(task for task in tasks if is_open_effect(task)),
        outside=tuple(lately_outside(given, tasks, name_of, now - BACK)),
        infusions=tuple(infusions_of(listed, given, _to_start(rows, now), name_of, now, zone)),
    )


def governing(
    orders: Iterable[Mapping[str, Any]], encounters: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The orders that doses are given by: during a stay those of the stay, else those at home."""
    stays = any(
        each.get("status") in ONGOING and "IMP" in codes(each.get("class")) for each in encounters
    )
    found = []
    for order in orders:
        said = codes(order.get("category"))
        if not said or ("inpatient" in said) == stays:
            found.append(order)
    return found


def name_of(order: Mapping[str, Any]) -> str:
    """What the medicine of an order is called."""
    reference = order.get("medicationReference")
    return (
        concept_text(order.get("medicationCodeableConcept"))
        or concept_text(contained(order, reference).get("code"))
        or reference_text(reference)
    )


def is_open_effect(task: Mapping[str, Any]) -> bool:
    """Whether somebody still has to see how an as-needed dose worked."""
    return task.get("status") == "requested" and EFFECT in codes(task.get("code"))


def _row(
    dose: Due,
    history: Sequence[Standing],
    planned: Sequence[Due],
    signed: Mapping[str, Any] | None,
    now: datetime,
    leaves: Sequence[Leave],
) -> Row:
    order = next(
        s.order for s in reversed(history) if s.since <= dose.at
    )  # The version that it is due by.
    apart = spacing(planned, dose.at)
    is_away = signed is None and any(leave.excuses(dose.at) for leave in leaves)
    return Row(
        key=dose.key,
        at=dose.at,
        name=name_of(order),
        amount=dose_amount(dose.dosage) or text(dose.dosage.get("text")),
        route=concept_text(dose.dosage.get("route")),
        state="away" if is_away else _state(dose.at, order, apart, signed, now),
        needs_two=needs_two(order),
        order=order,
        dosage=dose.dosage,
        signed=signed,
        is_leave=any(leave.covers(dose.at) for leave in leaves),
        is_bagged=flag(order, MULTIDOSE) and not needs_two(order),
        is_infusion=is_infusion(dose.dosage),
    )


def _runs(dose: Due, given: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The infusion that ran when its order's next rate was due: that is set, not started anew."""
    if not is_infusion(dose.dosage):
        return None
    own = f"MedicationRequest/{dose.order}"
    return next(
        (each for each in given
         if reference_key(each.get("request")) == own and ran_at(each, dose.at)), None,
    )  # fmt: skip


def _state(
    at: datetime,
    order: Mapping[str, Any],
    apart: timedelta | None,
    signed: Mapping[str, Any] | None,
    now: datetime,
) -> str:
    if signed is not None and is_running(signed):
        return "running"
    if signed is not None:
        return {"not-done": "withheld", "in-progress": "prepared"}.get(
            text(signed.get("status")), "given"
        )
    limit = on_time(substance_codes(order), apart)
    if now < at:
        if at - now > earliest(apart):
            return "upcoming"
        return "due" if at - now <= limit / 2 else "early"
    if now - at <= limit:
        return "due"
    missed = max(limit, timedelta(minutes=loading.rounds().tolerance.missed))
    return "late" if now - at <= missed else "missed"


def _to_start(rows: Iterable[Row], now: datetime) -> dict[str, tuple[str, str]]:
    """Of each order whose infusion is to be started: which planned dose that is, and its state."""
    waits = [row for row in rows if row.is_infusion and row.signed is None]
    # The last start that has come counts before any that is yet to come, and of those the first.
    waits.sort(key=lambda row: (row.at <= now, row.at if row.at <= now else now - (row.at - now)))
    return {text(row.order.get("id")): (row.key, row.state) for row in waits}


def _as_needed(order: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> Iterable[AsNeeded]:
    if not is_planned(order):
        return
    own = f"MedicationRequest/{order.get('id')}"
    moments = [
        at
        for each in given
        if reference_key(each.get("request")) == own
        and each.get("status") in GIVES
        and (at := moment_given(each)) is not None
    ]
    last = max(moments, default=None)
    for place, dosage in enumerate(objects(order.get("dosageInstruction"))):
        if not is_as_needed(dosage):
            continue
        least = shortest_interval(dosage)
        yield AsNeeded(
            order, place, dosage, name_of(order),
            dose_amount(dosage) or text(dosage.get("text")),
            concept_text(dosage.get("asNeededCodeableConcept")),
            last, last + least if last and least else None, maximum_is_checked(dosage),
        )  # fmt: skip


def _contradictions(
    given: Iterable[Mapping[str, Any]], by_id: Mapping[str, Mapping[str, Any]]
) -> Iterable[Contradiction]:
    for each in given:
        if not is_contradiction(each):
            continue
        first_id = reference_key(objects(each.get("partOf"))[0]).partition("/")[2]
        yield Contradiction(name_of(each), by_id.get(first_id, {}), each)
