"""Who acts for an inhabitant: parents by parental responsibility, others by what is granted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.representing import RESPONSIBILITY, SCOPE_URL, representations

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
FAMILY = "http://hl7.no/fhir/CodeSystem/no-basis-family-relation"
NUMBER = "urn:oid:2.16.578.1.12.4.1.4.1"
PARENTS = (
    "MTH",
    "FTH",
    "PRN",
    "NMTH",
    "NFTH",
    "ADOPTM",
    "ADOPTF",
    "ADOPTP",
    "mor",
    "far",
    "medmor",
)
KINDS = (*PARENTS, "SPS", "DAUC", "FRND", "barn", "GUARD", "POWATT", "HPOWATT")


def person(*codes: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": "Patient/child"},
        "identifier": [{"system": NUMBER, "value": "14850070002"}],
        "relationship": [{"coding": [{"system": s, "code": c}]} for s, c in codes],
    } | more


def acts(*codes: tuple[str, str], **more: Any) -> list[tuple[str, str]]:
    return [(kind, scope) for _, kind, scope, _, _ in representations(person(*codes, **more))]


@pytest.mark.parametrize(
    ("parent", "responsibility", "is_one"),
    [
        ("MTH", "felles", True), ("FTH", "felles", True), ("medmor", "felles", True),
        ("MTH", "mor", True), ("FTH", "far", True), ("medmor", "medmor", True),
        ("PRN", "felles", True),
        # The other parent has it alone, others have it, nobody knows, or nobody said.
        ("FTH", "mor", False), ("MTH", "far", False), ("medmor", "mor", False),
        ("MTH", "andre", False), ("FTH", "ukjent", False), ("MTH", "", False),
        ("PRN", "mor", False),
    ],
)  # fmt: skip
def test_a_parent_acts_by_parental_responsibility_alone(
    parent: str, responsibility: str, is_one: bool
) -> None:
    codes = [(ROLE, parent)]
    if responsibility:
        codes.append((RESPONSIBILITY, responsibility))
    assert acts(*codes) == ([("parent", "full")] if is_one else [])


def test_others_than_the_parents_act_when_the_responsibility_is_theirs() -> None:
    assert acts((RESPONSIBILITY, "andre")) == [("parent", "full")]
    assert acts((FAMILY, "søsken"), (RESPONSIBILITY, "andre")) == [("parent", "full")]
    assert acts((RESPONSIBILITY, "felles")) == []


@pytest.mark.parametrize("said", ["communicate", "read", "full", "everything"])
def test_what_is_granted_reaches_as_far_as_its_scope(said: str) -> None:
    scope = {"extension": [{"url": SCOPE_URL, "valueCode": said}]}
    reaches = said if said != "everything" else "communicate"
    assert acts((ROLE, "POWATT"), **scope) == [("power-of-attorney", reaches)]
    assert acts((ROLE, "GUARD"), **scope) == [("guardian", reaches)]


def test_nobody_acts_who_is_withdrawn_or_has_no_number() -> None:
    assert acts((ROLE, "POWATT"), active=False) == []
    assert acts((ROLE, "POWATT"), identifier=[]) == []


@given(
    st.lists(st.sampled_from([(ROLE, c) for c in KINDS] + [(FAMILY, c) for c in KINDS])),
    st.sampled_from(["mor", "far", "medmor", "ukjent", ""]),
)
def test_no_kinship_makes_a_parent_of_one_without_responsibility(
    codes: list[tuple[str, str]], responsibility: str
) -> None:
    its_own = {"mor": {"MTH", "NMTH", "ADOPTM", "mor"}, "far": {"FTH", "NFTH", "ADOPTF", "far"},
               "medmor": {"medmor"}}.get(responsibility, set())  # fmt: skip
    if responsibility:
        codes = [*codes, (RESPONSIBILITY, responsibility)]
    is_parent = ("parent", "full") in acts(*codes)
    assert is_parent == any(code in its_own for system, code in codes if system != RESPONSIBILITY)
