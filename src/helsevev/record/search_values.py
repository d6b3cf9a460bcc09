"""Numbers, quantities, times and positions of a search as SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, degrees, radians
from typing import Any, Final

from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.search_terms import DateTerm, NearTerm, NumberTerm, QuantityTerm, Term
from helsevev.record.rows import NEAR, NO_CODE, unit_hash

EARTH: Final = 6_371_008.8
"""The Earth's mean radius in metres (IUGG)."""

_COMPARISONS: Final = {
    "gt": "> {number}", "sa": "> {number}", "lt": "< {number}", "eb": "< {number}",
    "ge": ">= {number}", "le": "<= {number}",
}  # fmt: skip


LASTING: Final = 86_400_000_000
"""Microseconds, a day: index `resource_lasting` has what lasts longer."""

_DATE_COMPARISONS: Final = {
    "eq": "({low} <= {L} AND {L} < {high} AND {H} <= {high})",
    "ne": "NOT ({low} <= {L} AND {H} <= {high})",
    "gt": "{H} > {high}",
    "lt": "{L} < {low}",
    "ge": "({H} > {high} OR ({low} <= {L} AND {H} <= {high}))",
    "le": "({L} < {high} AND ({L} < {low} OR ({low} <= {L} AND {H} <= {high})))",
    "sa": "{L} >= {high}",
    "eb": "({L} < {low} AND {H} <= {low})",
    "ap": "({L} < {high} AND {H} > {low})",
}
"""Where the end alone tells, the beginning is bounded besides: that is what indexes go by."""

_ENDING_AFTER: Final = {"gt": "high", "ge": "low", "ap": "low"}
"""Prefixes that ask for an end after one of the bounds, however long before it that began."""


class Arguments:
    """The arguments of a statement that is being built."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def add(self, value: Any, sql_type: str) -> str:
        """The placeholder for one more argument."""
        self.values.append(value)
        return f"${len(self.values)}::{sql_type}"


def holding(hashes: Sequence[int], arguments: Arguments) -> str:
    """Whether a row's combination of common values holds one of these."""
    wanted = arguments.add(list(hashes), "bigint[]")
    return f"r.token_set = ANY (ARRAY(SELECT t.id FROM token_set t WHERE t.tokens && {wanted}))"


def any_of(alternatives: Sequence[str]) -> str:
    """A condition that holds when one of them does; none holds of none."""
    if len(alternatives) == 1:
        return alternatives[0]
    return f"({' OR '.join(alternatives) or 'false'})"


def compared(name: str, term: Term, arguments: Arguments) -> str:
    """A number or quantity as a condition on a row's value and unit. Raises `SearchError`."""
    if isinstance(term, NumberTerm):
        return _number(term, arguments)
    assert isinstance(term, QuantityTerm)
    number = _number(term.number, arguments)
    if term.code is None and term.system is not None:
        text = f"{name}: a system of units without a unit is not supported"
        raise SearchError([error("not-supported", text, name)])
    if term.code is None:
        return number
    column = "unit" if term.system is None else "system_unit"
    unit = arguments.add(unit_hash(term.system, term.code), "bigint")
    return f"({number} AND s.{column} = {unit})"


def _number(term: NumberTerm, arguments: Arguments) -> str:
    add = arguments.add
    if term.prefix in _COMPARISONS:
        number = add(term.number, "numeric")
        return "s.value " + _COMPARISONS[term.prefix].format(number=number)
    inside = f"(s.value >= {add(term.low, 'numeric')} AND s.value < {add(term.high, 'numeric')})"
    return f"NOT {inside}" if term.prefix == "ne" else inside


def dated(term: DateTerm, low: str, high: str, argument: Callable[[int], str]) -> str:
    """A range of time against the columns `low` and `high`; `argument` places a bound."""
    return _compared_dates(_DATE_COMPARISONS[term.prefix], term, low, high, argument)


def dated_of_many(term: DateTerm, argument: Callable[[int], str]) -> str:
    """A range of time against the dates of rows `r`, also where an end is looked for among many.

    It says the same twice: what ends after a time begins less than `LASTING` before it, or lasts
    longer. Each half is a range of an index.
    """
    pattern = _DATE_COMPARISONS[term.prefix]
    bound = _ENDING_AFTER.get(term.prefix)
    if bound is not None:
        pattern += (
            f" AND {{H}} > {{{bound}}} AND ({{L}} > {{{bound}}} - {LASTING}"
            f" OR {{H}} > {{L}} + {LASTING})"
        )
    return f"({_compared_dates(pattern, term, 'r.date_low', 'r.date_high', argument)})"


def _compared_dates(
    pattern: str, term: DateTerm, low: str, high: str, argument: Callable[[int], str]
) -> str:
    values = {}
    if "{low}" in pattern:
        values["low"] = argument(term.low)
    if "{high}" in pattern:
        values["high"] = argument(term.high)
    return pattern.format(L=low, H=high, **values)


_INSTANT_COMPARISONS: Final = {
    "eq": "({L} >= {low} AND {L} < {high})",
    "ap": "({L} >= {low} AND {L} < {high})",
    "ne": "({L} < {low} OR {L} >= {high})",
    "gt": "{L} >= {high}",
    "sa": "{L} >= {high}",
    "ge": "{L} >= {low}",
    "lt": "{L} < {low}",
    "eb": "{L} < {low}",
    "le": "{L} < {high}",
}


def at(term: DateTerm, column: str, argument: Callable[[int], str]) -> str:
    """A range of time against a column of instants, in words that an index understands."""
    pattern = _INSTANT_COMPARISONS[term.prefix]
    bounds = {"low": term.low, "high": term.high}
    values = {name: argument(each) for name, each in bounds.items() if f"{{{name}}}" in pattern}
    return pattern.format(L=column, **values)


def near(resource_type: str, term: NearTerm, arguments: Arguments) -> str:
    """A position within so many metres: by latitude, which an index has, then on the globe."""
    add = arguments.add
    reach = degrees(term.metres / EARTH) * 1.000001
    latitude = add(term.latitude, "double precision")
    longitude = add(term.longitude, "double precision")
    low = add(term.latitude - reach, "double precision")
    high = add(term.latitude + reach, "double precision")
    metres = add(term.metres, "double precision")
    level = add(cos(radians(term.latitude)), "double precision")
    north, east = "la.value::double precision", "lo.value::double precision"
    # The haversine of the angle at the Earth's centre.
    half = (
        f"(sind(({north} - {latitude}) / 2) ^ 2"
        f" + {level} * cosd({north}) * sind(({east} - {longitude}) / 2) ^ 2)"
    )
    return (
        "(r.patient, r.id) IN (SELECT la.patient, la.id FROM search_quantity la"
        " JOIN search_quantity lo USING (patient, type, id)"
        f" WHERE la.type = {add(resource_type, 'resource_type')} AND la.name = '{NEAR[0]}'"
        f" AND la.code = {NO_CODE} AND lo.name = '{NEAR[1]}'"
        f" AND la.value BETWEEN {low}::numeric AND {high}::numeric"
        f" AND 2 * {EARTH} * asin(least(1, sqrt({half}))) <= {metres})"
    )
