"""Equality, order, arithmetic and logic (http://hl7.org/fhirpath/N1/#operations)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any, Final

from helsevev.fhir.path import moments, quantities
from helsevev.fhir.path.syntax import PathError
from helsevev.fhir.path.values import (
    Env,
    Items,
    Run,
    check_length,
    is_number,
    plain,
    plain_all,
    single,
    truth,
)

Compare = Callable[[Any, Any], bool | None]


def equals(moment: str | None) -> Compare:
    """Whether two plain values are equal, None when not known; `moment` when they are dates."""

    def equal(one: Any, other: Any) -> bool | None:
        if type(one) is str and type(other) is str:
            if one == other and moment is None:
                return True
            if moment is None:
                return False
            order = moments.compare(one, other, moment)
            if order is None and not _are_moments(one, other, moment):
                return one == other
            return None if order is None else order == 0
        return equal_values(one, other)

    return equal


def _are_moments(one: str, other: str, kind: str) -> bool:
    read: Callable[[str], object] = moments.time_parts if kind == "Time" else moments.parts
    return read(one) is not None and read(other) is not None


def equal_values(one: Any, other: Any) -> bool | None:
    """Equality of plain values whose types their form tells."""
    if type(one) is bool or type(other) is bool:
        return one is other
    if type(one) is dict and type(other) is dict:
        if quantities.is_quantity(one) and quantities.is_quantity(other):
            order = quantities.compare(one, other)
            return None if order is None else order == 0
        return one == other
    if (type(one) is dict and is_number(other)) or (type(other) is dict and is_number(one)):
        order = quantities.compare(one, other)
        return None if order is None else order == 0
    return bool(one == other)


def equal_items(left: Items, right: Items, equal: Compare) -> bool | None:
    """Equality of collections: as many, and equal one by one."""
    left, right = plain_all(left), plain_all(right)
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    known = True
    for one, other in zip(left, right, strict=True):
        found = equal(one, other)
        if found is False:
            return False
        known = known and found is True
    return True if known else None


def equivalent(one: Any, other: Any) -> bool:
    """`~` of plain values: case and spaces do not count, decimals as exact as the less exact."""
    if type(one) is str and type(other) is str:
        first, second = moments.parts(one), moments.parts(other)
        if first is not None and second is not None:
            return moments.compare(one, other, "") == 0
        return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
    if is_number(one) and is_number(other):
        places = min(_places(one), _places(other))
        return bool(round(Decimal(one), places) == round(Decimal(other), places))
    if type(one) is dict and type(other) is dict:
        if quantities.is_quantity(one) and quantities.is_quantity(other):
            return quantities.compare(one, other) == 0
        return one.keys() - {"id"} == other.keys() - {"id"} and all(
            equivalent(value, other[name]) for name, value in one.items() if name != "id"
        )
    if type(one) is list and type(other) is list:
        return equivalent_items(one, other)
    return type(one) is type(other) and bool(one == other)


def _places(value: Any) -> int:
    return max(0, -Decimal(value).as_tuple().exponent) if value != int(value) else 0  # type: ignore[operator]


def equivalent_items(left: Items, right: Items) -> bool:
    """`~` of collections: in any order; two empty ones are equivalent."""
    left, right = plain_all(left), plain_all(right)
    if len(left) != len(right):
        return False
    rest = list(right)
    for one in left:
        place = next((n for n, other in enumerate(rest) if equivalent(one, other)), None)
        if place is None:
            return False
        del rest[place]
    return True


def distinct(items: Items, env: Env) -> Items:
    """The items without repetitions, in their order."""
    env.spend(len(items))
    found: Items = []
    seen: set[Any] = set()
    for item in items:
        value = plain(item)
        try:
            key = (type(value) is bool, value)
            if key in seen:
                continue
            seen.add(key)
        except TypeError:
            # Objects cannot be hashed; there are few where anyone asks for distinct ones.
            env.spend(len(found))
            if any(equal_values(plain(other), value) for other in found):
                continue
        found.append(item)
    return found


def holds(items: Items, wanted: Any, env: Env) -> bool:
    """Whether the collection has an item that equals the plain value."""
    env.spend(len(items))
    return any(equal_values(plain(item), wanted) is True for item in items)


def ordering(operator: str, moment: str | None) -> Compare:
    """`<`, `>`, `<=`, `>=` of plain values. Raises `PathError` for what has no order."""
    wanted = {"<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (0, 1)}[operator]

    def ordered(one: Any, other: Any) -> bool | None:
        order: int | None
        if type(one) is str and type(other) is str:
            if moment is not None or _look_like_dates(one, other):
                order = moments.compare(one, other, moment or "")
            else:
                order = (one > other) - (one < other)
        elif is_number(one) and is_number(other):
            order = (one > other) - (one < other)
        elif type(one) is dict or type(other) is dict:
            order = quantities.compare(one, other)
        else:
            raise PathError(f"{operator} does not compare these.")
        return None if order is None else order in wanted

    return ordered


def _look_like_dates(one: str, other: str) -> bool:
    # Where nobody knows the types (after resolve(), say), four digits and a dash are a date.
    return one[4:5] == "-" == other[4:5] and None not in (moments.parts(one), moments.parts(other))


def _add(one: Any, other: Any) -> Any:
    if type(one) is str and type(other) is str:
        check_length(len(one) + len(other))
        return one + other
    return _numbers("+", one, other)


def _subtract(one: Any, other: Any) -> Any:
    return _numbers("-", one, other)


def _numbers(operator: str, one: Any, other: Any) -> Any:
    if is_number(one) and is_number(other):
        return one + other if operator == "+" else one - other
    if quantities.is_quantity(one) and quantities.is_quantity(other):
        unit = quantities.unit_of(one)
        if unit == quantities.unit_of(other):
            first, second = Decimal(one["value"]), Decimal(other["value"])
            return quantities.made(first + second if operator == "+" else first - second, unit)
        return None
    raise PathError(f"{operator} takes two numbers, or two quantities.")


def _multiply(one: Any, other: Any) -> Any:
    if is_number(one) and is_number(other):
        return one * other
    if is_number(one):
        one, other = other, one
    if quantities.is_quantity(one) and is_number(other):
        return quantities.made(Decimal(one["value"]) * other, quantities.unit_of(one))
    raise PathError("* takes two numbers, or a quantity and a number.")


def _divide(one: Any, other: Any) -> Any:
    if is_number(one) and is_number(other):
        return None if other == 0 else Decimal(one) / Decimal(other)
    if quantities.is_quantity(one) and is_number(other):
        if other == 0:
            return None
        return quantities.made(Decimal(one["value"]) / other, quantities.unit_of(one))
    first, second = quantities.measure(one), quantities.measure(other)
    if first and second and first[1] == second[1]:
        return None if second[0] == 0 else first[0] / second[0]
    raise PathError("/ takes two numbers, or quantities of one unit.")


def _whole_quotient(one: Any, other: Any) -> Any:
    if not (is_number(one) and is_number(other)):
        raise PathError("div takes two numbers.")
    return None if other == 0 else int(Decimal(one) / Decimal(other))


def _remainder(one: Any, other: Any) -> Any:
    if not (is_number(one) and is_number(other)):
        raise PathError("mod takes two numbers.")
    if other == 0:
        return None
    found = Decimal(one) % Decimal(other)
    return int(found) if type(one) is int and type(other) is int else found


ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "div": _whole_quotient,
    "mod": _remainder,
}  # fmt: skip


_LARGEST: Final = 10**28
"""From here on a whole number overflows, as a decimal of 28 digits would be inexact."""


def arithmetic(operator: str, left: Run, right: Run, moment: str | None) -> Run:
    """A calculation on two single values; nothing when one is missing or the result is undefined.

    `moment` is the kind of the left operand when it is a date, a date-time or a time.
    """
    calculate = ARITHMETIC[operator]

    def run(this: Items, env: Env) -> Items:
        one = single(left(this, env), operator)
        other = single(right(this, env), operator)
        if one is None or other is None:
            return []
        found: Any
        try:
            if type(one) is str and type(other) is dict and operator in ("+", "-"):
                found = _moved(one, other, operator, moment)
            else:
                found = calculate(one, other)
        except (InvalidOperation, Overflow, DivisionByZero):
            return []
        overflown = type(found) is int and abs(found) >= _LARGEST
        return [] if found is None or overflown else [found]

    return run


def _moved(text: str, by: dict[str, Any], operator: str, moment: str | None) -> str | None:
    amount = Decimal(by["value"]) if quantities.is_quantity(by) else None
    if amount is None:
        return None
    amount = -amount if operator == "-" else amount
    kind = moment or ("Time" if moments.time_parts(text) else "")
    return moments.moved(text, amount, quantities.calendar_unit(by), kind)


def negated(operand: Run) -> Run:
    """Unary minus."""

    def run(this: Items, env: Env) -> Items:
        value = single(operand(this, env), "-")
        if value is None:
            return []
        if is_number(value):
            return [-value]
        if quantities.is_quantity(value):
            return [{**value, "value": -value["value"]}]
        raise PathError("- takes a number or a quantity.")

    return run


def logic(operator: str, left: Run, right: Run) -> Run:
    """`and`, `or`, `xor`, `implies` on true, false and unknown."""

    def both(this: Items, env: Env) -> Items:
        one = truth(left(this, env), "and")
        if one is False:
            return [False]
        other = truth(right(this, env), "and")
        if other is False:
            return [False]
        return [True] if one and other else []

    def either(this: Items, env: Env) -> Items:
        one = truth(left(this, env), "or")
        if one is True:
            return [True]
        other = truth(right(this, env), "or")
        if other is True:
            return [True]
        return [] if one is None or other is None else [False]

    def one_of(this: Items, env: Env) -> Items:
        one, other = truth(left(this, env), "xor"), truth(right(this, env), "xor")
        return [] if one is None or other is None else [one is not other]

    def implies(this: Items, env: Env) -> Items:
        one = truth(left(this, env), "implies")
        if one is False:
            return [True]
        other = truth(right(this, env), "implies")
        if other is True:
            return [True]
        return [other] if one is True and other is not None else []

    return {"and": both, "or": either, "xor": one_of, "implies": implies}[operator]


def floor(value: Any) -> int:
    """The greatest integer not above the number."""
    return int(Decimal(value).to_integral_value(ROUND_FLOOR))
