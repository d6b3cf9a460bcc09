"""What the forms of plans hold, read into plans, goals and measures, or what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.care_plan.keeping import OpenedPlans
from helsevev.care_plan.plan import Measure
from helsevev.care_plan.plan_reading import goals_of, problems_of
from helsevev.care_plan.timing_words import WEEKDAYS, when_words
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    OSLO,
    concept_text,
    first,
    mapping,
    moment,
    number,
    objects,
    reference_key,
    reference_text,
    text,
    texts,
)
from helsevev.locale import gettext as _

DAYS: Final = "days"
ONCE: Final = "once"
_OFTEN: Final = ("1 d", DAYS, "1 wk", "2 wk", "1 mo", "3 mo", "2 h", "4 h", "6 h", "8 h", ONCE)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:.]?([0-5]\d)?")
_MOST_TIMES: Final = 12
_LONGEST_DAY: Final = 1440
_SHORTEST: Final = 2
_TEXT: Final = 500


def often_choices() -> list[dict[str, str]]:
    """How often a measure can be done, as choices."""
    words = {DAYS: _("On chosen days"), ONCE: _("Once")}
    found = [{"value": "", "label": _("Without a time")}]
    for each in _OFTEN:
        many, _space, unit = each.partition(" ")
        every = {"frequency": 1, "period": int(many) if unit else 1, "periodUnit": unit}
        found.append({"value": each, "label": words.get(each) or when_words({"repeat": every})})
    return found


def measure_of_form(
    form: Mapping[str, str],
    several: Mapping[str, Sequence[str]],
    opened: OpenedPlans,
    now: datetime,
) -> tuple[Measure | None, list[Issue]]:
    """The measure that a form says, or what is wrong with it, each issue with its field."""
    issues: list[Issue] = []
    if len(form["title"].strip()) < _SHORTEST:
        issues.append(error("required", _("Say what is to be done."), "title"))
    repeat = _repeat(form, several, issues)
    until = day_of(form["until"])
    if form["until"] and (until is None or until < now.astimezone(OSLO).date()):
        issues.append(error("value", _("Choose a day to come."), "until"))
    goals = {f"Goal/{each.get('id')}" for each in opened.found["Goal"]}
    problems = {f"Condition/{each.get('id')}" for each in opened.found["Condition"]}
    who = dict(performers(opened))
    if form["performer"] not in who:
        issues.append(error("required", _("Choose who does it."), "performer"))
    if issues:
        return None, issues
    return Measure(
        title=form["title"].strip(), how=form["how"].strip(), repeat=repeat, until=until,
        goals=tuple(g for g in several["goal"] if g in goals),
        problems=tuple(p for p in several["problem"] if p in problems),
        performer=(form["performer"], who[form["performer"]]),
        discipline=form["discipline"].strip(), form=form["form"],
    ), []  # fmt: skip


def _repeat(
    form: Mapping[str, str], several: Mapping[str, Sequence[str]], issues: list[Issue]
) -> dict[str, Any]:
    often = form["often"]
    clocks = clocks_of(form["at"])
    if clocks is None:
        issues.append(error("value", _("Write times of day as 08:00, 20:00."), "at"))
    minutes = number(form["minutes"].strip() or None)
    if form["minutes"].strip() and (minutes is None or not 0 < minutes <= _LONGEST_DAY):
        issues.append(error("value", _("Say how many minutes it takes."), "minutes"))
    days = [each for each in WEEKDAYS if each in several["day"]]
    if often == DAYS and not days:
        issues.append(error("required", _("Choose the days."), "day"))
    if often not in ("", *_OFTEN):
        issues.append(error("value", _("Choose how often."), "often"))
    if issues or not often:
        return {}
    repeat: dict[str, Any] = {}
    if often == ONCE:
        repeat["count"] = 1
    if often in (DAYS, ONCE):
        repeat |= {"frequency": max(1, len(clocks or ()) * max(1, len(days))), "period": 1}
        repeat["periodUnit"] = "wk" if often == DAYS else "d"
    else:
        many, _space, unit = often.partition(" ")
        repeat |= {"frequency": max(1, len(clocks or ())) if unit == "d" else 1,
                   "period": int(many), "periodUnit": unit}  # fmt: skip
    if often == DAYS:
        repeat["dayOfWeek"] = days
    if clocks and not often.endswith(" h"):
        repeat["timeOfDay"] = clocks
    if minutes:
        repeat |= {"duration": int(minutes), "durationUnit": "min"}
    return repeat


def form_of_measure(measure: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields hold for a measure as it stands; `day`, `goal` and `problem` are lists."""
    detail = mapping(measure.get("detail"))
    repeat = mapping(mapping(detail.get("scheduledTiming")).get("repeat"))
    often = ""
    if repeat.get("count") == 1:
        often = ONCE
    elif repeat.get("dayOfWeek"):
        often = DAYS
    elif repeat.get("period") is not None:
        often = f"{int(number(repeat.get('period')) or 1)} {text(repeat.get('periodUnit'))}"
    until = moment(mapping(repeat.get("boundsPeriod")).get("end"))
    performer = first(detail.get("performer"))
    return {
        "title": concept_text(detail.get("code")), "how": text(detail.get("description")),
        "often": often, "at": ", ".join(each[:5] for each in texts(repeat.get("timeOfDay"))),
        "minutes": text(str(int(number(repeat.get("duration")) or 0) or "")),
        "until": until.day.isoformat() if until else "", "performer": reference_key(performer),
        "day": texts(repeat.get("dayOfWeek")), "goal": goals_of(measure),
        "problem": problems_of(measure),
    }  # fmt: skip


def clocks_of(said: str) -> list[str] | None:
    """Times of day ("08:00:00") as somebody typed them; None when one cannot be read."""
    found = []
    for part in re.split(r"[,;\s]+", said.strip()):
        if not part:
            continue
        read = _CLOCK.fullmatch(part)
        if read is None:
            return None
        found.append(f"{int(read[1]):02}:{read[2] or '00'}:00")
    return sorted(set(found))[:_MOST_TIMES]


def day_of(said: str) -> date | None:
    """A day as a date field gives it, None when it gives none."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def performers(opened: OpenedPlans) -> list[tuple[str, str]]:
    """(reference, name) of those who may be asked: my unit, me, the team, and the units around."""
    actor = opened.actor
    found: dict[str, str] = {}
    if actor.unit:
        found[actor.unit[0]] = actor.unit_name
    if actor.kind == "practitioner":
        found[actor.id] = actor.name
    for team in opened.found["CareTeam"]:
        if team.get("status") not in (None, "active"):
            continue
        for each in objects(team.get("participant")):
            member = mapping(each.get("member"))
            _add(found, member)
        _add(found, first(team.get("managingOrganization")))
    for episode in opened.found["EpisodeOfCare"]:
        if episode.get("status") == "active":
            _add(found, mapping(episode.get("managingOrganization")))
    for encounter in opened.found["Encounter"]:
        if encounter.get("status") == "in-progress":
            _add(found, mapping(encounter.get("serviceProvider")))
    return list(found.items())


def _add(found: dict[str, str], who: Mapping[str, Any]) -> None:
    key, name = reference_key(who), reference_text(who)
    if name and key.startswith(("Practitioner/", "PractitionerRole/", "Organization/")):
        found.setdefault(key, name)


def team(opened: OpenedPlans) -> list[tuple[str, str]]:
    """(reference, name) of everybody around the person, their next of kin among them."""
    found = dict(performers(opened))
    for each in opened.found["CareTeam"]:
        for part in objects(each.get("participant")):
            who = mapping(part.get("member"))
            role = concept_text(first(part.get("role")))
            name = reference_text(who) or role
            if name and reference_key(who).startswith("RelatedPerson/"):
                found.setdefault(reference_key(who), name)
    return list(found.items())


def problem_choices(opened: OpenedPlans) -> list[tuple[str, str]]:
    """(reference, words) of the person's active problems."""
    found = []
    for each in opened.found["Condition"]:
        status = {c for x in objects(mapping(each.get("clinicalStatus")).get("coding"))
                  if (c := text(x.get("code")))}  # fmt: skip
        if not status or status & {"active", "recurrence", "relapse"}:
            found.append((f"Condition/{each.get('id')}", concept_text(each.get("code"))))
    return [(key, words) for key, words in found if words]


def as_references(keys: Iterable[str], known: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The chosen of some (reference, words), as References with their words."""
    words = dict(known)
    return [{"reference": key, "display": words[key]} for key in keys if key in words]


def default_performer(actor: Actor) -> str:
    """Who is asked where nobody says otherwise: the unit, else the actor."""
    return actor.unit[0] if actor.unit else actor.id


def in_days(now: datetime, days: int) -> str:
    """So many days from now, as a date field holds it."""
    return (now.astimezone(OSLO).date() + timedelta(days=days)).isoformat()


async def typed(request: Any, names: Iterable[str]) -> dict[str, str]:
    """Fields of a posted form, "" where one is missing."""
    form = await request.form()
    return {name: str(form.get(name, ""))[: _TEXT * 8] for name in names}


async def chosen(request: Any, *names: str) -> dict[str, list[str]]:
    """Fields of a posted form that can be chosen several of."""
    form = await request.form()
    return {name: [str(each)[:_TEXT] for each in form.getall(name, [])] for name in names}
