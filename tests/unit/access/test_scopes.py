"""Scopes of apps: how they are read, and that nothing is within them that was not granted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access import scopes

LAB = {
    "resourceType": "Observation",
    "id": "x",
    "status": "final",
    "code": {"text": "x"},
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                    "code": "laboratory",
                }
            ]
        }
    ],
}
VITAL: dict[str, Any] = {**LAB, "category": [{"coding": [{"code": "vital-signs"}]}]}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("patient/Observation.rs", "patient/Observation.rs"),
        ("user/*.cruds", "user/*.cruds"),
        ("system/*.rs", "system/*.rs"),
        ("patient/*.read", "patient/*.rs"),
        ("user/Observation.write", "user/Observation.cud"),
        ("system/Patient.*", "system/Patient.cruds"),
        (
            "patient/Observation.rs?category=laboratory",
            "patient/Observation.rs?category=laboratory",
        ),
        ("patient/Observation.sr", None),
        ("patient/Observation.", None),
        ("patient/Observation.rr", None),
        ("patient/Nothing.rs", None),
        ("patient/Observation.rs?nothing=x", None),
        ("patient/Observation.rs?subject:Patient.name=x", None),
        ("patient/Observation.rs?_lastUpdated:missing=true", None),
        ("patient/Observation.rs?category", None),
        ("patient/*.rs?category=x", None),
        ("patient/Observation.rs\n", None),
        ("admin/Observation.rs", None),
        ("launch", None),
    ],
)
def test_a_scope_is_read_as_version_2_says(text: str, meaning: str | None) -> None:
    found = scopes.read(text)
    assert (found.text if found else None) == meaning


def test_a_scope_covers_its_letters_its_type_and_no_others() -> None:
    grant = scopes.grant_of(("patient/Observation.rs", "launch/patient"))
    assert grant.covers("r", "Observation", of_patient=True)
    assert not grant.covers("u", "Observation", of_patient=True)
    assert not grant.covers("r", "Condition", of_patient=True)
    assert not grant.covers("r", "Observation", of_patient=False), "another inhabitant's"
    assert scopes.grant_of(("user/Observation.rs",)).covers("r", "Observation", of_patient=False)


def test_a_scope_that_narrows_covers_what_fits_and_nothing_unseen() -> None:
    grant = scopes.grant_of(("user/Observation.rs?category=laboratory",))
    assert grant.covers("r", "Observation", LAB, of_patient=False)
    assert not grant.covers("r", "Observation", VITAL, of_patient=False)
    assert not grant.covers("r", "Observation", of_patient=False)
    assert grant.narrows("r", "Observation")
    assert not grant.narrows("r", "Condition")


def test_what_is_granted_is_the_part_that_is_allowed() -> None:
    asked = ("patient/*.cruds", "offline_access", "launch", "openid", "user/*.rs", "what/ever")
    allowed = ("patient/*.rs", "patient/Observation.c", "openid", "launch")
    assert scopes.granted(asked, allowed) == (
        "patient/*.rs", "patient/Observation.c", "launch", "openid",
    )  # fmt: skip
    narrow = scopes.granted(("patient/Observation.rs",), ("patient/*.rs",))
    assert narrow == ("patient/Observation.rs",)
    both = scopes.granted(
        ("user/Observation.rs?code=1-2",), ("user/Observation.rs?category=laboratory",)
    )
    assert both == ("user/Observation.rs?code=1-2&category=laboratory",)


def test_a_search_by_several_narrow_scopes_finds_what_fits_one_of_them() -> None:
    grant = scopes.grant_of(
        ("user/Observation.rs?category=laboratory&status=final", "user/Observation.s?code=1-2")
    )
    within = grant.of_search("Observation")
    assert within is not None
    assert not within.only_patient
    assert [[c.name for c in any_of.conditions] for any_of in within.joins] == [
        ["category", "code"],
        ["status", "code"],
    ]
    assert grant.of_search("Condition") is None


LEVELS = st.sampled_from(["patient", "user", "system"])
TYPES = st.sampled_from(["*", "Observation", "Condition", "Patient"])
WORDS = st.sampled_from(["r", "rs", "cruds", "cud", "s", "read", "write", "*"])
QUERIES = st.sampled_from(["", "", "?_id=x", "?_id=x&_id=y"])
TEXTS = st.builds(lambda a, b, c, d: f"{a}/{b}.{c}{d}", LEVELS, TYPES, WORDS, QUERIES)
SEVERAL = st.lists(TEXTS | st.sampled_from(sorted(scopes.PLAIN)), max_size=5)


@given(SEVERAL, SEVERAL, st.sampled_from(list(scopes.LETTERS)), TYPES, st.sampled_from("xyz"),
       st.booleans())  # fmt: skip
def test_nothing_is_granted_that_was_not_both_asked_for_and_allowed(
    asked: list[str], allowed: list[str], letter: Any, kind: str, named: str, of_patient: bool
) -> None:
    found = scopes.granted(asked, allowed)
    assert scopes.is_within(found, allowed)
    assert scopes.granted(found, allowed) == found
    kind = "Observation" if kind == "*" else kind
    resource = {**LAB, "resourceType": kind, "id": named}
    parts = [scopes.grant_of(tuple(texts)) for texts in (found, asked, allowed)]
    covered = [part.covers(letter, kind, resource, of_patient=of_patient) for part in parts]
    if covered[0]:
        assert covered[1]
        assert covered[2]
