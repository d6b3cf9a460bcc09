"""Formats and preferences, as clients really send them."""

from __future__ import annotations

import pytest

from helsevev.fhir_api.negotiation import check_content, media_type, preference
from helsevev.fhir_api.problem import Problem

FHIR, PLAIN = b"application/fhir+json; charset=utf-8", b"application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "asked", "expected"),
    [
        (b"", None, FHIR),
        (b"*/*", None, FHIR),
        (b"application/json", None, PLAIN),
        (b"application/json, application/fhir+json;q=0.5", None, PLAIN),
        (b"application/json;q=0.5, application/fhir+json", None, FHIR),
        (b"Application/FHIR+JSON", None, FHIR),
        (b"application/fhir+json;fhirVersion=4.0", None, FHIR),
        (b"application/fhir+xml", "json", FHIR),
        (b"application/fhir+xml", "application/fhir json", FHIR),
        (b"text/html;q=x, */*;q=0.1", None, FHIR),
    ],
)
def test_the_first_that_can_be_spoken_is_spoken(
    accept: bytes, asked: str | None, expected: bytes
) -> None:
    assert media_type(accept, asked) == expected


@pytest.mark.parametrize(
    ("accept", "asked"),
    [
        (b"text/turtle", None),
        (b"*/*;q=0", None),
        (b"application/fhir+json;fhirVersion=5.0", None),
        (b"*/*", "ttl"),
        (b"*/*", "text/turtle"),
        (b"*/*", ""),
        (b",;=,", None),
    ],
)
def test_what_cannot_be_spoken_is_406(accept: bytes, asked: str | None) -> None:
    with pytest.raises(Problem) as told:
        media_type(accept, asked)
    assert told.value.status == 406


@pytest.mark.parametrize(
    "declared",
    [
        b"",
        b"application/fhir+json",
        b'application/json;charset="UTF-8"',
        b"text/json; charset=utf8",
    ],
)
def test_json_bodies_are_taken(declared: bytes) -> None:
    check_content(declared)


@pytest.mark.parametrize(
    "declared",
    [b"text/plain", b"text/turtle", b"application/json; charset=latin-1", b"multipart/x"],
)
def test_other_bodies_are_415(declared: bytes) -> None:
    with pytest.raises(Problem) as told:
        check_content(declared)
    assert told.value.status == 415


@pytest.mark.parametrize(
    ("prefer", "returning", "strict"),
    [
        (b"", "representation", True),
        (b"return=minimal", "minimal", True),
        (b"handling=lenient; return=OperationOutcome", "OperationOutcome", False),
        (b'return="minimal", handling="strict"', "minimal", True),
        (b"return=everything, wait=10", "representation", True),
        (b"\xff=\xfe", "representation", True),
    ],
)
def test_preferences_that_are_known_are_followed(
    prefer: bytes, returning: str, strict: bool
) -> None:
    found = preference(prefer)
    assert (found.returning, found.strict) == (returning, strict)
