"""What a ValueSet says, by its compose or by its URL alone."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.terminology.value_set import BadValueSet, Filter, Part, edition, implicit, read
from helsevev.terminology.words import fold, matches

SNOMED = "http://snomed.info/sct"
EDITION = f"{SNOMED}/51000202101/version/20260415"
LOINC = "http://loinc.org"
UNKNOWN = {"property": "p", "op": "like", "value": "x"}
NAMELESS = {"property": "", "op": "=", "value": "x"}


def below(system: str, code: str) -> Part:
    """A part that is a concept and all below it."""
    return Part(system, filters=(Filter("concept", "is-a", code),))


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (f"{SNOMED}?fhir_vs", Part(SNOMED)),
        (f"{EDITION}?fhir_vs", Part(SNOMED, EDITION)),
        (f"{SNOMED}?fhir_vs=isa/73211009", below(SNOMED, "73211009")),
        (f"{SNOMED}?fhir_vs=refset", Part(SNOMED, member_of="*")),
        (f"{SNOMED}?fhir_vs=refset/88161000202101", Part(SNOMED, member_of="88161000202101")),
        ("http://loinc.org/vs", Part("http://loinc.org")),
        ("http://loinc.org/vs/LL715-4", Part("http://loinc.org", member_of="LL715-4")),
        ("http://loinc.org/vs/LP7789-1", below(LOINC, "LP7789-1")),
        ("http://example.org/cs?fhir_vs", Part("http://example.org/cs")),
    ],
)  # fmt: skip
def test_a_url_can_mean_a_value_set_by_itself(url: str, part: Part) -> None:
    found = implicit(url)
    assert found is not None
    assert found.include == (part,)


def test_an_ordinary_url_means_none() -> None:
    assert implicit("http://example.org/vs") is None


def test_an_expression_that_is_not_read_is_said() -> None:
    with pytest.raises(BadValueSet, match="not one this server reads"):
        implicit(f"{SNOMED}?fhir_vs=ecl/%3C%2073211009")


@pytest.mark.parametrize(
    ("compose", "says"),
    [
        ({"include": [{"concept": [{"code": "a"}]}]}, "vsd-2"),
        ({"include": [{}]}, "vsd-1"),
        ({"include": [{"system": "s", "concept": [{"code": "a"}], "filter": [{}]}]}, "property|op"),
        ({"include": [{"system": "s", "filter": [UNKNOWN]}]}, "like"),
        ({"exclude": [{"system": "s", "filter": [NAMELESS]}]}, "exclude"),
    ],
)  # fmt: skip
def test_a_compose_that_breaks_a_rule_is_told_where(compose: dict[str, Any], says: str) -> None:
    with pytest.raises(BadValueSet, match=says):
        read({"resourceType": "ValueSet", "compose": compose})


def test_a_value_set_without_compose_is_its_expansion() -> None:
    found = read({
        "expansion": {
            "contains": [
                {"abstract": True, "display": "Group", "contains": [{"system": "s", "code": "a"}]},
                {"system": "s", "code": "b", "display": "B"},
            ]
        }
    })  # fmt: skip
    assert [[each.code for each in part.listed] for part in found.include] == [["a", "b"]]


def test_an_edition_of_snomed_is_a_version_of_it() -> None:
    assert edition(EDITION, "") == (SNOMED, EDITION)
    assert edition("http://loinc.org", "2.78") == ("http://loinc.org", "2.78")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hjerteinfarkt, akutt", "hjerteinfarkt akutt"),
        ("Ménières sykdom", "menieres sykdom"),
        ("ÅPEN SKADE I ØYET (æ)", "åpen skade i øyet æ"),
        ("P-ALAT 3/4", "p alat 3 4"),
        ("A\N{COMBINING RING ABOVE}", "å"),
        ("—", ""),
    ],
)
def test_names_are_folded_and_norwegian_letters_stay_letters(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_each_typed_word_begins_a_word_of_the_name() -> None:
    assert matches("akutt hjerteinfarkt", ["hjer", "ak"])
    assert not matches("akutt hjerteinfarkt", ["infarkt"])
