"""Cases as data: what is asked over HTTP, and the status, headers and outcome it must get.

Every file here holds cases; a case is steps in order. `{name}` in a request stands for what an
earlier step saved. Whatever answers 400 or above must leave the record as it was, and say why in
an OperationOutcome.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from helsevev.fhir import serialization
from helsevev.fhir.validation import validate

from .conftest import Api

FOLDER = Path(__file__).parent
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['case']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES)
async def test_the_api_answers_as_the_specification_says(case: dict[str, Any], api: Api) -> None:
    saved: dict[str, str] = {}
    for number, step in enumerate(case["steps"], 1):
        before = await api.counts()
        response = await ask(api, step, saved)
        told = f"step {number}: {response.status_code} {response.text[:2000]}"
        assert response.status_code == step["status"], told
        assert response.headers.get("x-request-id"), told
        check_headers(step.get("headers", {}), response, saved, told)
        if response.status_code >= 400:
            assert await api.counts() == before, told
            if step["request"].partition(" ")[0] != "HEAD":
                outcome = response.json()
                assert outcome["resourceType"] == "OperationOutcome", told
                assert validate(serialization.decode(response.content)) == [], told
        check_issue(step.get("issue"), response, told)
        for path, expected in step.get("expect", {}).items():
            assert look_up(response.json(), path) == fill(expected, saved), f"{path} in {told}"
        for text in step.get("contains", []):
            assert text in response.text, told
        for path in step.get("absent", []):
            assert look_up(response.json(), path) is None, f"{path} in {told}"
        for name, path in step.get("save", {}).items():
            saved[name] = str(look_up(response.json(), path))


async def ask(api: Api, step: dict[str, Any], saved: dict[str, str]) -> httpx.Response:
    """Send one step's request."""
    method, _, url = fill(step["request"], saved).partition(" ")
    client = api.clients[step.get("as", "system")]
    url = url.removeprefix(str(client.base_url))
    headers = {name: fill(value, saved) for name, value in step.get("with", {}).items()}
    content: bytes | None = None
    if "form" in step:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
        content = fill(step["form"], saved).encode()
    elif "text" in step:
        content = fill(step["text"], saved).encode()
    elif "body" in step:
        content = json.dumps(fill(step["body"], saved)).encode()
    request = client.build_request(method, url, content=content, headers=headers)
    for name in step.get("without", []):
        del request.headers[name]
    return await client.send(request)


def check_headers(
    expected: dict[str, str | None], response: httpx.Response, saved: dict[str, str], told: str
) -> None:
    """Each header matches its regular expression; None: it is not there."""
    for name, pattern in expected.items():
        found = response.headers.get(name)
        if pattern is None:
            assert found is None, f"{name} in {told}"
        else:
            wanted = fill(pattern, saved)
            assert found is not None, f"{name} in {told}"
            assert re.fullmatch(wanted, found), f"{name}: {found!r} in {told}"


def check_issue(expected: dict[str, str] | None, response: httpx.Response, told: str) -> None:
    """Some issue has the code, the expression, and words that match `says`."""
    if expected is None:
        return
    found = [
        issue
        for issue in response.json()["issue"]
        if issue["code"] == expected.get("code", issue["code"])
        and expected.get("expression", "") in ("", *issue.get("expression", ()))
        and re.search(expected.get("says", ""), issue.get("diagnostics", ""))
    ]
    assert found, told


def fill(value: Any, saved: dict[str, str]) -> Any:
    """The value with what was saved put in for `{name}`, wherever a string stands."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: saved.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [fill(item, saved) for item in value]
    if isinstance(value, dict):
        return {name: fill(item, saved) for name, item in value.items()}
    return value


def look_up(value: Any, path: str) -> Any:
    """What stands at `a.0.b` ("#" counts, None when it is not there)."""
    for part in path.split("."):
        if part == "#":
            value = len(value)
        elif isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value
