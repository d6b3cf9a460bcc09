"""A gate that were wider than the wall would be told of, and nothing is stored."""

from __future__ import annotations

import logging

import pytest
from tests.contract.access.conftest import World, condition

from helsevev.access import permit
from helsevev.access.policy import Decision
from helsevev.record.wall import behind

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_write_that_only_the_wall_stops_is_refused_and_noted(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nurse = ("nurse", "none")
    monkeypatch.setattr(permit, "decide", lambda *_a, **_k: Decision(True, "relation", "forced"))
    with caplog.at_level(logging.ERROR), behind():
        answer = await world.api[nurse].post("/fhir/Condition", json=condition("adult", "plain"))
    assert answer.status_code == 403, answer.text
    issue = answer.json()["issue"][0]
    assert issue["code"] == "forbidden"
    incident = issue["diagnostics"].rpartition("(")[2].rstrip(")")
    assert incident in caplog.text
