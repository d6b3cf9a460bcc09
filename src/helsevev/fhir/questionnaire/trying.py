"""Answers written by hand, as worked examples have them, and what a form must make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.questionnaire.answering import DoesNotFit, answer_of
from helsevev.fhir.questionnaire.comparing import same, value_of
from helsevev.fhir.questionnaire.filling import Filled, fill
from helsevev.fhir.questionnaire.places import Answer, Layout
from helsevev.fhir.questionnaire.structure import Item, Prepared

_NOON: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""The moment of worked examples that name none."""


def response_of(prepared: Prepared, answers: Mapping[str, Any]) -> dict[str, Any]:
    """An answer to a form from values by linkId: `{"alertness": 4, "weight": 71.5}`.

    An option is said by its points, code or text; several answers, or repetitions of a group, as
    a list; a group as a table of its own, or left out. Raises `DoesNotFit`.
    """
    used: set[str] = set()
    items = _items(prepared.items, answers, used)
    if unknown := set(answers) - used:
        raise DoesNotFit(f"the form has no {', '.join(sorted(unknown))}")
    found: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse", "questionnaire": prepared.canonical,
        "status": "in-progress",
    }  # fmt: skip
    return {**found, "item": items} if items else found


def _items(
    items: Sequence[Item], answers: Mapping[str, Any], used: set[str]
) -> list[dict[str, Any]]:
    found = []
    for item in items:
        if item.link_id in answers:
            used.add(item.link_id)
        said = answers.get(item.link_id)
        if item.type == "group":
            found.extend(_groups(item, said, answers, used))
        elif item.asks:
            values = said if isinstance(said, list) else [] if said is None else [said]
            given = [_answer(each, item) for each in values]
            inner = _items(item.items, answers, used)
            if given:
                if inner:
                    given[0]["item"] = inner
                found.append({"linkId": item.link_id, "answer": given})
    return found


def _groups(
    item: Item, said: Any, answers: Mapping[str, Any], used: set[str]
) -> list[dict[str, Any]]:
    if said is None:
        inner = _items(item.items, answers, used)
        return [{"linkId": item.link_id, "item": inner}] if inner else []
    found = []
    for each in said if isinstance(said, list) else [said]:
        within: set[str] = set()
        inner = _items(item.items, each, within)
        if unknown := set(each) - within:
            raise DoesNotFit(f"{item.link_id} has no {', '.join(sorted(unknown))}")
        found.append({"linkId": item.link_id, "item": inner})
    return found


def _answer(value: Any, item: Item) -> Answer:
    number = type(value) is int or isinstance(value, Decimal)
    if number and any(option.weight is not None for option in item.options):
        meant = [option for option in item.options if option.weight == value]
        if len(meant) != 1:
            raise DoesNotFit(f"{item.link_id}: {len(meant)} options give {value} points")
        return dict(answer_of(value_of(dict(meant[0].value)), item))
    try:
        return answer_of(value, item)
    except DoesNotFit as problem:
        raise DoesNotFit(f"{item.link_id}: {problem}") from None


def try_case(
    prepared: Prepared,
    answers: Mapping[str, Any],
    *,
    expect: Mapping[str, Any],
    bands: Mapping[str, str] | None = None,
    hidden: Sequence[str] = (),
    known: Mapping[str, Any] | None = None,
    now: datetime = _NOON,
) -> list[str]:
    """What a form makes otherwise of a worked example than it says: nothing when it agrees.

    `expect` has values by linkId (None: no value), `bands` the label of a sum's band by linkId,
    `hidden` what must not be asked; `known` is what expressions may name.
    """
    try:
        response = response_of(prepared, answers)
    except DoesNotFit as problem:
        return [str(problem)]
    filled = fill(prepared, response, context=known or {}, now=now)
    return [
        *(f"{each.link_id}: {each.kind} {each.detail}".strip() for each in filled.issues
          if (each.stops and each.kind != "required") or each.kind == "not-calculated"),
        *_other_values(filled, expect),
        *_other_bands(filled, bands or {}),
        *(f"{each} is asked" for each in hidden if each in filled.enabled),
    ]  # fmt: skip


def _other_values(filled: Filled, expect: Mapping[str, Any]) -> list[str]:
    found = []
    for link, wanted in expect.items():
        place = next((each for each in filled.by_key.values() if each.item.link_id == link), None)
        if place is None:
            found.append(f"the form has no {link}")
            continue
        values = [value_of(each) for each in place.answers] if place.enabled else []
        value = values[0] if values else None
        if not _agrees(value, wanted):
            found.append(f"{link} is {_told(value)}, not {_told(wanted)}")
    return found


def _agrees(value: Any, wanted: Any) -> bool:
    if value is None or wanted is None:
        return value is wanted
    number = type(wanted) is int or isinstance(wanted, Decimal)
    if number and type(value) is dict:
        value = value.get("value")
    return same(value, wanted)


def _told(value: Any) -> str:
    if type(value) is dict:
        value = value.get("display") or value.get("value") or value.get("code")
    return "without an answer" if value is None else str(value)


def _other_bands(filled: Filled, bands: Mapping[str, str]) -> list[str]:
    scores = {each.link_id: each for each in filled.scores}
    found = []
    for link, wanted in bands.items():
        score = scores.get(link)
        label = score.band.label if score is not None and score.band is not None else ""
        if label != wanted:
            found.append(f"{link} is “{label}”, not “{wanted}”")
    return found


def try_response(
    prepared: Prepared, response: Mapping[str, Any], now: datetime = _NOON
) -> list[str]:
    """What a form works out otherwise than a whole answer says: nothing when it agrees."""
    given = fill(prepared, _unworked(prepared, response), context={}, now=now)
    whole = {each.key: each for each in Layout(prepared, response).all}
    found = []
    for key, place in given.by_key.items():
        if not place.item.is_calculated or key not in whole:
            continue
        values = [value_of(each) for each in place.answers] if place.enabled else []
        wanted = [value_of(each) for each in whole[key].answers]
        agrees = len(values) == len(wanted) and all(
            _agrees(one, other) for one, other in zip(values, wanted, strict=True)
        )
        if not agrees:
            told = ", ".join(_told(each) for each in values) or "without an answer"
            found.append(f"{key} is {told}, not {', '.join(_told(each) for each in wanted)}")
    return found


def _unworked(prepared: Prepared, node: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without what the form works out."""
    kept = {key: value for key, value in node.items() if key not in ("item", "answer")}
    item = prepared.by_link.get(str(node.get("linkId", "")))
    if "answer" in node and not (item is not None and item.is_calculated):
        kept["answer"] = [_unworked(prepared, each) for each in node["answer"]]
    if "item" in node:
        kept["item"] = [_unworked(prepared, each) for each in node["item"]]
    return kept
