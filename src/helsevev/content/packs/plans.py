"""Plans as professionals write them, care plans and pathways, and the PlanDefinitions they become.

A pathway is a plan whose steps have deadlines. Conditions are FHIRPath over what is known of the
person: `%age` (whole years), `%months`, `%sex`, `%problems` (codes of the problem list) and
`%level` (the highest function level of IPLOS, 0 when none was assessed).
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape, unique

CANONICAL: Final = "https://helsevev.no/fhir/"
START: Final = "start"
_LENGTH: Final = re.compile(r"(\d{1,4}) (min|h|d|wk|mo|a)")
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9.-]")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DOES: Final = ("task", "visit", "order", "referral", "teaching", "conversation")
_KIND: Final = {"order": "ServiceRequest", "referral": "ServiceRequest", "visit": "Appointment"}


class PlannedGoal(Shape, frozen=True, kw_only=True):
    """What is to be reached, in the words that the person meets; `days` until it is evaluated."""

    key: str
    text: str
    days: int = 0


class Action(Shape, frozen=True, kw_only=True):
    """One measure, or one step of a pathway.

    A measure says when: `at` (times of day), `days` (of the week), or `every` ("4 h", "1 wk");
    `lasts` how long it goes on ("14 d"), `minutes` how long one time takes. A step says `within`
    ("14 d") of `after`: another step, or the start. Without either it stands without a time.
    `form` is the key of the form that it is documented by, `who` the profession or unit in words.
    `when` is a condition; what is not `chosen` is offered, and left to the professional.
    """

    key: str
    title: str
    how: str = ""
    goals: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    every: str = ""
    lasts: str = ""
    minutes: int = 0
    within: str = ""
    after: str = START
    who: str = ""
    form: str = ""
    does: str = "task"
    when: str = ""
    chosen: bool = True
    urgent: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be read as a time, and a measure that has a deadline as well."""
        for said in (self.every, self.lasts, self.within):
            if said and not _LENGTH.fullmatch(said):
                raise ValueError(f"{self.key}: {said!r} is no length of time such as '14 d'")
        for clock in self.at:
            if not _CLOCK.fullmatch(clock):
                raise ValueError(f"{self.key}: {clock!r} is no time of day such as '08:00'")
        if unknown := set(self.days) - set(_WEEKDAYS):
            raise ValueError(f"{self.key}: {', '.join(sorted(unknown))} are no days of the week")
        if self.within and self.timing():
            raise ValueError(f"{self.key}: has either a deadline or times, not both")
        if self.does not in _DOES:
            raise ValueError(f"{self.key}: does one of {', '.join(_DOES)}")

    def timing(self) -> dict[str, Any]:
        """The FHIR Timing of a measure, {} when it has no times."""
        repeat: dict[str, Any] = {}
        if self.every:
            period, unit = length(self.every)
            repeat |= {"frequency": 1, "period": period, "periodUnit": unit}
        elif self.at or self.days:
            often = max(1, len(self.at)) * (len(self.days) or 1)
            unit = "wk" if self.days else "d"
            repeat |= {"frequency": often, "period": 1, "periodUnit": unit}
        if self.days:
            repeat["dayOfWeek"] = list(self.days)
        if self.at:
            repeat["timeOfDay"] = [f"{clock}:00" for clock in self.at]
        if repeat and self.minutes:
            repeat |= {"duration": self.minutes, "durationUnit": "min"}
        return {"repeat": repeat} if repeat else {}

    def resource(self) -> dict[str, Any]:
        """It as PlanDefinition.action."""
        found: dict[str, Any] = {"id": fhir_id(self.key), "title": self.title}
        if self.how:
            found["description"] = self.how
        if self.urgent:
            found["priority"] = "urgent"
        if self.when:
            found["condition"] = [{
                "kind": "applicability",
                "expression": {"language": "text/fhirpath", "expression": self.when},
            }]  # fmt: skip
        if self.goals:
            found["goalId"] = [fhir_id(each) for each in self.goals]
        if self.within:
            period, unit = length(self.within)
            how_long = {
                "value": period, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
            }  # fmt: skip
            if self.after == START:
                found["timingDuration"] = how_long
            else:
                found["relatedAction"] = [{
                    "actionId": fhir_id(self.after), "relationship": "after-end",
                    "offsetDuration": how_long,
                }]  # fmt: skip
        elif timing := self.timing():
            found["timingTiming"] = timing
        if self.who:
            found["participant"] = [{"type": "practitioner", "role": {"text": self.who}}]
        found["requiredBehavior"] = "must-unless-documented" if self.chosen else "could"
        if self.form:
            found["definitionCanonical"] = f"{CANONICAL}Questionnaire/{self.form}"
        return found


class PlanCase(Shape, frozen=True, kw_only=True):
    """A person, and what the plan proposes for them; applied on Monday 5 January 2026 at 08:00.

    `proposes` are all actions whose condition holds and that are chosen. `due` are the tasks of
    the first two days, "weigh 06 08:00"; `deadlines` those of steps, "clinic 2026-01-19", counted
    as if every step were taken on its last day.
    """

    about: str
    age: int = 0
    months: int = 0
    sex: str = ""
    problems: tuple[str, ...] = ()
    level: int = 0
    proposes: tuple[str, ...]
    due: tuple[str, ...] = ()
    deadlines: tuple[str, ...] = ()


class Plan(Item, frozen=True, kw_only=True):
    """A care plan or a pathway, ready to be applied to a person.

    `kind` is care or pathway; `problems` are codes (or their beginnings) for which it is proposed,
    `words` what one may type to find it, `evaluate` after how long it is evaluated.
    """

    folder: ClassVar[str] = "plans"

    kind: str = "care"
    words: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    note: str = ""
    evaluate: str = "28 d"
    goal: tuple[PlannedGoal, ...] = ()
    action: tuple[Action, ...]
    case: tuple[PlanCase, ...]

    def __post_init__(self) -> None:
        """Refuse what refers to nothing, keys that occur twice, and a plan without cases."""
        super().__post_init__()
        if self.kind not in ("care", "pathway"):
            raise ValueError("kind must be care or pathway")
        if not (self.action and self.case):
            raise ValueError("a plan needs actions and cases")
        if not _LENGTH.fullmatch(self.evaluate):
            raise ValueError(f"evaluate: {self.evaluate!r} is no length of time such as '28 d'")
        unique("goal", (each.key for each in self.goal))
        unique("action", (each.key for each in self.action))
        goals, earlier = {each.key for each in self.goal}, {START}
        for each in self.action:
            if missing := set(each.goals) - goals:
                raise ValueError(f"{each.key}: there is no goal {', '.join(sorted(missing))}")
            if each.after not in earlier:
                raise ValueError(f"{each.key}: {each.after!r} is no step before it")
            if each.within:
                earlier.add(each.key)

    @property
    def url(self) -> str:
        """Its canonical address, without the version."""
        return f"{CANONICAL}PlanDefinition/{self.key}"

    def resources(self) -> list[dict[str, Any]]:
        """The PlanDefinition (http://hl7.org/fhir/R4/plandefinition.html)."""
        kind = "clinical-protocol" if self.kind == "care" else "workflow-definition"
        found: dict[str, Any] = {
            "resourceType": "PlanDefinition",
            "id": fhir_id(self.key),
            "url": self.url,
            "version": self.version,
            "name": "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", self.key)),
            "title": self.title,
            "type": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/plan-definition-type",
                "code": kind,
            }]},
            "status": "active" if self.status == "approved" else "draft",
            "description": self.note or self.title,
            "goal": [
                {"id": fhir_id(each.key), "description": {"text": each.text}} for each in self.goal
            ],
            "action": [each.resource() for each in self.action],
        }  # fmt: skip
        if not self.goal:
            del found["goal"]
        return [found]


def fhir_id(key: str) -> str:
    """A key as R4 wants ids, which have no underscore."""
    return key.replace("_", "-")


def id_of(plan: Plan) -> str:
    """The id that a plan has as a resource."""
    return _NOT_IN_IDS.sub("-", plan.key)


def length(said: str) -> tuple[int, str]:
    """(how many, unit of UCUM) of a length of time. ValueError when it is none."""
    found = _LENGTH.fullmatch(said)
    if found is None:
        raise ValueError(f"{said!r} is no length of time such as '14 d'")
    return int(found[1]), found[2]
