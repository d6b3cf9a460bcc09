"""The API over a real PostgreSQL, asked in process, by a system and by people in roles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir_api.application import FhirApi
from helsevev.record.database import Database

NURSE = Actor(
    kind="practitioner", id="Practitioner/nurse", name="Kari", profession="nurse",
    role="sykepleier", organisation="Organization/ward",
    organisations=("Organization/ward", "Organization/hospital"),
)  # fmt: skip
SECRETARY = Actor(
    kind="practitioner", id="Practitioner/secretary", name="Per", profession="secretary",
    role="sekretær", organisation="Organization/ward", organisations=("Organization/ward",),
)  # fmt: skip
INHABITANT = Actor(
    kind="inhabitant", id="Patient/own", name="Ola", profession="", role="innbygger",
    patient="Patient/own",
)  # fmt: skip
ACTORS = {"system": SYSTEM, "nurse": NURSE, "secretary": SECRETARY, "inhabitant": INHABITANT}

COUNTS = (
    "SELECT (SELECT count(*) FROM resource), (SELECT count(*) FROM resource_history),"
    " (SELECT count(*) FROM change), (SELECT count(*) FROM search_string),"
    " (SELECT count(*) FROM search_date), (SELECT count(*) FROM search_quantity)"
)


def no_future_births(resource: dict[str, Any]) -> list[Issue]:
    """A clinical rule, as a chapter would have one."""
    if resource.get("birthDate", "") > "2100":
        return [error("business-rule", "Nobody is born that late.", "Patient.birthDate")]
    return []


@dataclass
class Api:
    """The application, its services, and a client for each actor ("" has no token)."""

    services: Services
    application: FhirApi
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def counts(self) -> tuple[int, ...]:
        """How many rows the record's tables have."""
        row = await self.services.gate.store.roles.owner.fetchrow(COUNTS)
        assert row is not None
        return tuple(row)

    @property
    def system(self) -> httpx.AsyncClient:
        """The client of a system with a token for the whole record."""
        return self.clients["system"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(database: Database) -> AsyncIterator[Api]:
    """The API over a fresh record."""
    services = services_over(database, {"Patient": no_future_births})
    made = Api(services, FhirApi(services))
    for name, actor in [*ACTORS.items(), ("", None)]:
        headers = {"content-type": "application/fhir+json"}
        if actor is not None:
            made.tokens[name] = await services.credentials.issue_token(actor)
            headers["authorization"] = f"Bearer {made.tokens[name]}"
        made.clients[name] = httpx.AsyncClient(
            transport=httpx.ASGITransport(made.application),
            base_url="http://record.example/fhir/",
            headers=headers,
        )
    yield made
    for client in made.clients.values():
        await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def nothing_stored(api: Api) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Compares the record at the end with how it was at the beginning."""
    before = await api.counts()

    async def check() -> None:
        assert await api.counts() == before

    yield check
    await check()
