"""What somebody types to find a person: parts of names, a birth date, a national number."""

from __future__ import annotations

import pytest

from helsevev.access.errors import Invalid
from helsevev.access.people import _shown_to_strangers, _wanted


@pytest.mark.parametrize(
    ("text", "names", "born", "number"),
    [
        ("Åse Berg", ("åse", "berg"), None, None),
        ("berg,åse", ("berg", "åse"), None, None),
        ("  Kari   NORDMANN ", ("kari", "nordmann"), None, None),
        ("21.11.1950", (), "1950-11-21", None),
        ("1.2.1950", (), "1950-02-01", None),
        ("21/11/1950 k", ("k",), "1950-11-21", None),
        ("1950-11-21", (), "1950-11-21", None),
        ("Berg 1950-11-21", ("berg",), "1950-11-21", None),
        ("21165012345", (), None, "21165012345"),
        ("211650 12345", (), None, "21165012345"),
        (" 2 1 1 6 5 0 1 2 3 4 5 ", (), None, "21165012345"),
        ("a b", ("a", "b"), None, None),
        ("Zoë", ("zoe",), None, None),
    ],
)
def test_words_are_read_as_names_dates_and_numbers(
    text: str, names: tuple[str, ...], born: str | None, number: str | None
) -> None:
    wanted = _wanted(text)
    assert (wanted.names, wanted.birth_date, wanted.number) == (names, born, number)


@pytest.mark.parametrize("text", ["", " ", "a", ",", "31.02.1950", "1950-13-01", "0.0.0000", "\0"])
def test_too_little_to_go_by_is_said(text: str) -> None:
    with pytest.raises(Invalid) as said:
        _wanted(text)
    assert said.value.issues[0].expression == "q"


@pytest.mark.parametrize("text", ["Berg\0", "\ud800Berg", "Be\u0000rg"])
def test_what_no_name_holds_is_left_out_of_the_question(text: str) -> None:
    assert _wanted(text).names == ("berg",)


def test_a_stranger_does_not_learn_where_somebody_lives() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": "Berg"}],
        "gender": "female",
        "birthDate": "1950-11-21",
        "address": [{"text": "Secret street 1"}],
        "telecom": [{"value": "99999999"}],
        "contact": [{"name": {"text": "Son"}}],
        "generalPractitioner": [{"reference": "Practitioner/gp"}],
        "identifier": [
            {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "21165012345"},
            {"system": "https://clinic.example/local", "value": "hiv-clinic-7"},
        ],
        "extension": [{"url": "https://x.example", "valueString": "secret"}],
    }
    shown = _shown_to_strangers(patient)
    assert set(shown) == {"resourceType", "id", "name", "gender", "birthDate", "identifier"}
    assert [i["value"] for i in shown["identifier"]] == ["21165012345"]
