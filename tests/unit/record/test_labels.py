"""The sieve before labels: what it lets by has none."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helsevev.content.loading import categories
from helsevev.fhir.serialization import encode
from helsevev.record.labels import labels_of, may_be_labelled

KNOWN = categories()
MARKS = sorted(
    {code for mark in KNOWN.mark for code in mark.codes}
    | {mark for category in KNOWN.category for mark in category.marks}
)
STARTS = sorted({start for each in KNOWN.category for start in (*each.icd10, *each.icpc2)})
SYSTEMS = ("http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.578.1.12.4.1.1.7170", "http://loinc.org")
TAILS = st.text(alphabet='0123456789.AB"æ', max_size=3)
CODES = st.one_of(
    st.sampled_from(MARKS),
    st.builds(str.__add__, st.sampled_from(STARTS), TAILS),
    st.builds(str.__add__, st.sampled_from([start.lower() for start in STARTS]), TAILS),
    st.text(max_size=5),
)
CODINGS = st.fixed_dictionaries({"system": st.sampled_from(SYSTEMS), "code": CODES})


@given(st.sampled_from(["Condition", "Patient"]), CODINGS, CODINGS)
def test_whatever_has_a_label_is_looked_at(
    kind: str, mark: dict[str, Any], coding: dict[str, Any]
) -> None:
    resource = {
        "resourceType": kind, "meta": {"security": [mark]}, "code": {"coding": [coding]},
    }  # fmt: skip
    assert may_be_labelled(encode(resource)) or not labels_of(resource)


def test_what_refuses_and_what_hides_an_address_is_looked_at() -> None:
    secret = {"url": "http://example.org/secret-address", "valueBoolean": True}
    for resource in (
        {"resourceType": "Consent", "provision": {"type": "deny"}},
        {"resourceType": "Patient", "address": [{"extension": [secret]}]},
    ):
        assert labels_of(resource)
        assert may_be_labelled(encode(resource))


def test_what_says_nothing_of_the_kind_is_passed_by() -> None:
    pulse = {"system": "http://loinc.org", "code": "8867-4"}
    assert not may_be_labelled(encode({"resourceType": "Observation", "code": {"coding": [pulse]}}))
