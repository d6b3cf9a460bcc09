"""The FHIRPath that the short form of a score stands for: sums, points by steps, bands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from helsevev.content.packs.short_form import Band, Question, ShortForm, Total

_NAME: Final = re.compile(r"%([a-z][a-z0-9_]*)")


def names_in(expression: str) -> set[str]:
    """The names that an expression asks for with a per cent sign."""
    return set(_NAME.findall(expression))


def parts_of(total: Total, form: ShortForm) -> list[str]:
    """The questions whose points a sum counts."""
    if total.calculate and not total.of:
        named = names_in(total.calculate)
        return [each.key for each in form.questions() if each.key in named]
    return [
        each.key for each in form.questions()
        if gives_points(each, form) and (not total.of or each.key in total.of)
    ]  # fmt: skip


def gives_points(question: Question, form: ShortForm) -> bool:
    """Whether answers to a question give points."""
    if question.points is not None:
        return question.points
    return bool(question.steps) or any(each.points is not None for each in form.choices(question))


def link_of(key: str, names: Mapping[str, Question]) -> str:
    """Where the points of a question stand: beside it when they come of steps."""
    return f"{key}_points" if names[key].steps else key


def answer_to(key: str, *, depth: str, number: bool) -> str:
    """The answer to a question; of a quantity its number. `depth` is `depth_of` the form."""
    value = "answer.value.value" if number else "answer.value"
    return f"%resource.{depth}.where(linkId = '{key}').{value}"


def depth_of(form: ShortForm) -> str:
    """The path to all items of an answer: no deeper than the form has them."""
    if all(not each.item for each in form.item):
        return "item"
    beneath = any(each.item and each.kind != "group" for each in form.questions())
    return "repeat(item | answer.item)" if beneath else "repeat(item)"


def _listed(keys: Iterable[str]) -> str:
    return " | ".join(f"'{key}'" for key in keys)


def sum_of(total: Total, form: ShortForm) -> str:
    """The sum of points, told when as much is answered as it takes."""
    names = {each.key: each for each in form.questions()}
    parts = parts_of(total, form)
    if not parts:
        raise ValueError(f"{total.key}: no question gives points")
    conditional = _asked_sometimes(form.item)
    always = [each for each in parts if each not in conditional]
    chosen = [each for each in parts if form.choices(names[each])]
    counted = [link_of(each, names) for each in parts if each not in chosen]
    items = f"%resource.{depth_of(form)}"
    found = []
    if chosen:
        found.append(f"{items}.where(linkId in ({_listed(chosen)})).answer.value.weight().sum()")
    if counted:
        found.append(f"{items}.where(linkId in ({_listed(counted)})).answer.value.sum()")
    needed = total.at_least if total.at_least is not None else len(always)
    among = parts if total.at_least is not None else always
    links = _listed(link_of(each, names) for each in among)
    answered = f"{items}.where(linkId in ({links}) and answer.exists()).count()"
    told = " + ".join(found)
    return f"iif({answered} >= {needed}, {told}, {{}})" if among else told


def _asked_sometimes(questions: Iterable[Question], inside: bool = False) -> Collection[str]:
    found: set[str] = set()
    for each in questions:
        here = inside or bool(each.when or each.when_true) or each.required is False
        if here:
            found.add(each.key)
        found.update(_asked_sometimes(each.item, here))
    return found


def steps_of(key: str, steps: tuple[tuple[Decimal, ...], ...]) -> str:
    """The points that a number gives."""
    found = str(steps[-1][0])
    for end, points in reversed(steps[:-1]):
        found = f"iif(%{key} <= {end}, {points}, {found})"
    return f"iif(%{key}.exists(), {found}, {{}})"


def band_of(key: str, bands: tuple[Band, ...]) -> str:
    """The label of the band that a sum lies in."""
    value = answer_to(key, depth="item", number=False)
    found = "{}"
    for band in bands:
        label = band.label.replace("\\", "\\\\").replace("'", "\\'")
        found = f"iif({value} >= {_number(band.low)}, '{label}', {found})"
    return f"iif({value}.exists(), {found}, {{}})"


def _number(value: Any) -> str:
    return str(value)
