"""Query strings read into terms, and refused with every reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir.dates import MAX, bounds
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_query import Include, Query, SearchError, Sort, normalize, parse
from helsevev.fhir.search_terms import (
    CompositeTerm,
    DateTerm,
    NumberTerm,
    QuantityTerm,
    ReferenceTerm,
    StringTerm,
    TermError,
    TokenTerm,
    UriTerm,
    number,
    split,
    unescape,
)

LOINC = "http://loinc.org"
BASE = "https://record.example/fhir"


def terms(resource_type: str, name: str, value: str) -> tuple[Any, ...]:
    """The terms of the only condition."""
    (condition,) = parse(resource_type, [(name, value)], base=BASE).conditions
    return condition.terms


TERMS: list[tuple[str, str, str, Any]] = [
    ("Observation", "code", "8302-2", TokenTerm(None, "8302-2")),
    ("Observation", "code", f"{LOINC}|8302-2", TokenTerm(LOINC, "8302-2")),
    ("Observation", "code", "|8302-2", TokenTerm("", "8302-2")),
    ("Observation", "code", f"{LOINC}|", TokenTerm(LOINC, None)),
    ("Observation", "code", r"a\,b\|c", TokenTerm(None, "a,b|c")),
    (
        "Patient",
        "gender",
        "http://hl7.org/fhir/administrative-gender|female",
        TokenTerm(None, "female"),
    ),
    ("Patient", "deceased", "true", TokenTerm(None, "true")),
    ("Observation", "subject", "Patient/1", ReferenceTerm(("Patient/1",))),
    ("Observation", "subject", f"{BASE}/Patient/1", ReferenceTerm(("Patient/1",))),
    ("Observation", "subject", "Patient/1/_history/2", ReferenceTerm(("Patient/1",))),
    (
        "Observation",
        "subject",
        "https://x.no/fhir/Patient/1",
        ReferenceTerm(("https://x.no/fhir/Patient/1",)),
    ),
    ("Observation", "patient", "1", ReferenceTerm(("Patient/1",))),
    ("Observation", "subject:Patient", "1", ReferenceTerm(("Patient/1",))),
    ("Observation", "subject:Patient", "Patient/1", ReferenceTerm(("Patient/1",))),
    ("Encounter", "subject", "1", ReferenceTerm(("Group/1", "Patient/1"))),
    ("Observation", "subject:identifier", "urn:oid:1|2", TokenTerm("urn:oid:1", "2")),
    ("Patient", "name", " Åse ", StringTerm(" Åse ", "åse")),
    ("Patient", "name:exact", "Åse", StringTerm("Åse", "åse")),
    ("ValueSet", "url", "http://x|1", UriTerm("http://x|1")),
    (
        "RiskAssessment",
        "probability",
        "gt0.80",
        NumberTerm("gt", Decimal("0.80"), Decimal("0.795"), Decimal("0.805")),
    ),
]


@pytest.mark.parametrize(("resource_type", "name", "value", "term"), TERMS)
def test_a_value_is_read_by_the_kind_of_its_parameter(
    resource_type: str, name: str, value: str, term: Any
) -> None:
    assert terms(resource_type, name, value) == (term,)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("1e2", "95", "105"),
        ("5.4e-3", "0.00535", "0.00545"),
        ("-2", "-2.5", "-1.5"),
        ("0", "-0.5", "0.5"),
        ("ap100", "90", "110"),
    ],
)
def test_a_number_means_the_range_its_digits_imply(text: str, low: str, high: str) -> None:
    term = number(text)
    assert (term.low, term.high) == (Decimal(low), Decimal(high))


def test_a_date_means_its_whole_range_with_its_prefix() -> None:
    day = bounds("2024-05-01")
    assert day is not None
    assert terms("Observation", "date", "2024-05-01") == (DateTerm("eq", *day),)
    assert terms("Observation", "date", "sa2024-05-01") == (DateTerm("sa", *day),)
    assert terms("Patient", "_lastUpdated", "ge2024-05-01") == (DateTerm("ge", *day),)


def test_near_a_date_reaches_a_tenth_of_the_way_to_now() -> None:
    day = bounds("2024-05-01")
    assert day is not None
    query = parse("Observation", [("date", "ap2024-05-01")], now=day[0] + 1000)
    assert query.conditions[0].terms == (DateTerm("ap", day[0] - 100, day[1] + 100),)
    assert day[1] + 100 < MAX


def test_a_quantity_has_a_unit_with_or_without_a_system() -> None:
    amount = NumberTerm("eq", Decimal("5.4"), Decimal("5.35"), Decimal("5.45"))
    assert terms("Observation", "value-quantity", "5.4") == (QuantityTerm(amount, None, None),)
    assert terms("Observation", "value-quantity", "5.4||mg") == (QuantityTerm(amount, None, "mg"),)
    assert terms("Observation", "value-quantity", "5.4|http://unitsofmeasure.org|mg") == (
        QuantityTerm(amount, "http://unitsofmeasure.org", "mg"),
    )


def test_a_composite_has_one_term_for_each_component() -> None:
    (term,) = terms("Observation", "code-value-quantity", f"{LOINC}|8302-2$gt150||cm")
    assert isinstance(term, CompositeTerm)
    assert term.parts[0] == TokenTerm(LOINC, "8302-2")
    assert isinstance(term.parts[1], QuantityTerm)
    (relationship,) = terms("DocumentReference", "relationship", "replaces$DocumentReference/1")
    assert relationship.parts == (
        TokenTerm(None, "replaces"),
        ReferenceTerm(("DocumentReference/1",)),
    )


def test_alternatives_are_terms_of_one_condition_and_repeats_are_conditions() -> None:
    query = parse("Observation", [("code", "a,b"), ("code", "c"), ("_id", "x,y")])
    assert [len(condition.terms) for condition in query.conditions] == [2, 1, 2]


def test_modifiers_are_kept() -> None:
    query = parse("Observation", [("status:not", "final"), ("code:missing", "true")])
    first, second = query.conditions
    assert (first.modifier, len(first.terms)) == ("not", 1)
    assert (second.modifier, second.missing, second.terms) == ("missing", True, ())


def test_what_shapes_the_answer_is_read() -> None:
    pairs = [
        ("_sort", "-date,_id"), ("_count", "20"), ("_include", "Observation:subject:Patient"),
        ("_revinclude", "Provenance:target"), ("_total", "accurate"), ("_summary", "data"),
        ("_elements", "code,value"), ("_format", "json"), ("_pretty", "true"), ("_cursor", "abc"),
    ]  # fmt: skip
    assert parse("Observation", pairs) == Query(
        "Observation",
        sort=(Sort("date", "date", descending=True), Sort("_id", "token", descending=False)),
        count=20,
        includes=(Include("Observation", "subject", "Patient"),),
        revincludes=(Include("Provenance", "target", "Observation"),),
        total="accurate",
        summary="data",
        elements=("code", "value"),
        format="json",
        pretty=True,
        cursor="abc",
        applied=tuple(pairs),
    )


def test_all_references_can_be_included_at_once() -> None:
    includes = parse("Encounter", [("_include", "Encounter:*")]).includes
    kinds = {PARAMETERS["Encounter"][include.parameter].kind for include in includes}
    assert kinds == {"reference"}
    assert len(includes) > 5
    back = parse("Patient", [("_revinclude", "Observation:*")]).revincludes
    assert {include.parameter for include in back} >= {"subject", "patient", "performer"}


REFUSED = [
    ("code:exact", "x", "not-supported"), ("_filter", "name is x", "not-supported"),
    ("_filter", "code is x", "value"),
    ("_contained", "maybe", "value"), ("_containedType", "box", "value"),
    ("_text:exact", "x", "not-supported"),
    ("code-value-quantity:not", "1$2", "not-supported"),
    ("_list", "$current-problems", "not-supported"),
    ("patient.general-practitioner.organization.partof.partof.partof.partof.name", "x",
     "not-supported"),
    ("code.name", "x", "value"), ("focus.name", "x", "value"), ("code:below", "x", "value"),
    ("subject:Practitioner.name", "x", "value"), ("_has:Provenance", "x", "value"),
    ("_has:Shoe:patient:code", "x", "value"), ("_has:Provenance:agent:_id", "x", "value"),
    ("identifier:of-type", "urn:x|y", "value"),
    ("_include:often", "Observation:subject", "not-supported"),
    ("_include", "Patient:general-practitioner", "not-supported"),
    ("_sort", "shoe-size", "not-supported"), ("date:exact", "2024", "not-supported"),
    ("code", "", "value"), ("code", "a|b|c", "value"), ("code", "|", "value"),
    ("code", "a\\", "value"), ("date", "2026-02-30", "value"), ("date", "eq", "value"),
    ("date", "xx2024", "value"), ("value-quantity", "5|mg", "value"),
    ("value-quantity", "five", "value"), ("value-quantity", "NaN", "value"),
    ("value-quantity", "1e99999999999", "value"), ("code-value-quantity", "a", "value"),
    ("subject:Practitioner", "1", "value"), ("patient", "Practitioner/1", "value"),
    ("code:missing", "maybe", "value"), ("_count", "-1", "value"), ("_count", "ten", "value"),
    ("_summary", "some", "value"), ("_total", "some", "value"), ("_elements", "shoes", "value"),
    ("_include", "Observation", "value"), ("_include", "Observation:code", "value"),
    ("_include", "Observation:subject:Shoe", "value"), ("_revinclude", "Provenance:agent", "value"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "code"), REFUSED)
@pytest.mark.parametrize("strict", [True, False])
def test_what_cannot_be_answered_as_asked_is_refused(
    name: str, value: str, code: str, strict: bool
) -> None:
    with pytest.raises(SearchError) as refused:
        parse("Observation", [(name, value)], strict=strict)
    (issue,) = refused.value.issues
    assert (issue.code, issue.expression, issue.is_error) == (code, name, True)


def test_an_unknown_parameter_is_refused_or_named_to_a_lenient_client() -> None:
    pairs = [("shoe-size", "42"), ("code", "a")]
    with pytest.raises(SearchError, match="shoe-size"):
        parse("Observation", pairs)
    query = parse("Observation", pairs, strict=False)
    assert query.applied == (("code", "a"),)
    assert [issue.severity for issue in query.ignored] == ["warning"]


def test_all_faults_of_a_search_are_told_at_once() -> None:
    with pytest.raises(SearchError) as refused:
        parse("Observation", [("a", "1"), ("code", ""), ("date", "x")])
    assert [issue.expression for issue in refused.value.issues] == ["a", "code", "date"]
    with pytest.raises(SearchError):
        parse("Pasient", [])


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ærlig ØYSTEIN Åse", "ærlig øystein åse"),
        ("A\u030ase", "åse"),
        ("André  Müller\n", "andre muller"),
        ("Đuolbba Čálbmi Ŋuorra", "duolbba calbmi nuorra"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_names_are_compared_without_case_and_accents_but_with_norwegian_letters(
    text: str, folded: str
) -> None:
    assert normalize(text) == folded


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4), st.sampled_from(",|$"))
def test_escaped_text_is_never_cut(texts: list[str], separator: str) -> None:
    escaped = [text.replace("\\", "\\\\").replace(separator, "\\" + separator) for text in texts]
    assert [unescape(part) for part in split(separator.join(escaped), separator)] == texts


_names = st.sampled_from(sorted(PARAMETERS["Observation"])) | st.text(max_size=12)
_modifiers = st.sampled_from(["", ":missing", ":not", ":exact", ":Patient", ":identifier", ":x"])


@given(_names, _modifiers, st.text(max_size=30))
def test_no_query_string_breaks_the_reader(name: str, modifier: str, value: str) -> None:
    try:
        query = parse("Observation", [(name + modifier, value)], strict=False)
    except SearchError:
        return
    assert len(query.conditions) <= 1


@given(st.text(max_size=20))
def test_no_text_breaks_the_reader_of_numbers(text: str) -> None:
    try:
        term = number(text)
    except TermError:
        return
    assert term.low <= term.number <= term.high


def test_contained_resources_are_left_out_as_by_default_when_a_client_says_so() -> None:
    said = [("_contained", "false"), ("_containedType", "container"), ("gender", "female")]
    assert parse("Patient", said).conditions == parse("Patient", said[2:]).conditions
