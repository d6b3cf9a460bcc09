"""A form with answers: what is asked, what is worked out, what is missing, what the sums are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.path import Knows, PathError
from helsevev.fhir.questionnaire import checking, origins
from helsevev.fhir.questionnaire.answering import DoesNotFit, answers_of
from helsevev.fhir.questionnaire.comparing import same, value_of
from helsevev.fhir.questionnaire.enabling import enable
from helsevev.fhir.questionnaire.expressions import Expression, Scope
from helsevev.fhir.questionnaire.issues import Issue
from helsevev.fhir.questionnaire.places import Answer, Layout, Place
from helsevev.fhir.questionnaire.preparing import weight_key
from helsevev.fhir.questionnaire.structure import Band, Option, Prepared

_MOST_ROUNDS: Final = 40
# What forms may ask for by these names (https://hl7.org/fhir/uv/sdc/CodeSystem-launchContext.html).
_LAUNCHED: Final = (
    "patient",
    "encounter",
    "location",
    "user",
    "study",
    "clinical",
    "age",
    "months",
)


@dataclass(frozen=True, slots=True)
class Score:
    """A sum that stands in a form: its value (None until it can be told) and the band it is in."""

    link_id: str
    text: str
    value: Decimal | int | None
    band: Band | None


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """An answer as it stands. `response` has what is asked and answered, ready to be signed.

    `places` is the form as a page shows it, also what is not asked now; `by_key` finds a place.
    `offered` are options worked out from what is known, by place.
    """

    response: dict[str, Any]
    places: tuple[Place, ...]
    by_key: Mapping[str, Place]
    enabled: frozenset[str]
    issues: tuple[Issue, ...]
    scores: tuple[Score, ...]
    offered: Mapping[str, tuple[Option, ...]]

    @property
    def complete(self) -> bool:
        """Whether nothing stands in the way of signing it."""
        return not any(each.stops for each in self.issues)

    def issues_at(self, key: str) -> list[Issue]:
        """What there is to say of one place."""
        return [each for each in self.issues if each.key == key]

    def origin(self, key: str) -> origins.Origin | None:
        """Where the first answer at a place came from; None when a person gave it."""
        place = self.by_key.get(key)
        return origins.of(place.answers[0]) if place is not None and place.answers else None


def fill(
    prepared: Prepared,
    response: Mapping[str, Any],
    *,
    context: Mapping[str, Any],
    now: datetime,
) -> Filled:
    """What a form says of these answers. `response` itself is left as it is.

    `context` holds what expressions may name: `patient`, `encounter`, `user`, and what queries
    gave, by name; a resource, a list of them, or a Bundle.
    """
    working = Working(prepared, response, context, now)
    working.settle()
    layout = working.layout
    offered = working.offered()
    checked = list(checking.check(layout, prepared.constraints, working.evaluate))
    return Filled(
        response=finished(layout.assemble(), prepared),
        places=tuple(layout.roots),
        by_key={each.key: each for each in layout.all},
        enabled=frozenset(each.item.link_id for each in layout.all if each.enabled),
        issues=(*working.issues, *working.failed(), *checked),
        scores=tuple(_scores(layout)),
        offered=offered,
    )


def finished(response: dict[str, Any], prepared: Prepared) -> dict[str, Any]:
    """The answer with its type first, naming the form that it answers."""
    kept = {key: value for key, value in response.items() if key not in ("resourceType", "item")}
    named = {"questionnaire": prepared.canonical} if prepared.url else {}
    last = {"item": response["item"]} if "item" in response else {}
    return {"resourceType": "QuestionnaireResponse", **named, **kept, **last}


class Working:
    """Answers while they are worked on: places, variables, and what could not be worked out."""

    def __init__(
        self,
        prepared: Prepared,
        response: Mapping[str, Any],
        context: Mapping[str, Any],
        now: datetime,
    ) -> None:
        self.prepared = prepared
        self.now = now
        self.layout = Layout(prepared, response)
        self.issues = [Issue("stranger", link, link, "") for link in self.layout.strangers]
        self._failed: dict[tuple[Place | None, Expression], Issue] = {}
        self._known = launched(prepared, context, now)
        self._scopes: dict[int, Scope] = {}
        self.knows = Knows(weight=self._weight)
        # With the answer itself, so that its identity is nobody else's while it is asked for.
        self._points: dict[int, tuple[Any, Decimal | int]] = {}
        self._calculated = [each for each in self.layout.all if each.item.is_calculated]
        for each in self.layout.all:
            self._weigh(each)

    def settle(self) -> None:
        """Work everything out until nothing changes any more."""
        waiting = {id(each) for each in self._calculated}
        for _ in range(_MOST_ROUNDS):
            if self._enable():
                waiting = {id(each) for each in self._calculated}
            if not waiting:
                return
            for place in self._calculated:
                if id(place) in waiting:
                    waiting.discard(id(place))
                    if place.enabled and self._calculate(place):
                        waiting |= self._resting_on(place.item.link_id)
        self.issues.append(Issue("unsettled", "", "", ""))

    def enable_only(self) -> None:
        """Tell what is asked, and leave every answer as it was signed."""
        self._enable()
        self._begin_round()

    def _enable(self) -> bool:
        changed = False
        for _ in range(_MOST_ROUNDS):
            self._begin_round()
            if not enable(self.layout, self.evaluate):
                return changed
            changed = True
        return changed

    def _begin_round(self) -> None:
        self.layout.assemble()
        self._scopes.clear()

    def _resting_on(self, link: str) -> set[int]:
        """Calculations that may come out otherwise when the answers to an item change."""
        reads = self.prepared.reads
        return {
            id(each)
            for each in self._calculated
            if (known := reads[each.item.link_id]) is None or link in known
        }

    def _calculate(self, place: Place) -> bool:
        """Work out one answer, and say whether it changed."""
        expression = place.item.rules.calculated
        if expression is None or any(origins.is_overridden(each) for each in place.answers):
            return False
        values = self.evaluate(expression, place)
        if values is None:
            values = []
        try:
            answers = answers_of(values, place.item)
        except DoesNotFit as problem:
            self._fail(place, expression, str(problem))
            answers = []
        if _say_the_same(answers, place.answers):
            return False
        place.answers = [origins.calculated(answer) for answer in answers]
        self._weigh(place)
        self.layout.refresh(place)
        self._scopes.clear()
        return True

    def evaluate(self, expression: Expression, place: Place | None) -> list[Any] | None:
        """The values of an expression at a place; None when it failed, which is then an issue."""
        try:
            values = expression(
                self.layout.response,
                None if place is None else place.node,
                self.scope(place),
                self.knows,
                self.now,
            )
        except PathError as problem:
            self._fail(place, expression, str(problem))
            return None
        self._failed.pop((place, expression), None)
        return values

    def scope(self, place: Place | None) -> Scope:
        """The variables that an expression at a place may name."""
        key = 0 if place is None else id(place)
        found = self._scopes.get(key)
        if found is not None:
            return found
        if place is None:
            made = {each.name: each for each in self.prepared.variables}
            known_here = {**self._known, "resource": self.layout.response}
            found = Scope(known_here, made, self._evaluate_variable(None))
        else:
            made = {each.name: each for each in place.item.rules.variables}
            here = {"context": place.node, "qitem": place.item.raw}
            found = Scope(here, made, self._evaluate_variable(place), self.scope(place.parent))
        self._scopes[key] = found
        return found

    def _evaluate_variable(self, place: Place | None) -> Any:
        def evaluate(expression: Expression, scope: Scope) -> list[Any]:
            if expression.is_query:
                # The page has made the search, and handed in what it found by this name.
                value = self._known.get(expression.name)
                return value if type(value) is list else [] if value is None else [value]
            node = None if place is None else place.node
            return expression(self.layout.response, node, scope, self.knows, self.now)

        return evaluate

    def _fail(self, place: Place | None, expression: Expression, why: str) -> None:
        """Keep why something could not be worked out, until it can."""
        link, key = ("", "") if place is None else (place.item.link_id, place.key)
        self._failed[place, expression] = Issue("not-calculated", link, key, why)

    def failed(self) -> list[Issue]:
        """What could not be worked out, each once."""
        return list(dict.fromkeys(self._failed.values()))

    def _weigh(self, place: Place) -> None:
        weights = self.prepared.weights.get(place.item.link_id)
        if weights:
            for answer in place.answers:
                points = weights.get(weight_key(answer))
                value = value_of(answer)
                if points is not None and type(value) is dict:
                    self._points[id(value)] = (value, points)

    def _weight(self, value: Any) -> Decimal | int | None:
        found = self._points.get(id(value))
        if found is not None:
            return found[1]
        key = weight_key({"value": value})
        said = {each[key] for each in self.prepared.weights.values() if key in each}
        return said.pop() if len(said) == 1 else None

    def points_of(self, answer: Answer) -> Decimal | int | None:
        """The points that a chosen answer gives."""
        value = value_of(answer)
        found = self._points.get(id(value)) if type(value) is dict else None
        return None if found is None else found[1]

    def offered(self) -> dict[str, tuple[Option, ...]]:
        """Options that the form lets be worked out, by place."""
        found = {}
        for place in self.layout.all:
            expression = place.item.rules.answers
            if expression is not None and place.enabled:
                values = self.evaluate(expression, place) or []
                found[place.key] = tuple(checking.options_of(values, place.item))
        return found


def launched(prepared: Prepared, context: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What expressions may name, with `age` (whole years) and `months` of the patient told."""
    found: dict[str, Any] = {**dict.fromkeys((*_LAUNCHED, *prepared.launch)), **context}
    found["questionnaire"] = prepared.questionnaire
    patient = found.get("patient")
    born = patient.get("birthDate") if isinstance(patient, Mapping) else None
    if type(born) is str and len(born) == len("2000-01-01"):
        year, month, day = (int(part) for part in born.split("-"))
        months = (now.year - year) * 12 + now.month - month - (now.day < day)
        found["age"] = months // 12
        found["months"] = months
    return found


def _say_the_same(new: list[Answer], old: list[Answer]) -> bool:
    return len(new) == len(old) and all(
        _identical(value_of(one), value_of(other)) for one, other in zip(new, old, strict=True)
    )


def _identical(one: Any, other: Any) -> bool:
    return one == other if type(one) is type(other) else same(one, other)


def _scores(layout: Layout) -> list[Score]:
    found = []
    for place in layout.all:
        item = place.item
        if not place.enabled or not (item.bands or _is_sum(place)):
            continue
        value = value_of(place.answers[0]) if place.answers else None
        if type(value) is dict:
            value = value.get("value")
        number = value if type(value) is int or isinstance(value, Decimal) else None
        bands = (each for each in item.bands if number is not None and each.holds(number))
        found.append(Score(item.link_id, item.text, number, next(bands, None)))
    return found


def _is_sum(place: Place) -> bool:
    units = [each.get("code") for each in place.item.units]
    return place.item.is_calculated and ("{score}" in units or "score" in units)
