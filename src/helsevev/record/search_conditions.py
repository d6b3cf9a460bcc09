"""Each condition of a search as SQL over the rows that a write leaves; values are arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache

from helsevev.fhir import dates, search_terms
from helsevev.fhir.outcome import error
from helsevev.fhir.search_filters import AnyOf, Condition
from helsevev.fhir.search_parameters import FULL_TEXT, PARAMETERS, Parameter
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.search_terms import (
    CompositeTerm,
    DateTerm,
    NearTerm,
    ReferenceTerm,
    StringTerm,
    Term,
    TokenTerm,
    UriTerm,
)
from helsevev.record import composites, keys, leading, search_values
from helsevev.record.about import may_be_about_nobody, may_name_many
from helsevev.record.composites import Layout
from helsevev.record.rows import (
    ABOUT,
    ELSEWHERE,
    NO_CODE,
    NO_DATE,
    UNSELECTIVE,
    URI_SEEN,
    leading_hash,
    pair_hash,
    presence_hash,
    reference_hash,
    token_hash,
)
from helsevev.record.search_strings import Texts, texts
from helsevev.record.search_values import Arguments, any_of, holding


@dataclass(frozen=True, slots=True)
class Codings:
    """Of codes asked for without a system: their hashes in column `code`, one for each system;
    and which of all codes asked for some row has beside the coding in that column."""

    leading: Mapping[str, Collection[int]]
    among_keys: Collection[str]


@cache
def _common(resource_type: str) -> frozenset[str]:
    """The parameters whose values are kept as combinations; what was added here has keys."""
    return UNSELECTIVE & PARAMETERS[resource_type].keys()


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
        self._common = _common(resource_type)
        self.pins_patient = False
        self.pins_code = False
        self.narrows = False
        """Whether an index other than the ordered ones finds few rows for these conditions."""
        self.varies = False
        """Whether a date decides how many rows are left."""
        self.strings: Texts | None = None
        """The condition on texts that was written last."""

    def write(self, condition: Condition | AnyOf) -> str:
        """The condition in SQL. Raises `SearchError` for what is not kept in rows."""
        if isinstance(condition, AnyOf):
            return any_of([self.write(each) for each in condition.conditions])
        name = condition.name
        if condition.modifier == "missing":
            names = composites.kept_as(self._type, name)
            present = any_of([self._present(each, condition.kind) for each in names])
            return f"NOT ({present})" if condition.missing else present
        written = self._alternatives(condition)
        return f"NOT ({written})" if condition.modifier == "not" else written

    def _alternatives(self, condition: Condition) -> str:
        names = composites.kept_as(self._type, condition.name)
        return any_of([self._on_name(name, condition) for name in names])

    def _on_name(self, name: str, condition: Condition) -> str:
        writers: dict[str, Callable[[str, Condition], str]] = {
            "token": self._token,
            "reference": self._reference,
            "string": self._string,
            "date": self._date,
            "number": self._number,
            "quantity": self._number,
            "uri": self._uri,
            "composite": self._composite,
            "special": self._near,
        }
        if name == "_id":
            return self._id(condition)
        if name == "_lastUpdated":
            return self._last_updated(condition)
        if name in FULL_TEXT:
            return self._words(name, condition)
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
        terms = [term for term in condition.terms if isinstance(term, DateTerm)]
        return any_of([search_values.at(t, "r.last_updated", self._instant) for t in terms])

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
        if name in self._common:
            return self._holds(hashes)
        if condition.modifier != "not":
            self.narrows = True
        return f"r.keys && {self._arguments.add(hashes, 'bigint[]')}"

    def held(self, condition: Condition | AnyOf) -> list[int] | None:
        """The common values of which a row has to hold one, when that is all that is asked."""
        if not isinstance(condition, Condition) or condition.kind != "token" or condition.modifier:
            return None
        names = composites.kept_as(self._type, condition.name)
        if not self._common.issuperset(names) or leading.code_parameter(self._type) in names:
            return None
        terms = [term for term in condition.terms if isinstance(term, TokenTerm)]
        return [token_hash(name, term.system, term.code) for name in names for term in terms]

    def _holds(self, hashes: list[int]) -> str:
        return holding(hashes, self._arguments)

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
        return any_of(column)

    def _codes_of(self, term: TokenTerm) -> str:
        return f"r.code = ANY ({self._all_codes(term)})"

    def _all_codes(self, term: TokenTerm) -> str:
        where = f"c.system = {self._arguments.add(term.system, 'text')} AND c.is_leading"
        return f"ARRAY(SELECT c.hash FROM coding c WHERE {where})"

    def _reference(self, name: str, condition: Condition) -> str:
        texts = [
            t for term in condition.terms if isinstance(term, ReferenceTerm) for t in term.texts
        ]
        own = [t for t in texts if t.startswith("Patient/")] if name in ABOUT else []
        alternatives = []
        if own:
            patients = [keys.patient_key(text.removeprefix("Patient/")) for text in own]
            about = f"r.patient = ANY ({self._arguments.add(patients, 'bigint[]')})"
            if may_be_about_nobody(self._type):
                about += f" AND NOT {self._holds([ELSEWHERE])}"
            alternatives.append(f"({about})")
        others = texts if not own or may_name_many(self._type) else sorted(set(texts) - set(own))
        if others:
            hashes = [reference_hash(name, text) for text in others]
            alternatives.append(f"r.keys && {self._arguments.add(hashes, 'bigint[]')}")
        if len(own) == 1 == len(texts):
            self.pins_patient = True
        if not own:
            self.narrows = True
        return any_of(alternatives)

    def _uri(self, name: str, condition: Condition) -> str:
        self.narrows = True
        terms = [term for term in condition.terms if isinstance(term, UriTerm)]
        if condition.modifier == "below":
            return any_of([self._below(name, term) for term in terms])
        if condition.modifier == "above":
            terms = [found for term in terms for found in search_terms.above(term)]
        hashes = [token_hash(name, None, term.uri) for term in terms]
        return f"r.keys && {self._arguments.add(hashes, 'bigint[]')}"

    def _below(self, name: str, term: UriTerm) -> str:
        add = self._arguments.add
        return (
            f"r.keys && ARRAY(SELECT c.hash FROM coding c WHERE c.system ="
            f" {add(URI_SEEN + name, 'text')} AND (c.code = {add(term.uri, 'text')}"
            f" OR starts_with(c.code, {add(term.uri.rstrip('/') + '/', 'text')})))"
        )

    def _string(self, name: str, condition: Condition) -> str:
        self.strings = texts(self._type, name, condition, self._arguments)
        self.narrows = True
        return self.strings.sql

    def _date(self, name: str, condition: Condition) -> str:
        terms = [term for term in condition.terms if isinstance(term, DateTerm)]
        if name == leading.date_parameter(self._type):
            compared = [self._dated(term) for term in terms]
            return f"(r.date_low <> {NO_DATE} AND {any_of(compared)})"
        compared = [search_values.dated(term, "s.low", "s.high", self._bigint) for term in terms]
        return self._among("search_date", name, any_of(compared))

    def _dated(self, term: DateTerm) -> str:
        if self.pins_patient:
            return search_values.dated(term, "r.date_low", "r.date_high", self._bigint)
        self.varies = True
        return search_values.dated_of_many(term, self._bigint)

    def _number(self, name: str, condition: Condition) -> str:
        compared = [search_values.compared(name, t, self._arguments) for t in condition.terms]
        of = "" if composites.stands_with_code(self._type, name) else f" AND s.code = {NO_CODE}"
        return self._among("search_quantity", name, any_of(compared) + of)

    def _near(self, name: str, condition: Condition) -> str:
        self.narrows = True
        terms = [term for term in condition.terms if isinstance(term, NearTerm)]
        return any_of([search_values.near(self._type, term, self._arguments) for term in terms])

    def _words(self, name: str, condition: Condition) -> str:
        self.narrows = True
        asked = [
            self._arguments.add(term.text, "text")
            for term in condition.terms
            if isinstance(term, StringTerm)
        ]
        found = [f"s.words @@ words_asked({text})" for text in asked]
        if name == "_text":
            found = [
                f"({each} AND ts_filter(s.words, '{{a}}') @@ words_asked({text}))"
                for each, text in zip(found, asked, strict=True)
            ]
        kind = self._arguments.add(self._type, "resource_type")
        return (
            f"(r.patient, r.id) IN (SELECT s.patient, s.id FROM search_text s"
            f" WHERE s.type = {kind} AND {any_of(found)})"
        )

    def _composite(self, name: str, condition: Condition) -> str:
        terms = [term for term in condition.terms if isinstance(term, CompositeTerm)]
        kept = composites.layout(self._type, name)
        if kept is Layout.PAIRED:
            self.narrows = True
            hashes = [hashed for term in terms for hashed in self._pairs(name, term)]
            return f"r.keys && {self._arguments.add(hashes, 'bigint[]')}"
        if kept is Layout.MEASURED:
            return any_of([self._measured(name, *term.parts) for term in terms])
        return any_of([self._joined(name, term) for term in terms])

    def _pairs(self, name: str, term: CompositeTerm) -> list[int]:
        found: list[list[int]] = []
        parts = zip(composites.components(self._type, name), term.parts, strict=True)
        for component, part in parts:
            if isinstance(part, ReferenceTerm):
                found.append([reference_hash(component.parameter, text) for text in part.texts])
            elif isinstance(part, TokenTerm):
                found.append([token_hash(component.parameter, part.system, part.code)])
        return [pair_hash(name, one, other) for one in found[0] for other in found[1]]

    def _joined(self, name: str, term: CompositeTerm) -> str:
        measured = composites.components(self._type, name)[-1].parameter
        token = term.parts[0]
        if isinstance(token, TokenTerm) and measured in composites.beside_code(self._type):
            alternatives = [self._measured(name, *term.parts)]
            if token.code is None or token.code in self._codings.among_keys:
                alternatives.append(self._all_parts(name, term))
            return any_of(alternatives)
        return self._all_parts(name, term)

    def _all_parts(self, name: str, term: CompositeTerm) -> str:
        parts = zip(composites.components(self._type, name), term.parts, strict=True)
        written = [
            self._on_name(
                component.parameter,
                Condition(component.parameter, component.kind, self._of(component.parameter), (t,)),
            )
            for component, t in parts
        ]
        return f"({' AND '.join(written)})"

    def _of(self, name: str) -> Parameter:
        return PARAMETERS[self._type][name]

    def _measured(self, name: str, token: Term, quantity: Term) -> str:
        assert isinstance(token, TokenTerm)
        compared = search_values.compared(name, quantity, self._arguments)
        measured = composites.components(self._type, name)[1].parameter
        return self._among("search_quantity", measured, f"{self._of_code(token)} AND {compared}")

    def _of_code(self, token: TokenTerm) -> str:
        if token.code is None:
            return f"s.code = ANY ({self._all_codes(token)})"
        if token.system is not None:
            return f"s.code = {self._bigint(leading_hash(token.system, token.code))}"
        hashes = sorted(self._codings.leading.get(token.code, ()))
        return f"s.code = ANY ({self._arguments.add(hashes, 'bigint[]')})"

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
        if kind == "composite":
            return self._composite_present(name)
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

    def _composite_present(self, name: str) -> str:
        parts = composites.components(self._type, name)
        match composites.layout(self._type, name):
            case Layout.PAIRED:
                return self._holds([presence_hash(name)])
            case Layout.MEASURED:
                rows = self._has_rows(parts[1].parameter, "quantity")
                return f"{rows.removesuffix(')')} AND s.code <> {NO_CODE})"
            case Layout.JOINED:
                present = [self._present(part.parameter, part.kind) for part in parts]
                return f"({' AND '.join(present)})"
        raise self._unsupported(f"{name}:missing")
