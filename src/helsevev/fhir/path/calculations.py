"""Functions of numbers, quantities and moments: rounding, roots, boundaries, precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from decimal import (
    ROUND_CEILING,
    ROUND_HALF_UP,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any, Final

from helsevev.fhir.dates import LOCAL
from helsevev.fhir.path import kinds, moments, operators, quantities
from helsevev.fhir.path.site import Maker, Site, Typed
from helsevev.fhir.path.syntax import PathError
from helsevev.fhir.path.values import Env, Items, is_number, single, whole_of

_MOST_DIGITS: Final = 28


def _of_number(
    answer: Callable[..., Any], kind: str | None, least: int = 0, most: int = 0
) -> Maker:
    """A function of one number and so many numbers; nothing when it is undefined there."""

    def make(site: Site) -> Typed:
        site.takes(least, most)
        source = site.source.run
        values = [site.value(place) for place in range(len(site.arguments))]

        def run(this: Items, env: Env) -> Items:
            number = single(source(this, env), f"{site.name}()")
            given = [single(value(this, env), f"{site.name}()") for value in values]
            if number is None or None in given:
                return []
            try:
                found = _applied(answer, site.name, number, given)
            except (InvalidOperation, Overflow, DivisionByZero, ValueError, OverflowError) as odd:
                if isinstance(odd, PathError):
                    raise
                return []
            return [] if found is None else [found]

        return Typed(run, kind or site.source.type)

    return make


def _applied(answer: Callable[..., Any], name: str, number: Any, given: list[Any]) -> Any:
    if not all(is_number(each) for each in given):
        raise PathError(f"{name}() takes numbers.")
    if is_number(number):
        return answer(number, *given)
    if quantities.is_quantity(number) and name in ("abs", "round", "ceiling", "floor", "truncate"):
        return {**number, "value": answer(number["value"], *given)}
    raise PathError(f"{name}() takes a number.")


def _power(base: Any, exponent: Any) -> Any:
    if type(base) is int and type(exponent) is int and 0 <= exponent <= 1000:
        found = base**exponent if abs(base) <= 10**6 else None
        return found if found is not None and abs(found) < 10**28 else Decimal(base) ** exponent
    return Decimal(base) ** Decimal(exponent)


def _rounded(number: Any, digits: int = 0) -> Any:
    if type(digits) is not int or not 0 <= digits <= _MOST_DIGITS:
        raise PathError(f"round() takes 0 to {_MOST_DIGITS} digits.")
    return Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _logarithm(number: Any, base: Any) -> Decimal | None:
    if number <= 0 or base <= 0 or base == 1:
        return None
    return +Decimal(repr(math.log(number, base)))


def _root(number: Any) -> Decimal | None:
    return None if number < 0 else Decimal(number).sqrt()


def _boundary(high: bool) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(0, 1)
        source = site.source
        digits = site.value(0) if site.arguments else None

        def run(this: Items, env: Env) -> Items:
            items = source.run(this, env)
            value = single(items, f"{site.name}()")
            if value is None:
                return []
            wanted = whole_of(digits(this, env), f"{site.name}()") if digits else None
            kind = kinds.moment(kinds.type_of(items[0], source.type))
            found = _bound(value, kind, wanted, high)
            return [] if found is None else [found]

        return Typed(run, source.type)

    return make


def _bound(value: Any, kind: str | None, digits: int | None, high: bool) -> Any:
    if is_number(value):
        return _number_bound(Decimal(value), digits, high)
    if quantities.is_quantity(value):
        found = _number_bound(Decimal(value["value"]), digits, high)
        return None if found is None else {**value, "value": found}
    if type(value) is not str:
        raise PathError("A boundary is asked of a number, a quantity, a date or a time.")
    if kind is None:
        kind = "DateTime" if "T" in value else "Date" if moments.parts(value) else "Time"
    return moments.boundary(value, kind, digits, high=high)


def _number_bound(value: Decimal, digits: int | None, high: bool) -> Decimal | None:
    wanted = 8 if digits is None else digits
    if not 0 <= wanted <= _MOST_DIGITS:
        return None
    exponent = value.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    found = value + half if high else value - half
    step = Decimal(1).scaleb(-wanted)
    if digits is None and -int(found.as_tuple().exponent) <= wanted:
        return found
    rounding = ROUND_CEILING if high else "ROUND_FLOOR"
    return found.quantize(step, rounding)


def _precision(site: Site) -> Typed:
    site.takes(0)
    source = site.source

    def run(this: Items, env: Env) -> Items:
        value = single(source.run(this, env), "precision()")
        if value is None:
            return []
        if is_number(value):
            return [max(0, -int(Decimal(value).as_tuple().exponent))]
        if type(value) is not str:
            raise PathError("precision() is asked of a number, a date or a time.")
        return [sum(letter.isdigit() for letter in value.partition("+")[0].partition("Z")[0])]

    return Typed(run, "System.Integer")


def _clock(kind: str, text: Callable[[datetime], str]) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(0)

        def run(_this: Items, env: Env) -> Items:
            if env.now is None:
                # One moment for the whole evaluation.
                env.now = datetime.now(LOCAL)
            return [text(env.now)]

        return Typed(run, kind)

    return make


FUNCTIONS: Final[dict[str, Maker]] = {
    "abs": _of_number(abs, None),
    "ceiling": _of_number(
        lambda n: int(Decimal(n).to_integral_value(ROUND_CEILING)), "System.Integer"
    ),
    "exp": _of_number(lambda n: Decimal(n).exp(), "System.Decimal"),
    "floor": _of_number(operators.floor, "System.Integer"),
    "highBoundary": _boundary(high=True),
    "ln": _of_number(lambda n: Decimal(n).ln() if n > 0 else None, "System.Decimal"),
    "log": _of_number(_logarithm, "System.Decimal", 1, 1),
    "lowBoundary": _boundary(high=False),
    "now": _clock("System.DateTime", lambda now: now.isoformat(timespec="milliseconds")),
    "power": _of_number(_power, None, 1, 1),
    "precision": _precision,
    "round": _of_number(_rounded, "System.Decimal", 0, 1),
    "sqrt": _of_number(_root, "System.Decimal"),
    "timeOfDay": _clock("System.Time", lambda now: now.strftime("%H:%M:%S.%f")[:12]),
    "today": _clock("System.Date", lambda now: now.date().isoformat()),
    "truncate": _of_number(lambda n: int(Decimal(n)), "System.Integer"),
}
