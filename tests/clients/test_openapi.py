"""The OpenAPI description is sound, and whatever is made from it gets no error of the server's."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from helsevev.fhir_api.openapi import description
from helsevev.fhir_api.routing import ROUTES

from .conftest import Server

ENDLESS = ("$stream",)
"""Operations that go on telling as long as somebody listens."""


def described(kind: str | None) -> list[Any]:
    """Every operation of a description, as parameters of a test."""
    schema = schemathesis.openapi.from_dict(description("http://x.example/fhir", ROUTES, kind))
    found: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    return [
        pytest.param(operation, id=f"{operation.label} ({kind or 'all'})")
        for operation in found
        if not operation.path.endswith(ENDLESS)
    ]


OPERATIONS = [*described(None), *described("Patient"), *described("Observation")]


def fuzz(operation: Any, server: Server, examples: int) -> None:
    """Ask what the description allows, and see that the answer is one that it tells of."""
    checks: list[Any] = [schemathesis.checks.not_a_server_error]
    if "$" not in operation.path and "_export" not in operation.path:
        checks += [status_code_conformance, content_type_conformance, response_schema_conformance]

    @settings(
        deadline=None, max_examples=examples, database=None, derandomize=examples < 100,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        headers = {"Authorization": f"Bearer {server.token}"}
        response = case.call(base_url=server.base, headers=headers, timeout=30)
        case.validate_response(response, checks=checks)

    ask()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_the_description_allows_is_answered(operation: Any, server: Server) -> None:
    fuzz(operation, server, examples=15)


@pytest.mark.soak
@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_the_description_allows_is_answered_for_long(
    operation: Any, server: Server
) -> None:
    fuzz(operation, server, examples=300)


def test_the_description_is_served_to_everybody(server: Server) -> None:
    whole = requests.get(f"{server.base}/openapi.json", timeout=30)
    assert whole.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    assert whole.json()["openapi"] == "3.1.0"
    assert whole.json()["servers"] == [{"url": server.base}]
    of_patient = requests.get(f"{server.base}/openapi.json?type=Patient", timeout=30).json()
    names = {p["name"] for p in of_patient["paths"]["/Patient"]["get"]["parameters"]}
    assert {"birthdate", "identifier", "general-practitioner", "_count"} <= names
    assert requests.get(f"{server.base}/openapi.json?type=Pasient", timeout=30).status_code == 400
