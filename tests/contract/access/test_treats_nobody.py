"""Those whose role treats nobody open nothing by the ties of their unit, and are told why."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.contract.access.conftest import OFFICES, World

from helsevev.access.errors import Refused
from helsevev.record import keys
from helsevev.record.wall import asking, behind

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHY: Final = "Your role does not take part in treatment, so it opens no records."
TOLD: Final = "Rollen din tar ikke del i behandling, og åpner derfor ingen journaler."
ASKED: Final = (
    "Patient", "Condition", "Condition?_summary=count", "Encounter?service-provider=ward",
    "Condition?patient=Patient/open", "Patient/open", "Patient/open/$everything",
    "Patient/open/Condition", "Condition/open-plain/_history", "Patient/_history",
    "Patient?_has:Condition:patient:code=J45", "Observation/$lastn?patient=Patient/open&code=x",
    "$export", "Patient/$export",
)  # fmt: skip


@pytest.mark.parametrize("role", OFFICES)
@pytest.mark.parametrize("relation", ["organisation", "unit", "personal"])
async def test_no_question_opens_a_record_to_them(world: World, role: str, relation: str) -> None:
    api = world.api[role, relation]
    for url in ASKED:
        answer = await api.get(f"/fhir/{url}")
        held = answer.json()
        if answer.status_code == 200:
            # A list across everybody has nothing about anybody.
            assert (held.get("total", 0), held.get("entry", [])) == (0, []), url
        else:
            assert answer.status_code == 403, (url, answer.text)
            if "export" not in url:
                assert held["issue"][0]["diagnostics"] == WHY, url


@pytest.mark.parametrize("role", OFFICES)
async def test_pages_tell_them_why_in_norwegian(world: World, role: str) -> None:
    pages = world.pages[role, "unit"]
    for page in ("/patient/open", "/patient/open/timeline", "/patient/strict-address"):
        answer = await pages.get(page)
        assert answer.status_code in (403, 404), page
        assert answer.status_code == 404 or TOLD in answer.text, page
    assert "Berg" not in (await pages.get("/", follow_redirects=True)).text
    assert await world.services.people.mine(world.actors[role, "unit"]) == []


@pytest.mark.parametrize("role", OFFICES)
async def test_the_wall_shows_them_nobody(world: World, role: str) -> None:
    actor = world.actors[role, "personal"]
    permits = world.services.gate.permits
    with behind():
        await permits.reach_all(actor)
        await permits.verdict(actor, keys.patient_key("open"))
        assert asking().patients <= {keys.REFERENCE}  # type: ignore[union-attr]


@pytest.mark.parametrize("role", OFFICES)
async def test_no_subscription_tells_them_of_anybody(world: World, role: str) -> None:
    asked: dict[str, Any] = {
        "resourceType": "Subscription", "status": "requested", "reason": "x",
        "criteria": "Condition?patient=Patient/open",
        "channel": {"type": "websocket", "payload": "application/fhir+json"},
    }  # fmt: skip
    answer = await world.api[role, "unit"].post("/fhir/Subscription", json=asked)
    assert answer.status_code >= 400
    with pytest.raises(Refused):
        await world.services.gate.open_chart(world.actors[role, "unit"], "open")
