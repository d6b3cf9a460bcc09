"""The whole site over a record with the demo's stories, asked in process as a browser would."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.routes import HTTPRoute

from helsevev.access import demo
from helsevev.access.services import Services, services_over
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import CHAPTERS, build_app, build_pages, rules
from helsevev.record.database import Database

PERSONAS = ("hospital-doctor", "secretary", "privacy-officer", "inhabitant", "")
FILLED = {
    "patient_id": "marit-haugland", "section": "problems", "key": "vital-signs", "kind": "note",
    "note_id": "none", "persona": "nobody", "who": "staff", "client_id": "none", "person_id": "x",
    "grant_id": "none", "name": "app.css", "patient": "1", "number": "1",
}  # fmt: skip


@dataclass
class Site:
    """The application, and a browser for each persona ("" is nobody)."""

    app: Any
    pages: Litestar
    services: Services
    settings: Settings
    patient: str
    browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def browser(self, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """A new one, at a network address."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 5000)),
            base_url="http://127.0.0.1:8000", headers=headers,
        )  # fmt: skip

    async def signed_in(self, persona: str, **headers: str) -> httpx.AsyncClient:
        """A browser of a persona."""
        browser = self.browser(**headers)
        key = self.pages.state["demo_key"]
        answer = await browser.get(f"/sign-in/{persona}", params={"key": key})
        assert answer.status_code == 303, answer.text
        return browser

    def routes(self) -> list[tuple[str, str, Any]]:
        """Every route of the pages: method, path with its variables filled in, and handler."""
        found = []
        for route in self.pages.routes:
            if not isinstance(route, HTTPRoute):
                continue
            path = "".join(
                f"/{self._fill(part.name)}" if hasattr(part, "name") else f"/{part}"
                for part in route.path_components
            )
            for handler in route.route_handlers:
                methods = handler.http_methods - {"OPTIONS", "HEAD"}
                found += [(str(method), path or "/", handler) for method in methods]
        return found

    def _fill(self, name: str) -> str:
        return self.patient if name == "patient_id" else FILLED.get(name, "1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The site as `helsevev serve --demo` serves it."""
    folder = tmp_path_factory.mktemp("site")
    settings = Settings(data=folder, demo=True, address="http://127.0.0.1:8000")
    projections = tuple(p for chapter in CHAPTERS for p in chapter.projections)
    services = services_over(
        database, rules(), projections, exports=folder / "exports", keys_folder=folder
    )
    await demo.load(services, clock.now())
    with warnings.catch_warnings():
        # How path parameters are declared is about to change in the framework.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        pages = build_pages(settings, services)
        app = build_app(settings, services)
    patient = demo.personas()["inhabitant"].patient or ""
    made = Site(app, pages, services, settings, patient.removeprefix("Patient/"))
    for persona in PERSONAS:
        made.browsers[persona] = await made.signed_in(persona) if persona else made.browser()
    yield made
    for browser in made.browsers.values():
        await browser.aclose()
