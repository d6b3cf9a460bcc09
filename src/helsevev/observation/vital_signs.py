"""A round of vital signs: typed numbers in, Observations out, nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from msgspec import Struct

from helsevev.content import loading
from helsevev.content.score_shapes import News2
from helsevev.content.shapes import Measured, VitalSigns
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import amount, codes, is_mistake, moment, objects
from helsevev.locale import gettext as _
from helsevev.observation.entries import (
    UCUM,
    consciousness_entry,
    measurement,
    score_entry,
)
from helsevev.observation.news2 import Score, score

_NUMBER: Final = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,6})?")
_ACTIVE: Final = frozenset({"active", "recurrence", "relapse"})
_CLOCK_SKEW: Final = timedelta(minutes=5)


class Person(Struct, frozen=True):
    """Whom it is about: id, age in whole months (None: unknown), active problems and sex."""

    patient_id: str
    months: int | None
    problem_codes: frozenset[str] = frozenset()
    sex: str = ""

    def is_scored(self, table: News2) -> bool:
        """Whether NEWS2 is meant for this person; an unknown age is no reason to hide it."""
        old_enough = self.months is None or self.months >= table.from_years * 12
        return old_enough and self.excluded_by(table) is None

    def excluded_by(self, table: News2) -> str | None:
        """What about the person makes NEWS2 misleading, in words; None when nothing does."""
        for exclusion in table.not_when:
            if any(code.startswith(exclusion.codes) for code in self.problem_codes):
                return exclusion.label
        return None


class Performer(Struct, frozen=True):
    """Who measured: a reference and the name to show."""

    reference: str
    name: str


class Taken(Struct, frozen=True):
    """What a form says: numbers by key, the ACVPU letter, what is wrong, and the score so far.

    `score` is None for those too young for it.
    """

    values: Mapping[str, Decimal]
    consciousness: str
    issues: tuple[Issue, ...]
    score: Score | None


class NotRecordable(ValueError):
    """The measurements cannot be recorded; `issues` name each field and say why."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)


def age_in_months(born: date | None, today: date) -> int | None:
    """Whole months of life; None when the birth date is unknown or has not come."""
    if born is None or born > today:
        return None
    return (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)


def read_form(form: Mapping[str, str], person: Person, signs: VitalSigns, table: News2) -> Taken:
    """Read what was typed. Comma or point; the digits stay as typed (37,0 is 37.0).

    Issues carry the field's key as their expression. The score counts what is right.
    """
    values: dict[str, Decimal] = {}
    issues: list[Issue] = []
    for sign in signs.sign:
        for part in sign.parts:
            typed = "".join(form.get(part.key, "").split()).replace("\u2212", "-")
            if not typed:
                continue
            found = read_number(part, typed)
            if isinstance(found, Decimal):
                values[part.key] = found
            else:
                issues.append(found)
    consciousness = form.get("consciousness", "").strip()
    if consciousness and consciousness not in {answer.key for answer in table.consciousness}:
        issues.append(error("value", _("Choose one of the answers."), "consciousness"))
        consciousness = ""
    issues += _pressure_issues(values)
    scale_2 = form.get("scale_2", "") not in ("", "0")
    live = score(values, consciousness, table, scale_2=scale_2) if person.is_scored(table) else None
    return Taken(values, consciousness, tuple(issues), live)


def read_number(part: Measured, typed: str) -> Decimal | Issue:
    """A number as it was typed, by comma or point, or what is wrong with it."""
    if not _NUMBER.fullmatch(typed):
        return error("value", _("Write a number."), part.key)
    value = Decimal(typed.replace(",", "."))
    decimals = len(typed.replace(",", ".").partition(".")[2])
    if decimals > part.decimals:
        told = _("At most %(count)s decimals.") % {"count": part.decimals}
        return error("value", told if part.decimals else _("Write a whole number."), part.key)
    return value if part.is_plausible(value) else error("value", part.refused, part.key)


def _pressure_issues(values: Mapping[str, Decimal]) -> list[Issue]:
    upper, lower = values.get("systolic"), values.get("diastolic")
    if lower is not None and upper is None:
        return [error("required", _("The systolic pressure is missing."), "systolic")]
    if upper is not None and lower is not None and lower >= upper:
        return [error("value", _("Must be lower than the systolic pressure."), "diastolic")]
    return []


def taken_at(typed: str, now: datetime) -> datetime:
    """The time of the round: local date and time from the form, or now when left empty.

    Raises NotRecordable when it is no time, or one that has not come.
    """
    if not typed.strip():
        return now
    found = moment(typed.strip())
    if found is None or not found.is_exact:
        raise NotRecordable([error("value", _("Write date and time."), "time")])
    if found.at > now + _CLOCK_SKEW:
        raise NotRecordable([error("value", _("The time has not come yet."), "time")])
    return found.at


def record_vital_signs(
    form: Mapping[str, str],
    *,
    person: Person,
    performer: Performer,
    at: datetime,
    signs: VitalSigns,
    table: News2,
    key: UUID,
    encounter: str | None = None,
) -> list[tuple[str, dict[str, Any]]]:
    """The Observations of one round, each with its urn:uuid, ready for one transaction.

    One Observation for each measurement, one for a panel with its components, and NEWS2 with its
    parts when all of them are there, derived from the others. Raises NotRecordable when nothing
    was typed or anything is wrong; then nothing is made. `key` names the round: the same form
    sent twice gives the same entries.
    """
    taken = read_form(form, person, signs, table)
    issues = list(taken.issues)
    if not issues and not taken.values and not taken.consciousness:
        issues.append(error("required", _("Nothing is filled in."), signs.sign[0].parts[0].key))
    if issues:
        raise NotRecordable(issues)
    shared: dict[str, Any] = {
        "subject": {"reference": f"Patient/{person.patient_id}"},
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "performer": [{"reference": performer.reference, "display": performer.name}],
    }
    if encounter:
        shared["encounter"] = {"reference": encounter}
    made = []
    for sign in signs.sign:
        parts = [part for part in sign.parts if part.key in taken.values]
        if parts:
            made.append(measurement(sign, parts, taken.values, person.months, shared, person.sex))
    if taken.consciousness:
        made.append(consciousness_entry(taken.consciousness, table, shared))
    entries = [(_url(key, place), resource) for place, resource in enumerate(made)]
    if taken.score is not None and taken.score.total is not None:
        sources = [url for url, _resource in entries]
        entries.append((_url(key, len(made)), score_entry(taken.score, table, sources, shared)))
    return entries


def _url(key: UUID, place: int) -> str:
    """The same name for the same place in the same round, so that a repeat is seen as one."""
    return f"urn:uuid:{uuid5(key, str(place))}"


def problem_codes(conditions: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The codes of active problems (Condition)."""
    active = (c for c in conditions if codes(c.get("clinicalStatus")) & _ACTIVE)
    return frozenset(code for c in active for code in codes(c.get("code")))


def was_on_scale_2(newest_first: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last NEWS2 was on scale 2: so is the next, unless somebody says otherwise."""
    table = loading.news2()
    scale_2 = {part.snomed for part in table.part if part.key.startswith("saturation-2")}
    for observation in newest_first:
        if table.snomed in codes(observation.get("code")) and not is_mistake(observation):
            components = objects(observation.get("component"))
            return any(codes(part.get("code")) & scale_2 for part in components)
    return False


def check(observation: Mapping[str, Any]) -> list[Issue]:
    """The rules of an Observation, whichever door it comes through: only what cannot be true.

    A vital sign is not negative, and no saturation exceeds 100 %.
    """
    if "vital-signs" not in codes(observation.get("category")):
        return []
    found: list[Issue] = []
    components = objects(observation.get("component"))
    places = [
        ("Observation.value", observation),
        *((f"Observation.component[{i}].value", c) for i, c in enumerate(components)),
    ]
    for place, element in places:
        measured = amount(element.get("valueQuantity"))
        if measured is None or measured.value is None or measured.system != UCUM:
            continue
        if measured.value < 0 and measured.code not in ("Cel", "[degF]"):
            found.append(error("business-rule", _("A vital sign cannot be negative."), place))
        saturation = codes(element.get("code")) & {"2708-6", "59408-5", "431314004"}
        if saturation and measured.code == "%" and measured.value > 100:
            found.append(error("business-rule", _("Saturation cannot exceed 100 %."), place))
    return found
