"""Each condition of a search as SQL over the rows that a write leaves; values are arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from helsevev.fhir import dates
from helsevev.fhir.definitions import elements
from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import Condition, SearchError
from helsevev.fhir.search_terms import (
    DateTerm,
    NumberTerm,
    QuantityTerm,
    ReferenceTerm,
    StringTerm,
    TokenTerm,
    UriTerm,
)
from helsevev.record import keys, leading
from helsevev.record.rows import (
    ABOUT,
    ELSEWHERE,
    NO_CODE,
    NO_DATE,
    UNSELECTIVE,
    comparable,
    kept_as,
    leading_hash,
    prefix_end,
    presence_hash,
    reference_hash,
    string_value,
    token_hash,
    unit_hash,
)

_AFTER_UPDATE: Final = "(r.last_updated + interval '1 microsecond')"
_COMPARISONS: Final = {
    "gt": "> {number}", "sa": "> {number}", "lt": "< {number}", "eb": "< {number}",
    "ge": ">= {number}", "le": "<= {number}",
}  # fmt: skip
_DATE_COMPARISONS: Final = {
    "eq": "({low} <= {L} AND {H} <= {high})",
    "ne": "NOT ({low} <= {L} AND {H} <= {high})",
    "gt": "{H} > {high}",
    "lt": "{L} < {low}",
    "ge": "({H} > {high} OR ({low} <= {L} AND {H} <= {high}))",
    "le": "({L} < {low} OR ({low} <= {L} AND {H} <= {high}))",
    "sa": "{L} >= {high}",
    "eb": "{H} <= {low}",
    "ap": "({L} < {high} AND {H} > {low})",
}


@dataclass(frozen=True, slots=True)
class Codings:
    """Of codes asked for without a system: their hashes in column `code`, one for each system;
    and which of all codes asked for some row has beside the coding in that column."""

    leading: Mapping[str, Collection[int]]
    among_keys: Collection[str]


class Arguments:
    """The arguments of a statement that is being built."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def add(self, value: Any, sql_type: str) -> str:
        """The placeholder for one more argument."""
        self.values.append(value)
        return f"${len(self.values)}::{sql_type}"


class ConditionSql:
    """Writes the conditions on one resource type, for rows named `r`.

    `places` says under whom the resources that `_id` names are kept; `codings` what is known of
    the codes that leading parameters are asked for.
    """

    def __init__(
        self,
        resource_type: str,
        arguments: Arguments,
        places: Mapping[tuple[str, str], int],
        codings: Codings,
    ) -> None:
        self._type = resource_type
        self._arguments = arguments
        self._places = places
        self._codings = codings
        self.pins_patient = False
        self.pins_code = False
        self.narrows = False
        """Whether an index other than the ordered ones finds few rows for these conditions."""

    def write(self, condition: Condition) -> str:
        """The condition in SQL. Raises `SearchError` for what is not kept in rows."""
        name = condition.name
        if condition.modifier == "missing":
            names = kept_as(self._type, name)
            present = _any([self._present(each, condition.kind) for each in names])
            return f"NOT ({present})" if condition.missing else present
        written = self._alternatives(condition)
        return f"NOT ({written})" if condition.modifier == "not" else written

    def _alternatives(self, condition: Condition) -> str:
        names = kept_as(self._type, condition.name)
        return _any(self._on_name(name, condition) for name in names)

    def _on_name(self, name: str, condition: Condition) -> str:
        writers: dict[str, Callable[[str, Condition], str]] = {
            "token": self._token,
            "reference": self._reference,
            "string": self._string,
            "date": self._date,
            "number": self._number,
            "quantity": self._number,
            "uri": self._uri,
        }
        if name == "_id":
            return self._id(condition)
        if name == "_lastUpdated":
            return self._last_updated(condition)
        if condition.kind not in writers:
            raise self._unsupported(f"{name}, a {condition.kind} parameter,")
        return writers[condition.kind](name, condition)

    def _unsupported(self, what: str) -> SearchError:
        text = f"{what} is not supported for {self._type}"
        return SearchError([error("not-supported", text, what.partition(",")[0])])

    def _id(self, condition: Condition) -> str:
        wanted = [
            t.code for t in condition.terms if isinstance(t, TokenTerm) and t.code and not t.system
        ]
        found = [
            (i, self._places[self._type, i]) for i in wanted if (self._type, i) in self._places
        ]
        ids = self._arguments.add([i for i, _ in found], "text[]")
        patients = self._arguments.add([p for _, p in found], "bigint[]")
        self.pins_patient = True
        return f"(r.patient, r.id) IN (SELECT * FROM unnest({patients}, {ids}))"

    def _last_updated(self, condition: Condition) -> str:
        return _any(
            _date_sql(term, "r.last_updated", _AFTER_UPDATE, self._instant)
            for term in condition.terms
            if isinstance(term, DateTerm)
        )

    def _instant(self, microseconds: int) -> str:
        # The end of time is one step beyond what Python can say, and no row is as new as that.
        clamped = min(microseconds, dates.MAX - 1)
        return self._arguments.add(dates.moment(clamped), "timestamptz")

    def _bigint(self, value: int) -> str:
        return self._arguments.add(value, "bigint")

    def _token(self, name: str, condition: Condition) -> str:
        terms = [term for term in condition.terms if isinstance(term, TokenTerm)]
        if name == leading.code_parameter(self._type):
            return self._leading_code(name, terms, negated=condition.modifier == "not")
        hashes = [token_hash(name, term.system, term.code) for term in terms]
        if name in UNSELECTIVE:
            return self._holds(hashes)
        self.narrows = self.narrows or condition.modifier != "not"
        return f"r.keys && {self._arguments.add(hashes, 'bigint[]')}"

    def _holds(self, hashes: list[int]) -> str:
        """Whether the row's combination of tokens holds one of these."""
        wanted = self._arguments.add(hashes, "bigint[]")
        return f"r.token_set = ANY (ARRAY(SELECT t.id FROM token_set t WHERE t.tokens && {wanted}))"

    def _leading_code(self, name: str, terms: list[TokenTerm], *, negated: bool) -> str:
        exact = {leading_hash(t.system, t.code) for t in terms if t.system and t.code}
        for term in terms:
            if term.system is None and term.code is not None:
                exact.update(self._codings.leading.get(term.code, ()))
        column = [self._codes_of(term) for term in terms if term.code is None]
        if len(exact) == 1:
            # One value keeps the index's order by date, which a list of one would lose.
            column.append(f"r.code = {self._bigint(exact.pop())}")
            self.pins_code = self.pins_code or (not negated and len(column) == 1)
        elif exact:
            column.append(f"r.code = ANY ({self._arguments.add(sorted(exact), 'bigint[]')})")
        seldom = [t for t in terms if t.code is None or t.code in self._codings.among_keys]
        if seldom:
            hashes = [token_hash(name, term.system, term.code) for term in seldom]
            column.append(f"r.keys && {self._arguments.add(hashes, 'bigint[]')}")
        return _any(column)

    def _codes_of(self, term: TokenTerm) -> str:
        where = f"c.system = {self._arguments.add(term.system, 'text')} AND c.is_leading"
        return f"r.code = ANY (ARRAY(SELECT c.hash FROM coding c WHERE {where}))"

    def _reference(self, name: str, condition: Condition) -> str:
        texts = [
            t for term in condition.terms if isinstance(term, ReferenceTerm) for t in term.texts
        ]
        own = [t for t in texts if t.startswith("Patient/")] if name in ABOUT else []
        alternatives = []
        if own:
            patients = [keys.patient_key(text.removeprefix("Patient/")) for text in own]
            about = f"r.patient = ANY ({self._arguments.add(patients, 'bigint[]')})"
            if _may_be_about_nobody(self._type):
                about += f" AND NOT {self._holds([ELSEWHERE])}"
            alternatives.append(f"({about})")
        others = texts if not own or _may_name_many(self._type) else sorted(set(texts) - set(own))
        if others:
            hashes = [reference_hash(name, text) for text in others]
            alternatives.append(f"r.keys && {self._arguments.add(hashes, 'bigint[]')}")
        self.pins_patient = self.pins_patient or len(own) == 1 == len(texts)
        self.narrows = self.narrows or not own
        return _any(alternatives)

    def _uri(self, name: str, condition: Condition) -> str:
        self.narrows = True
        hashes = [token_hash(name, None, t.uri) for t in condition.terms if isinstance(t, UriTerm)]
        return f"r.keys && {self._arguments.add(hashes, 'bigint[]')}"

    def _string(self, name: str, condition: Condition) -> str:
        def one(term: StringTerm) -> str:
            add = self._arguments.add
            if condition.modifier == "exact":
                return f"s.value = {add(string_value(term.normalized, term.text), 'text')}"
            if condition.modifier == "contains":
                return f"strpos(split_part(s.value, chr(1), 1), {add(term.normalized, 'text')}) > 0"
            begins = comparable(term.normalized)
            end = add(prefix_end(begins), "text")
            return f"(s.value >= {add(begins, 'text')} AND s.value < {end})"

        terms = [term for term in condition.terms if isinstance(term, StringTerm)]
        return self._among("search_string", name, _any(map(one, terms)))

    def _date(self, name: str, condition: Condition) -> str:
        terms = [term for term in condition.terms if isinstance(term, DateTerm)]
        if name == leading.date_parameter(self._type):
            compared = (_date_sql(t, "r.date_low", "r.date_high", self._bigint) for t in terms)
            return f"(r.date_low <> {NO_DATE} AND {_any(compared)})"
        compared = (_date_sql(term, "s.low", "s.high", self._bigint) for term in terms)
        return self._among("search_date", name, _any(compared))

    def _number(self, name: str, condition: Condition) -> str:
        def one(term: Any) -> str:
            if isinstance(term, NumberTerm):
                return self._compared(term)
            assert isinstance(term, QuantityTerm)
            compared = self._compared(term.number)
            if term.code is None and term.system is not None:
                raise self._unsupported(f"{name}: a system of units without a unit")
            if term.code is None:
                return compared
            column = "unit" if term.system is None else "system_unit"
            return (
                f"({compared} AND s.{column} = {self._bigint(unit_hash(term.system, term.code))})"
            )

        return self._among("search_quantity", name, _any(map(one, condition.terms)))

    def _compared(self, term: NumberTerm) -> str:
        add = self._arguments.add
        if term.prefix in _COMPARISONS:
            number = add(term.number, "numeric")
            return "s.value " + _COMPARISONS[term.prefix].format(number=number)
        inside = (
            f"(s.value >= {add(term.low, 'numeric')} AND s.value < {add(term.high, 'numeric')})"
        )
        return f"NOT {inside}" if term.prefix == "ne" else inside

    def _among(self, table: str, name: str, condition: str) -> str:
        self.narrows = True
        return (
            f"(r.patient, r.id) IN (SELECT s.patient, s.id FROM {table} s"
            f" WHERE s.type = {self._arguments.add(self._type, 'resource_type')}"
            f" AND s.name = {self._arguments.add(name, 'text')} AND {condition})"
        )

    def _present(self, name: str, kind: str) -> str:
        if name in ("_id", "_lastUpdated"):
            return "true"
        if kind in ("string", "date", "number", "quantity"):
            return self._has_rows(name, kind)
        if kind not in ("token", "reference", "uri"):
            raise self._unsupported(f"{name}:missing")
        present = self._holds([presence_hash(name)])
        if name in ABOUT:
            return f"(r.patient > 0 AND NOT {self._holds([ELSEWHERE])} OR {present})"
        if name == leading.code_parameter(self._type):
            return f"(r.code <> {NO_CODE} OR {present})"
        return present

    def _has_rows(self, name: str, kind: str) -> str:
        if kind == "date" and name == leading.date_parameter(self._type):
            return f"r.date_low <> {NO_DATE}"
        table = {"string": "search_string", "date": "search_date"}.get(kind, "search_quantity")
        return (
            f"EXISTS (SELECT FROM {table} s WHERE s.patient = r.patient AND s.type = r.type"
            f" AND s.id = r.id AND s.name = {self._arguments.add(name, 'text')})"
        )


def _any(alternatives: Iterable[str]) -> str:
    written = list(alternatives)
    return written[0] if len(written) == 1 else f"({' OR '.join(written) or 'false'})"


def _date_sql(term: DateTerm, low: str, high: str, argument: Callable[[int], str]) -> str:
    pattern = _DATE_COMPARISONS[term.prefix]
    values = {}
    if "{low}" in pattern:
        values["low"] = argument(term.low)
    if "{high}" in pattern:
        values["high"] = argument(term.high)
    return pattern.format(L=low, H=high, **values)


@cache
def _may_be_about_nobody(resource_type: str) -> bool:
    """Whether a resource of this type may be kept with one whom it does not name as its subject."""
    known = elements(resource_type)
    return not any(name in known and known[name].least >= 1 for name in ABOUT)


@cache
def _may_name_many(resource_type: str) -> bool:
    """Whether a resource of this type may be about several inhabitants at once."""
    known = elements(resource_type)
    return all(name not in known or known[name].most != 1 for name in ABOUT)
