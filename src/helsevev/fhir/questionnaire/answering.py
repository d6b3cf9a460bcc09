"""Values become answers of an item's type, or are said not to fit it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from helsevev.fhir.questionnaire.comparing import same
from helsevev.fhir.questionnaire.places import Answer
from helsevev.fhir.questionnaire.structure import Item

KEYS: Final[Mapping[str, str]] = {
    "boolean": "valueBoolean", "decimal": "valueDecimal", "integer": "valueInteger",
    "date": "valueDate", "dateTime": "valueDateTime", "time": "valueTime",
    "string": "valueString", "text": "valueString", "url": "valueUri",
    "choice": "valueCoding", "open-choice": "valueCoding", "attachment": "valueAttachment",
    "reference": "valueReference", "quantity": "valueQuantity",
}  # fmt: skip
"""The key under which an answer to a question of each type stands."""

_UCUM: Final = "http://unitsofmeasure.org"
_MOST_PLACES: Final = 10


class DoesNotFit(ValueError):
    """A value cannot be an answer to the item."""


def answers_of(values: list[Any], item: Item) -> list[Answer]:
    """Answers to an item from the values of an expression. Raises `DoesNotFit`."""
    return [answer_of(value, item) for value in values if value is not None and value != ""]


def answer_of(value: Any, item: Item) -> Answer:
    """One answer to an item from a plain value. Raises `DoesNotFit`."""
    if item.options and item.type not in ("boolean", "quantity"):
        return _chosen(value, item)
    return {KEYS[item.type]: _fitting(value, item)}


def _fitting(value: Any, item: Item) -> Any:
    kind = item.type
    if kind == "boolean" and type(value) is bool:
        return value
    if kind in ("decimal", "integer"):
        number = value.get("value") if type(value) is dict else value
        if _is_number(number):
            return rounded(number, item) if kind == "decimal" else _whole(number)
    if kind == "quantity":
        return _quantity(value, item)
    if kind in ("string", "text", "url") and type(value) is not dict:
        return _text(value)
    if kind in ("date", "dateTime", "time") and type(value) is str:
        return value[:10] if kind == "date" else value.removeprefix("T")
    if kind in ("choice", "open-choice"):
        return _coding(value)
    if kind == "reference" and type(value) is dict:
        return _reference(value)
    if kind == "attachment" and type(value) is dict:
        return value
    raise DoesNotFit(f"{_said(value)} is no {kind}")


def _is_number(value: Any) -> bool:
    return type(value) is int or isinstance(value, Decimal)


def _said(value: Any) -> str:
    return str(value)[:60]


def _text(value: Any) -> str:
    return ("true" if value else "false") if type(value) is bool else str(value)


def _whole(number: Any) -> int:
    if number != int(number):
        raise DoesNotFit(f"{number} is no whole number")
    return int(number)


def rounded(number: Any, item: Item) -> Any:
    """A number with as many decimals as the item takes, and never a division's endless ones."""
    if type(number) is int:
        return number
    places = item.limits.decimals
    most = _MOST_PLACES if places is None else places
    if -int(number.as_tuple().exponent) <= most:
        return number
    found = number.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    if places is None:
        found = found.normalize()
        return found if int(found.as_tuple().exponent) <= 0 else Decimal(int(found))
    return found


def _quantity(value: Any, item: Item) -> dict[str, Any]:
    if type(value) is dict and _is_number(value.get("value")):
        return {**value, "value": rounded(value["value"], item)}
    if not _is_number(value):
        raise DoesNotFit(f"{_said(value)} is no quantity")
    return {"value": rounded(value, item), **unit_of(item)}


def unit_of(item: Item) -> dict[str, Any]:
    """The unit in which an item is answered, as parts of a Quantity; empty when it has none."""
    if not item.units:
        return {}
    unit = item.units[0]
    found = {
        "unit": unit.get("display") or unit.get("code"),
        "system": unit.get("system", _UCUM),
        "code": unit.get("code"),
    }
    return {key: each for key, each in found.items() if each}


def _coding(value: Any) -> dict[str, Any]:
    if type(value) is dict and ("code" in value or "display" in value):
        return value
    if type(value) is dict and value.get("coding"):
        first: dict[str, Any] = value["coding"][0]
        return first
    raise DoesNotFit(f"{_said(value)} is no code")


def _reference(value: Mapping[str, Any]) -> dict[str, Any]:
    if "reference" in value or "identifier" in value or "display" in value:
        return dict(value)
    if value.get("resourceType") and value.get("id"):
        return {"reference": f"{value['resourceType']}/{value['id']}"}
    raise DoesNotFit("it is no reference")


def _chosen(value: Any, item: Item) -> Answer:
    """The option that a value means; what is none of them is an own text where that may be."""
    codes = value.get("coding") if type(value) is dict else None
    for each in codes or [value]:
        for option in item.options:
            ((key, meant),) = list(option.value.items())[:1]
            if same(each, meant):
                return {key: dict(meant) if type(meant) is dict else meant}
    if item.type == "open-choice":
        text = value if type(value) is str else (value or {}).get("display")
        if text:
            return {"valueString": str(text)}
    raise DoesNotFit(f"{_said(value)} is none of the answers")
