"""A form filled in from the record before anybody types: each answer knows where it came from.

https://hl7.org/fhir/uv/sdc/populate.html: expressions, population contexts, Observations by code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from helsevev.fhir.path import PathError
from helsevev.fhir.questionnaire import origins
from helsevev.fhir.questionnaire.answering import DoesNotFit, answer_of
from helsevev.fhir.questionnaire.asking import OBSERVATIONS, link_period
from helsevev.fhir.questionnaire.comparing import value_of
from helsevev.fhir.questionnaire.expressions import Expression, Scope
from helsevev.fhir.questionnaire.filling import finished, launched
from helsevev.fhir.questionnaire.places import Answer
from helsevev.fhir.questionnaire.structure import Item, Prepared

_NOTHING: Final[Mapping[str, Any]] = {"resourceType": "QuestionnaireResponse"}
_USABLE: Final = frozenset({"final", "amended", "corrected"})


def populate(
    prepared: Prepared,
    context: Mapping[str, Any],
    sources: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """A QuestionnaireResponse (in-progress) with what the record and the form say beforehand.

    `context` is as for `fill`; `sources` are the results of `queries` by name (lists of resources
    or Bundles). An answer from the record carries its source (`origins.of`). What has no value,
    or one that does not fit the question, stays open.
    """
    known = launched(prepared, {**context, **_by_name(sources)}, now)
    populating = _Populating(prepared, known, _observations(sources), now)
    items = list(populating.items(prepared.items, populating.scope))
    response: dict[str, Any] = {**_NOTHING, "status": "in-progress"}
    if items:
        response["item"] = items
    return finished(response, prepared)


def _by_name(sources: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions may name: searches one by one, and those of a batch as one Bundle."""
    found: dict[str, Any] = {}
    for name, value in sources.items():
        batch, bracket, _ = name.partition("[")
        if bracket:
            bundle = found.setdefault(batch, {"resourceType": "Bundle", "entry": []})
            bundle["entry"].append({"resource": _as_bundle(value)})
        else:
            found[name] = value
    return found


def _as_bundle(value: Any) -> Any:
    if type(value) is list:
        entries = [{"resource": each} for each in value]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    return value


def _observations(sources: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = sources.get(OBSERVATIONS, [])
    if type(found) is dict:
        found = [each.get("resource", {}) for each in found.get("entry", ())]
    usable = [each for each in found if each.get("status") in _USABLE]
    return sorted(usable, key=_taken, reverse=True)


def _taken(observation: Mapping[str, Any]) -> str:
    period = observation.get("effectivePeriod") or {}
    return str(
        observation.get("effectiveDateTime") or observation.get("effectiveInstant")
        or period.get("end") or period.get("start") or observation.get("issued") or ""
    )  # fmt: skip


class _Populating:
    """One form while it is filled in from what was looked up."""

    def __init__(
        self,
        prepared: Prepared,
        known: Mapping[str, Any],
        observations: Sequence[dict[str, Any]],
        now: datetime,
    ) -> None:
        self.prepared = prepared
        self.now = now
        self.observations = observations
        # The results of a search are at hand by its name; it must not hide them.
        made = {each.name: each for each in prepared.variables if not each.is_query}
        self.scope = Scope({**known, "resource": _NOTHING}, made, self._variable)

    def _variable(self, expression: Expression, scope: Scope) -> Any:
        if expression.is_query:
            return []
        return self.evaluate(expression, scope)

    def evaluate(self, expression: Expression, scope: Scope) -> list[Any]:
        """The values of an expression; none when it fails or is a search without results."""
        if expression.is_query:
            value = scope.get(expression.name) or []
            return value if type(value) is list else [value]
        try:
            return expression(_NOTHING, None, scope, None, self.now)
        except PathError:
            return []

    def items(self, items: Sequence[Item], outer: Scope) -> Iterator[dict[str, Any]]:
        """The response's items, those that have something in them."""
        for item in items:
            if item.type == "display":
                continue
            for scope in self._scopes(item, outer):
                node = self._node(item, scope)
                if node is not None:
                    yield node

    def _scopes(self, item: Item, outer: Scope) -> list[Scope]:
        """The scopes of an item: one, or one for each of what its context finds."""
        made = {each.name: each for each in item.rules.variables if not each.is_query}
        context = item.rules.context
        if context is None:
            return [Scope({"qitem": item.raw}, made, self._variable, outer)]
        found = [part for each in self.evaluate(context, outer) for part in _entries(each)]
        most = len(found) if item.repeats else 1
        return [
            Scope({"qitem": item.raw, context.name: each}, made, self._variable, outer)
            for each in found[:most]
        ] or [Scope({"qitem": item.raw, context.name: []}, made, self._variable, outer)]

    def _node(self, item: Item, scope: Scope) -> dict[str, Any] | None:
        inner = list(self.items(item.items, scope))
        node: dict[str, Any] = {"linkId": item.link_id}
        if item.text:
            node["text"] = item.text
        if item.definition:
            node["definition"] = item.definition
        if item.type == "group":
            return {**node, "item": inner} if inner else None
        answers = self._answers(item, scope)
        if not item.repeats:
            answers = answers[:1]
        if not answers:
            return None
        if inner:
            answers[0] = {**answers[0], "item": inner}
        return {**node, "answer": answers}

    def _answers(self, item: Item, scope: Scope) -> list[Answer]:
        if item.rules.initial is not None:
            answers = list(self._expressed(item, item.rules.initial, scope))
            if answers:
                return answers
        observed = self._observed(item)
        if observed:
            return observed
        chosen = [dict(option.value) for option in item.options if option.initial]
        return chosen or [dict(each) for each in item.initial if value_of(dict(each)) is not None]

    def _expressed(self, item: Item, expression: Expression, scope: Scope) -> Iterator[Answer]:
        resources = list(_resources(_named(expression, scope)))
        for value in self.evaluate(expression, scope):
            answer = _fitting(value, item)
            if answer is None:
                continue
            source = next((each for each in resources if _holds(each, value)), None)
            if source is None and len(resources) == 1:
                source = resources[0]
            yield _from(answer, source) if source is not None else answer

    def _observed(self, item: Item) -> list[Answer]:
        """The newest Observation with one of the item's codes, young enough."""
        period = link_period(item)
        if period is None:
            return []
        wanted = {(str(c.get("system", "")), str(c.get("code", ""))) for c in item.codes}
        for observation in self.observations:
            if not self._is_young(observation, period):
                continue
            for part in (observation, *observation.get("component", ())):
                if wanted & set(_codes(part.get("code"))):
                    value = _value(part)
                    answer = None if value is None else _fitting(value, item)
                    if answer is not None:
                        return [_from(answer, observation)]
        return []

    def _is_young(self, observation: Mapping[str, Any], period: timedelta) -> bool:
        taken = _taken(observation)
        try:
            moment = datetime.fromisoformat(taken.replace("Z", "+00:00"))
        except ValueError:
            return False
        if moment.tzinfo is None:
            # Only a date is known: it holds to the end of that day.
            moment = (moment + timedelta(days=1)).replace(tzinfo=self.now.tzinfo)
        return self.now - moment <= period


def _fitting(value: Any, item: Item) -> Answer | None:
    try:
        return answer_of(value, item)
    except DoesNotFit:
        return None


def _from(answer: Answer, source: Mapping[str, Any]) -> Answer:
    kind, number = source.get("resourceType"), source.get("id")
    reference = f"{kind}/{number}" if kind and number else ""
    of = _taken(source) or str(source.get("recordedDate") or "")
    return origins.marked(answer, origins.Origin("populated", reference, of))


def _entries(value: Any) -> list[Any]:
    if type(value) is dict and value.get("resourceType") == "Bundle":
        return [each["resource"] for each in value.get("entry", ()) if "resource" in each]
    return [value]


def _named(expression: Expression, scope: Scope) -> Iterator[Any]:
    for name in sorted(expression.variables - {"resource", "qitem", "questionnaire"}):
        if name in scope:
            try:
                yield scope[name]
            except PathError:
                continue


def _resources(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        if type(value) is list:
            yield from _resources(value)
        elif type(value) is dict and value.get("resourceType") == "Bundle":
            yield from _resources(each.get("resource") for each in value.get("entry", ()))
        elif type(value) is dict and value.get("resourceType"):
            yield value


def _holds(held: Any, value: Any) -> bool:
    """Whether a value is part of a resource."""
    if held is value or (type(held) is type(value) and held == value):
        return True
    if type(held) is dict:
        return any(_holds(each, value) for each in held.values())
    return type(held) is list and any(_holds(each, value) for each in held)


def _codes(concept: Any) -> Iterator[tuple[str, str]]:
    for each in concept.get("coding", ()) if type(concept) is dict else ():
        yield str(each.get("system", "")), str(each.get("code", ""))


def _value(part: Mapping[str, Any]) -> Any:
    return next((value for key, value in part.items() if key.startswith("value")), None)
