"""Sums as the Norwegian platform's forms ask for them: by a code on the item, without a formula.

An item with a code of `http://ehelse.no/scoringFormulas` is a sum: SS of its section, TS of the
whole form; QS marks a question whose options give points. Older forms have an item whose unit is
`score` of `http://ehelse.no/Score` instead (behaviour as in the platform's own open form viewer).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from helsevev.fhir.questionnaire.extensions import every, first, value_of

_FORMULAS: Final = "http://ehelse.no/scoringFormulas"
_SCORE: Final = "http://ehelse.no/Score"
_NUMBERS: Final = ("quantity", "decimal", "integer")


def sum_of(raw: Mapping[str, Any], questionnaire: Mapping[str, Any]) -> str:
    """The FHIRPath of an item that is a sum by such a code, "" when it is none."""
    if raw.get("type") not in _NUMBERS:
        return ""
    formula = _coded(raw, _FORMULAS)
    if formula not in ("SS", "TS"):
        formula = _older(raw)
    if not formula:
        return ""
    section = _section_of(raw, questionnaire) if formula == "SS" else None
    links = _scored(section or questionnaire)
    if not links:
        return ""
    listed = "|".join("'" + link.replace("\\", "\\\\").replace("'", "\\'") + "'" for link in links)
    answers = f"%resource.repeat(item|answer.item).where(linkId in ({listed})).answer.value"
    return f"iif({answers}.weight().empty(), {{}}, {answers}.weight().sum())"


def _older(raw: Mapping[str, Any]) -> str:
    units = [value_of(each) for each in every(raw, "unit")]
    if not any(type(unit) is dict and unit.get("system") == _SCORE for unit in units):
        return ""
    control = first(raw, "itemControl")
    codes = [each.get("code") for each in control.get("coding", ())] if control else []
    return "SS" if "section-score" in codes else "TS"


def _coded(raw: Mapping[str, Any], system: str) -> str:
    found = (each for each in raw.get("code", ()) if each.get("system") == system)
    return next((str(each.get("code", "")) for each in found), "")


def _section_of(raw: Mapping[str, Any], inside: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The group, or the form, that an item stands in."""
    for each in inside.get("item", ()):
        if each is raw:
            return inside
        found = _section_of(raw, each)
        if found is not None:
            return found
    return None


def _scored(inside: Mapping[str, Any]) -> list[str]:
    """Questions beneath that give points: those that say so, else all with options."""
    found = list(_questions(inside))
    said = [link for link, is_said in found if is_said]
    return said or [link for link, _ in found]


def _questions(inside: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for each in inside.get("item", ()):
        if each.get("answerOption") or each.get("answerValueSet"):
            yield str(each.get("linkId", "")), _coded(each, _FORMULAS) == "QS"
        yield from _questions(each)
