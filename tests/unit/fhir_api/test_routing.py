"""Every path leads to its interaction, to 404, or to 405 with what is possible."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir_api.problem import Problem
from helsevev.fhir_api.routing import ROUTES, find


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "metadata", "capabilities"),
        ("POST", "", "transaction"),
        ("GET", "_history", "history-system"),
        ("GET", "Patient", "search-type"),
        ("POST", "Patient/_search", "search-type"),
        ("POST", "Patient", "create"),
        ("GET", "Patient/_history", "history-type"),
        ("GET", "Patient/1", "read"),
        ("HEAD", "Patient/1", "read"),
        ("PUT", "Patient/1", "update"),
        ("PATCH", "Patient/1", "patch"),
        ("PATCH", "Patient", "patch"),
        ("DELETE", "Patient/1", "delete"),
        ("PUT", "Patient", "update"),
        ("GET", "Patient/1/_history", "history-instance"),
        ("GET", "Patient/1/_history/2", "vread"),
        ("GET", "Patient/1/Observation", "search-type"),
        ("GET", "Patient/1/*", "search-type"),
    ],
)
def test_a_path_leads_to_its_interaction(method: str, path: str, code: str) -> None:
    assert find(method, tuple(path.split("/")) if path else ()).code == code


@pytest.mark.parametrize(
    "path",
    ["Pasient", "patient/1", "Patient/a_b", "Patient/1/2", "Patient/1/_history/2/3", "Patient/1/$x",
     "Observation/1/Patient", "metadata/1", "_history/1", "Patient//", "_tags"],
)  # fmt: skip
def test_nowhere_is_404(path: str) -> None:
    with pytest.raises(Problem) as told:
        find("GET", tuple(path.split("/")))
    assert told.value.status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "Patient/1", b"GET, PUT, PATCH, DELETE, HEAD"),
        ("PUT", "metadata", b"GET, HEAD"),
        ("GET", "Patient/_search", b"POST"),
    ],
)
def test_what_is_not_possible_is_405_and_tells_what_is(
    method: str, path: str, allowed: bytes
) -> None:
    with pytest.raises(Problem) as told:
        find(method, tuple(path.split("/")))
    assert told.value.status == 405
    assert told.value.headers == ((b"allow", allowed),)


def test_every_route_but_the_descriptions_needs_a_token() -> None:
    public = [
        (path, method)
        for path, methods in ROUTES.items()
        for method, interaction in methods.items()
        if interaction.public
    ]
    assert sorted(public) == [
        (".well-known/smart-configuration", "GET"), ("metadata", "GET"), ("openapi.json", "GET")
    ]  # fmt: skip


@given(st.text(max_size=8), st.lists(st.text(max_size=12), max_size=6))
def test_any_path_is_found_or_refused(method: str, segments: list[str]) -> None:
    with suppress(Problem):
        find(method, tuple(segments))
