"""Which questions are asked: by the answers given so far (R4 Questionnaire.item.enableWhen)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from helsevev.fhir.questionnaire.comparing import order, same, value_of
from helsevev.fhir.questionnaire.expressions import Expression
from helsevev.fhir.questionnaire.places import Layout, Place
from helsevev.fhir.questionnaire.structure import Condition

Evaluate = Callable[[Expression, Place], list[Any] | None]
"""The values of an expression at a place, None when it could not be worked out."""

_ORDERS: Final[dict[str, Callable[[int], bool]]] = {
    ">": lambda found: found > 0,
    "<": lambda found: found < 0,
    ">=": lambda found: found >= 0,
    "<=": lambda found: found <= 0,
}


def enable(layout: Layout, evaluate: Evaluate) -> bool:
    """Set what is enabled, and say whether anything changed.

    What is disabled counts as not answered for what depends on it in its turn.
    """
    changed = False
    for place in layout.all:
        wanted = (place.parent is None or place.parent.enabled) and _is_asked(
            place, layout, evaluate
        )
        if wanted != place.enabled:
            place.enabled = wanted
            changed = True
    return changed


def _is_asked(place: Place, layout: Layout, evaluate: Evaluate) -> bool:
    rules = place.item.rules
    if rules.conditions:
        quantifier = any if rules.any_condition else all
        return quantifier(_is_met(each, place, layout) for each in rules.conditions)
    if rules.enable is not None:
        values = evaluate(rules.enable, place)
        # What cannot be worked out is asked: a question too many is better than one too few.
        return True if values is None else values == [True]
    return True


def _is_met(condition: Condition, place: Place, layout: Layout) -> bool:
    answers = [
        value_of(answer)
        for each in layout.nearest(condition.question, place)
        if each.enabled
        for answer in each.answers
    ]
    operator, wanted = condition.operator, condition.answer
    if operator == "exists":
        return bool(answers) is (wanted is not False)
    if operator == "=":
        return any(same(each, wanted) for each in answers)
    if operator == "!=":
        return not any(same(each, wanted) for each in answers)
    test = _ORDERS.get(operator)
    found = (order(each, wanted) for each in answers)
    return test is not None and any(each is not None and test(each) for each in found)
