"""FHIR's XML says the same as its JSON, and a hostile document says nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir.serialization import decode, encode
from helsevev.fhir.validation import validate
from helsevev.fhir.xml.reading import MalformedXml, from_xml
from helsevev.fhir.xml.writing import to_xml
from helsevev.region import demo
from helsevev.region.generate import Plan

HEAD = '<Patient xmlns="http://hl7.org/fhir">'


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    return [ordered(each) for each in value] if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Equal to the last digit, whatever the order of keys."""
    return encode(ordered(one)) == encode(ordered(other))


def test_every_official_example_is_the_same_after_a_turn_through_xml(shared: Path) -> None:
    turned = 0
    differing: list[str] = []
    with gzip.open(shared / "data/fhir/r4-examples.ndjson.gz") as lines:
        for line in lines:
            row = json.loads(line)
            resource = decode(row["text"])
            if any(issue.is_error for issue in validate(resource)):
                continue
            turned += 1
            try:
                if not same(from_xml(to_xml(resource)), resource):
                    differing.append(row["file"])
            except MalformedXml as problem:
                differing.append(f"{row['file']}: {problem}")
    assert turned > 2000
    assert differing == []


def test_the_demo_is_the_same_after_a_turn_through_xml() -> None:
    for bundle in demo.bundles(Plan(1).until):
        resource = decode(encode(bundle))
        assert same(from_xml(to_xml(resource)), resource)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + HEAD + "</Patient>", "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + HEAD + "</Patient>", "document type"),
        ("<?xml-stylesheet href='x'?>" + HEAD + "</Patient>", "processing instruction"),
        (HEAD + "<gender>&lol;</gender></Patient>", "not XML"),
        (HEAD + "<gendr value='x'/></Patient>", "unknown element gendr"),
        (HEAD + "<gender worth='x'/></Patient>", "unknown attribute worth"),
        (HEAD + "<gender>male</gender></Patient>", "values are attributes"),
        (HEAD + "<gender value='a'/><gender value='b'/></Patient>", "may stand once"),
        ("<Patient/>", "namespace"),
        ('<Human xmlns="http://hl7.org/fhir"/>', "no resource type"),
        (HEAD + "<contained><Group/><Group/></contained></Patient>", "only one resource"),
        (HEAD + "<extension>" * 200, "nested deeper"),
        ("", "not XML"),
        (HEAD, "not XML"),
    ],
)
def test_what_is_not_fhir_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(MalformedXml, match=says):
        from_xml(text.encode())


def test_breaks_in_texts_and_extensions_of_primitives_survive() -> None:
    patient = {
        "resourceType": "Patient", "id": "a",
        "_birthDate": {"extension": [{"url": "x", "valueCode": "u"}]},
        "name": [{
            "given": ["A", None, "B"], "_given": [None, {"id": "g"}, None], "text": "1\n2\t\"<&>'",
        }],
        "multipleBirthInteger": 2, "active": False,
    }  # fmt: skip
    assert from_xml(to_xml(patient)) == patient
