"""Whether answers may stand: what is required, limits, options, and the form's own rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from helsevev.fhir.questionnaire.answering import KEYS
from helsevev.fhir.questionnaire.comparing import order, same, value_of
from helsevev.fhir.questionnaire.expressions import Expression
from helsevev.fhir.questionnaire.issues import Issue
from helsevev.fhir.questionnaire.places import Answer, Layout, Place
from helsevev.fhir.questionnaire.preparing import label_of
from helsevev.fhir.questionnaire.structure import Constraint, Item, Option

Holds = Callable[[Expression, Place | None], list[Any] | None]
"""The values of an expression at a place (None: of the whole), None when it failed."""


def check(layout: Layout, of_form: tuple[Constraint, ...], evaluate: Holds) -> Iterator[Issue]:
    """What there is to say of everything that is asked; `of_form` are the whole form's rules."""
    for place in layout.all:
        if place.enabled:
            for kind, detail in _of_place(place):
                yield Issue(kind, place.item.link_id, place.key, detail)
            if place.answers or place.item.type == "group":
                yield from _rules(evaluate, place, place.item.rules.constraints)
    yield from _rules(evaluate, None, of_form)


def _rules(evaluate: Holds, place: Place | None, rules: tuple[Constraint, ...]) -> Iterator[Issue]:
    for rule in rules:
        if evaluate(rule.expression, place) == [False]:
            kind = "warning" if rule.severity == "warning" else "constraint"
            link, key = ("", "") if place is None else (place.item.link_id, place.key)
            yield Issue(kind, link, key, rule.human or rule.key)


def _of_place(place: Place) -> Iterator[tuple[str, str]]:
    item = place.item
    if item.type == "display":
        return
    if item.type == "group":
        if item.required and not _has_answers(place):
            yield "required", ""
        return
    count = len(place.answers)
    if item.required and not count:
        # What is worked out lacks something else, which is said there.
        yield ("awaits" if item.is_calculated else "required"), ""
    if count and item.limits.fewest is not None and count < item.limits.fewest:
        yield "too-few", str(item.limits.fewest)
    most = item.limits.most if item.repeats else 1
    if most is not None and count > most:
        yield "too-many", str(most)
    for answer in place.answers:
        yield from _of_answer(answer, item)
    if count > 1:
        yield from _exclusive(place)


def _has_answers(place: Place) -> bool:
    return any(each.answers for each in place.walk() if each.enabled)


def _exclusive(place: Place) -> Iterator[tuple[str, str]]:
    for option in place.item.options:
        meant = value_of(dict(option.value))
        if option.exclusive and any(same(value_of(each), meant) for each in place.answers):
            yield "exclusive", option.label


def _of_answer(answer: Answer, item: Item) -> Iterator[tuple[str, str]]:
    value = value_of(answer)
    key = next(key for key in answer if key.startswith("value"))
    if not _has_type(key, item):
        yield "type", item.type
        return
    if item.options and not _is_offered(value, key, item):
        yield "option", label_of(value)
    if type(value) is str:
        yield from _of_text(value, item)
    if key == "valueAttachment":
        yield from _of_attachment(value, item)
    low, high = item.limits.low, item.limits.high
    if low is not None and (found := order(value, low)) is not None and found < 0:
        yield "too-low", label_of(low)
    if high is not None and (found := order(value, high)) is not None and found > 0:
        yield "too-high", label_of(high)
    number = value.get("value") if type(value) is dict else value
    places = item.limits.decimals
    if places is not None and isinstance(number, Decimal) and decimals(number) > places:
        yield "decimals", str(places)


def _has_type(key: str, item: Item) -> bool:
    if key == KEYS[item.type]:
        return True
    if item.type == "open-choice" and key == "valueString":
        return True
    if item.type == "decimal" and key == "valueInteger":
        return True
    return any(key in option.value for option in item.options)


def decimals(number: Decimal) -> int:
    """How many decimals a number is written with."""
    return max(0, -int(number.as_tuple().exponent))


def _is_offered(value: Any, key: str, item: Item) -> bool:
    if item.type == "open-choice" and key == "valueString":
        return True
    return any(same(value, value_of(dict(option.value))) for option in item.options)


def _of_text(value: str, item: Item) -> Iterator[tuple[str, str]]:
    limits = item.limits
    if limits.longest is not None and len(value) > limits.longest:
        yield "too-long", str(limits.longest)
    if limits.shortest is not None and len(value) < limits.shortest:
        yield "too-short", str(limits.shortest)
    pattern = _pattern(limits.pattern) if limits.pattern else None
    if pattern is not None and not pattern.fullmatch(value):
        yield "pattern", item.look.hint


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def _of_attachment(value: dict[str, Any], item: Item) -> Iterator[tuple[str, str]]:
    limits = item.limits
    if limits.media and value.get("contentType") not in limits.media:
        yield "media", ", ".join(limits.media)
    size = value.get("size")
    # https://hl7.org/fhir/R4/extension-maxsize.html: in megabytes.
    if limits.max_size is not None and type(size) is int and size > limits.max_size * 1_000_000:
        yield "too-large", str(limits.max_size)


def options_of(values: list[Any], item: Item) -> Iterator[Option]:
    """Options from the values of an expression."""
    for value in values:
        if type(value) is dict and "coding" in value:
            value = next(iter(value["coding"]), {})
        if type(value) is dict and value.get("resourceType"):
            reference = f"{value['resourceType']}/{value.get('id', '')}"
            yield Option({"valueReference": {"reference": reference}}, reference)
        elif type(value) is dict:
            yield Option({KEYS[item.type]: value}, label_of(value))
        else:
            yield Option({"valueString": str(value)}, str(value))
