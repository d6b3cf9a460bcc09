"""What is typed in a form, and the answers that it says: one read into the other, both ways.

A page's inputs are called as the places of the answer are (`Place.key`); several answers to one
question are several inputs of that name. What cannot be read as an answer is kept as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.questionnaire import origins
from helsevev.fhir.questionnaire.places import Answer, Layout, Place
from helsevev.fhir.questionnaire.structure import Item, Option, Prepared
from helsevev.fhir.reading import OSLO, mapping, text
from helsevev.locale import gettext as _

Typed = Mapping[str, Sequence[str]]
"""Name of an input -> all that stands in inputs of that name."""

COUNT: Final = "~count"
OTHER: Final = "~other"
UNIT: Final = "~unit"
MOST_REPEATS: Final = 50
LONGEST: Final = 100_000
UCUM: Final = "http://unitsofmeasure.org"
_NUMBER: Final = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,9})?")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.I)


class Unreadable(ValueError):
    """What was typed is no answer to the question; the message says what is wanted."""


def key_of(above: str, item: Item, index: int = 0) -> str:
    """What a page calls the inputs of an item, in the repetition `above` ("" outside of any)."""
    own = f"{item.link_id}[{index}]" if repeats_as_group(item) else item.link_id
    return f"{above}/{own}" if above else own


def repeats_as_group(item: Item) -> bool:
    """Whether all that stands beneath it comes several times."""
    return item.type == "group" and item.repeats


def nests(item: Item) -> bool:
    """Whether each of several answers has questions of its own beneath it."""
    return item.asks and item.repeats and bool(item.items)


def realigned(prepared: Prepared, before: Typed, after: Typed) -> dict[str, list[str]]:
    """The same, with what stands beneath each of several answers following its own answer.

    Inputs beneath an answer are called by its number; `before` is what those numbers meant. What
    stood beneath an answer that is gone goes with it.
    """
    made = {name: list(values) for name, values in after.items()}
    for link, item in prepared.by_link.items():
        for key in [each for each in made if each.rpartition("/")[2] == link and nests(item)]:
            were, are = ([v for v in typed.get(key, ()) if v.strip()] for typed in (before, made))
            if were == are:
                continue
            beneath = {name: made.pop(name) for name in list(made) if name.startswith(f"{key}[")}
            for name, values in beneath.items():
                digits, _bracket, rest = name[len(key) + 1 :].partition("]")
                said = were[int(digits)] if digits.isdigit() and int(digits) < len(were) else None
                if said in are:
                    made[f"{key}[{are.index(said)}]{rest}"] = values
    return made


def count_of(typed: Typed, above: str, item: Item) -> int:
    """How many times a repeating group stands on the page: once at least."""
    said = first_of(typed, f"{f'{above}/' if above else ''}{item.link_id}{COUNT}")
    return max(1, min(int(said), MOST_REPEATS)) if said.isdigit() and len(said) < 4 else 1


def first_of(typed: Typed, name: str) -> str:
    """What stands in the first input of a name."""
    return next(iter(typed.get(name, ())), "").strip()


def read_typed(
    prepared: Prepared,
    typed: Typed,
    *,
    offered: Mapping[str, Sequence[Option]] | None = None,
    files: Mapping[str, Mapping[str, Any]] | None = None,
    before: Mapping[str, list[Answer]] | None = None,
) -> tuple[list[dict[str, Any]], list[Issue]]:
    """The items of the answer, and what cannot be read; an issue's expression is the input's name.

    `offered` are the options of questions whose list is not in the form itself, by linkId;
    `files` the Attachments that were brought, by the name that stands in the input, and `before`
    the answers that the form opened with, by place: what still stands keeps where it came from.
    """
    return _Reading(typed, offered or {}, files or {}, before or {}).items(prepared.items, "")


class _Reading:
    """One look through all that was typed."""

    def __init__(
        self,
        typed: Typed,
        offered: Mapping[str, Sequence[Option]],
        files: Mapping[str, Mapping[str, Any]],
        before: Mapping[str, list[Answer]],
    ) -> None:
        self._typed = typed
        self._offered = offered
        self._files = files
        self._before = before

    def items(self, items: Sequence[Item], above: str) -> tuple[list[dict[str, Any]], list[Issue]]:
        """The items of the answer that stand together, and what cannot be read in them."""
        made: list[dict[str, Any]] = []
        issues: list[Issue] = []
        for item in items:
            times = count_of(self._typed, above, item) if repeats_as_group(item) else 1
            for index in range(times):
                key = key_of(above, item, index)
                node: dict[str, Any] = {"linkId": item.link_id}
                if item.asks:
                    try:
                        answers = list(self._answers(item, key))
                    except Unreadable as problem:
                        issues.append(error("value", str(problem), key))
                    else:
                        if answers:
                            came = self._before.get(key, [])
                            node["answer"] = [origins.kept(each, came) for each in answers]
                if nests(item):
                    for place, given in enumerate(node.get("answer", ())):
                        inner, found = self.items(item.items, f"{key}[{place}]")
                        issues += found
                        if inner:
                            given["item"] = inner
                elif item.items:
                    beneath = key if repeats_as_group(item) else above
                    node["item"], found = self.items(item.items, beneath)
                    issues += found
                if len(node) > 1 or repeats_as_group(item):
                    made.append(node)
        return made, issues

    def _answers(self, item: Item, key: str) -> Iterator[dict[str, Any]]:
        values = [value[:LONGEST].strip() for value in self._typed.get(key, ())]
        for value in values if item.repeats else values[-1:]:
            if value:
                yield self._answer(item, key, value)
        if item.type == "open-choice" and (other := first_of(self._typed, f"{key}{OTHER}")):
            yield {"valueString": other[:LONGEST]}

    def _answer(self, item: Item, key: str, value: str) -> dict[str, Any]:
        if item.type in ("choice", "open-choice"):
            options = item.options or self._offered.get(item.link_id, ())
            chosen = next((each for each in options if token_of(each.value) == value), None)
            if chosen is None:
                raise Unreadable(_("Choose one of the answers."))
            return dict(chosen.value)
        if item.type == "quantity":
            unit = first_of(self._typed, f"{key}{UNIT}")
            return {"valueQuantity": _quantity(item, value, unit)}
        if item.type == "attachment":
            if value not in self._files:
                raise Unreadable(_("The file is not here any more. Choose it again."))
            return {"valueAttachment": dict(self._files[value])}
        if item.type == "reference":
            return {"valueReference": _reference(self._offered.get(item.link_id, ()), value)}
        return {_ELEMENT[item.type]: _PLAIN[item.type](value)}


def _reference(offered: Sequence[Option], value: str) -> dict[str, Any]:
    for each in offered:
        if token_of(each.value) == value:
            return dict(mapping(each.value.get("valueReference")))
    raise Unreadable(_("Choose one of the answers."))


def _quantity(item: Item, value: str, chosen: str) -> dict[str, Any]:
    units = {text(each.get("code")): each for each in item.units}
    unit = units.get(chosen) or next(iter(item.units), {})
    made: dict[str, Any] = {"value": _decimal(value)}
    if shown := text(unit.get("display")) or text(unit.get("code")):
        made["unit"] = shown
    if unit.get("code"):
        made |= {"system": text(unit.get("system")) or UCUM, "code": unit["code"]}
    return made


def _decimal(value: str) -> Decimal:
    bare = "".join(value.split()).replace("\u2212", "-")
    if not _NUMBER.fullmatch(bare):
        raise Unreadable(_("Write a number."))
    return Decimal(bare.replace(",", "."))


def _integer(value: str) -> int:
    found = _decimal(value)
    if found != found.to_integral_value():
        raise Unreadable(_("Write a whole number."))
    return int(found)


def _boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise Unreadable(_("Choose one of the answers."))
    return value == "true"


def _date(value: str) -> str:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m", "%Y"):
        try:
            found = datetime.strptime(value, pattern).replace(tzinfo=OSLO)
        except ValueError:
            continue
        return f"{found:%Y-%m-%d}" if "%d" in pattern else value
    raise Unreadable(_("Write a date, such as 21.11.2026."))


def _date_time(value: str) -> str:
    try:
        if len(value) <= 10:
            return date.fromisoformat(value).isoformat()
        found = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(_("Write date and time.")) from None
    at = found if found.tzinfo else found.replace(tzinfo=OSLO)
    return at.isoformat(timespec="seconds")


def _time(value: str) -> str:
    try:
        return time.fromisoformat(value).isoformat(timespec="seconds")
    except ValueError:
        raise Unreadable(_("Write a time of day, such as 14:30.")) from None


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise Unreadable(_("Write a whole address, such as https://example.org."))
    return value


_PLAIN: Final[Mapping[str, Callable[[str], Any]]] = {
    "boolean": _boolean, "decimal": _decimal, "integer": _integer, "date": _date,
    "dateTime": _date_time, "time": _time, "string": str, "text": str, "url": _url,
}  # fmt: skip
_ELEMENT: Final = {
    "boolean": "valueBoolean", "decimal": "valueDecimal", "integer": "valueInteger",
    "date": "valueDate", "dateTime": "valueDateTime", "time": "valueTime",
    "string": "valueString", "text": "valueString", "url": "valueUri",
}  # fmt: skip


def token_of(value: Mapping[str, Any]) -> str:
    """What stands for an option on the page: the code with its system, or the answer itself."""
    inner = next((each for key, each in value.items() if key.startswith("value")), "")
    if isinstance(inner, Mapping):
        if "reference" in inner:
            return str(inner["reference"])
        if "value" in inner:
            return f"{inner['value']} {inner.get('code', '')}"
        return f"{inner.get('system', '')}|{inner.get('code') or inner.get('display', '')}"
    return str(inner)


def typed_of(layout: Layout) -> dict[str, list[str]]:
    """What stands in the inputs when the page shows these answers."""
    typed: dict[str, list[str]] = {}
    for place in layout.all:
        if repeats_as_group(place.item):
            name = f"{place.key.rpartition('[')[0]}{COUNT}"
            typed[name] = [str(place.index + 1)]
        for answer in place.answers:
            for name, value in _inputs(place, answer):
                typed.setdefault(name, []).append(value)
    return typed


def _inputs(place: Place, answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, value) of the inputs that say an answer."""
    kind, value = kind_and_value(answer)
    if kind == "valueString" and place.item.type == "open-choice":
        yield f"{place.key}{OTHER}", str(value)
    elif kind == "valueQuantity" and place.item.type == "quantity":
        yield place.key, shown_number(value.get("value"))
        yield f"{place.key}{UNIT}", text(value.get("code"))
    elif kind in ("valueDecimal", "valueInteger"):
        yield place.key, shown_number(value)
    elif kind == "valueBoolean":
        yield place.key, "true" if value else "false"
    elif kind == "valueDateTime" and len(value) > 10:
        at = datetime.fromisoformat(value).astimezone(OSLO)
        yield place.key, f"{at:%Y-%m-%dT%H:%M}"
    elif kind == "valueTime":
        yield place.key, str(value)[:5]
    elif kind == "valueAttachment":
        yield place.key, text(value.get("id")) or text(value.get("url"))
    else:
        yield place.key, token_of(answer) if isinstance(value, Mapping) else str(value)


def kind_and_value(answer: Mapping[str, Any]) -> tuple[str, Any]:
    """("valueDecimal", 72.5) of an answer; ("", None) of one that says nothing."""
    return next(((key, each) for key, each in answer.items() if key.startswith("value")),
                ("", None))  # fmt: skip


def shown_number(value: object) -> str:
    """A number as people here write it: 37,0."""
    return "" if value is None else f"{value}".replace(".", ",")


def repeated(typed: Typed, name: str, *, without: int | None = None) -> dict[str, list[str]]:
    """The same with one more of a repeating group (`name`: its key without the index).

    `without` takes that one out instead, and those after it move up.
    """
    count = f"{name}{COUNT}"
    said = first_of(typed, count)
    times = int(said) if said.isdigit() and len(said) < 4 else 1
    if without is None:
        return {**_copied(typed), count: [str(min(times + 1, MOST_REPEATS))]}
    made: dict[str, list[str]] = {}
    for key, values in typed.items():
        if key.startswith(f"{name}["):
            digits, _bracket, rest = key[len(name) + 1 :].partition("]")
            index = int(digits) if digits.isdigit() and len(digits) < 4 else 0
            if index == without:
                continue
            key = f"{name}[{index - (index > without)}]{rest}"
        made[key] = list(values)
    return {**made, count: [str(max(times - 1, 1))]}


def _copied(typed: Typed) -> dict[str, list[str]]:
    return {key: list(values) for key, values in typed.items()}
