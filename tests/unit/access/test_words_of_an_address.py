"""A protected address in running text: found however it is written, and nothing else is taken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.address_words import gap, secrets_of

HIDDEN: dict[str, Any] = {
    "resourceType": "Patient",
    "address": [
        {"line": ["Hemmeliglia 17"], "postalCode": "7010", "city": "Fjellgrend"},
        {"use": "old", "line": ["Nordre Storgata 5B"], "postalCode": "9999", "city": "Bø"},
        {"line": ["Nordgarden"], "text": "Nordgarden, 8765 Utkant"},
    ],
    "telecom": [{"system": "phone", "value": "+47 10 08 09 09"}],
    "contact": [{"telecom": [{"system": "email", "value": "mor@hidden.example"}],
                 "address": {"text": "Bortgjemt 9, 7011 Annen"}}],
}  # fmt: skip
GONE = (
    "Bor i HEMMELIGLIA 17, alene", "hemmeliglia17", "Hemmeliglia nr. 19 b", "i Hemmeliglia.",
    "Nordre Storgt. 5 b", "nordre   storgate 5", "Hentet på Nordgarden", "7010 FJELLGREND",
    "N-7010  Fjellgrend", "Fjellgrend, 7010", "Ring 1008 0909", "ring +4710080909",
    "MOR@hidden.example", "bortgjemt 9", "Bortgjemt\n9", "Hemmeliglia&#160;17",
    "Hemmeliglia<br/>17", "<b>Hem</b>meliglia 17", "Hemmeli&#103;lia 17", "?q=hemmeliglia%2017",
    "Hemmeliglia%2C+7010", "7010", " Fjellgrend ",
)  # fmt: skip
KEPT = (
    "Storgata 5", "7010 skritt", "Puls 7010", "på bø", "12345678", "hemme lia 17",
    "Fjellgrend kommune", "10080908", "110080909",
)  # fmt: skip
TOLD = ("hemmeli", "nordgard", "storgt", "7010 f", "0909", "hidden.example", "n 7010")


@pytest.mark.parametrize("text", GONE)
def test_an_address_is_taken_out_however_it_is_written(text: str) -> None:
    left = secrets_of([HIDDEN]).out_of(text)
    assert gap() in left
    assert not [told for told in TOLD if told in left.lower()]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_address_stays_as_it_was_written(text: str) -> None:
    assert secrets_of([HIDDEN]).out_of(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Fjellgrend kommune", f"{gap()} kommune"), ("FJELLGRENDs lege", f"{gap()} lege"),
        ("Går på bø", "Går på bø"), ("fjellgrend", gap()),
        ("i Fjell&shy;grend", "i Fjell&shy;grend"), ("i Fjellgre&#110;d", gap()),
    ],
)  # fmt: skip
def test_the_place_goes_too_when_the_address_is_strictly_confidential(text: str, left: str) -> None:
    assert secrets_of([HIDDEN], strictly=True).out_of(text) == left


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_text_around_it_keeps_an_address_from_being_found(before: str, after: str) -> None:
    left = secrets_of([HIDDEN]).out_of(f"{before} Hemmeliglia 17 {after}")
    assert "hemmeliglia" not in left.lower()


def test_nobody_has_an_address_and_nothing_is_taken() -> None:
    assert secrets_of([{"resourceType": "Patient"}]).out_of("Storgata 1, 7010") == (
        "Storgata 1, 7010"
    )
