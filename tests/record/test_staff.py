"""A member of staff who signs in by a role is the same actor as the persona that describes it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from helsevev.access import demo
from helsevev.access.actor import SYSTEM
from helsevev.access.services import Services
from helsevev.access.staff import actor_of_role

STAFF = [key for key, actor in demo.personas().items() if actor.kind == "practitioner"]


@pytest.fixture(scope="module")
async def loaded(services: Services) -> Services:
    """The demo's organisations and staff, loaded as the demo loads them."""
    await demo.load(services, datetime(2026, 11, 21, 12, tzinfo=UTC))
    return services


@pytest.mark.parametrize("key", STAFF)
async def test_a_role_read_from_the_record_is_the_persona(loaded: Services, key: str) -> None:
    persona = demo.personas()[key]
    assert persona.practitioner_role is not None
    role_id = persona.practitioner_role.removeprefix("PractitionerRole/")
    assert await actor_of_role(loaded.gate.store, role_id) == persona


@pytest.mark.parametrize("role_id", ["nobody", "", "../Patient/demo-aslaug", "\x00"])
async def test_nobody_signs_in_by_a_role_that_is_not_there(loaded: Services, role_id: str) -> None:
    assert await actor_of_role(loaded.gate.store, role_id) is None


async def test_nobody_works_in_a_role_that_has_ended(loaded: Services) -> None:
    ended = {
        "resourceType": "PractitionerRole", "id": "ended", "active": False,
        "practitioner": {"reference": "Practitioner/berit-lundamo"},
        "organization": {"reference": "Organization/trondheim-hjemmetjeneste-ost"},
    }  # fmt: skip
    await loaded.writer.write(SYSTEM, ended)
    assert await actor_of_role(loaded.gate.store, "ended") is None
