"""The whole application in process, an app's own client, and people who are signed in."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio
from litestar.exceptions import LitestarDeprecationWarning

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.apps.granting import challenge_of
from helsevev.access.apps.registration import Client, Registration
from helsevev.access.services import Services, services_over
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.wiring import Outward
from helsevev.kit.settings import Settings
from helsevev.main import build_app
from helsevev.record.database import Database

ADDRESS = "http://record.example"
BACK = "https://app.example/back"
NURSE = Actor(
    kind="practitioner", id="Practitioner/nurse", name="Kari", profession="nurse",
    role="Sykepleier", organisation="Organization/ward", organisations=("Organization/ward",),
)  # fmt: skip
INHABITANT = Actor(
    kind="inhabitant", id="Patient/own", name="Ola", profession="inhabitant", role="Innbygger",
    patient="Patient/own",
)  # fmt: skip


@dataclass
class World:
    """The application and what it stands on."""

    services: Services
    application: Any
    sessions: dict[str, str] = field(default_factory=dict)

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A client that follows no redirect."""
        transport = httpx.ASGITransport(self.application)
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers)

    async def signed_in(self, actor: Actor) -> httpx.AsyncClient:
        """The browser of somebody who is signed in, in a session of their own."""
        token = await self.services.credentials.start_session(actor)
        browser = self.browser()
        browser.cookies.set("helsevev_session", token)
        return browser

    async def register(self, **more: Any) -> tuple[Client, str]:
        """An app; by default a public one for staff and inhabitants."""
        usual: dict[str, Any] = {
            "name": "Kurver", "vendor": "Testhuset", "kind": "public", "redirect_uris": (BACK,),
            "scopes": ("patient/*.rs", "user/*.rs", "openid", "fhirUser", "launch",
                       "launch/patient", "offline_access", "online_access"),
            "launch_url": "https://app.example/launch", "for_inhabitants": True,
        }  # fmt: skip
        return await self.services.apps.clients.register(SYSTEM, Registration(**usual | more))


@dataclass
class Flow:
    """One authorization by an app: what it sends, and what it remembers."""

    client: Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    redirect_uri: str = BACK
    state: str = "a-state"

    def asked(self, scope: str, **more: str) -> str:
        """The address at which the app asks to be let in; an empty text leaves a name out."""
        said = {
            "response_type": "code", "client_id": self.client.id, "scope": scope,
            "redirect_uri": self.redirect_uri, "state": self.state, "aud": f"{ADDRESS}/fhir",
            "code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256",
        } | more  # fmt: skip
        return "/auth/authorize?" + urlencode({k: v for k, v in said.items() if v})

    def form(self, code: str, /, **more: str) -> dict[str, str]:
        """What the app sends for its code."""
        return {
            "grant_type": "authorization_code", "code": code, "client_id": self.client.id,
            "redirect_uri": self.redirect_uri, "code_verifier": self.verifier,
        } | more  # fmt: skip


def told(answer: httpx.Response) -> dict[str, str]:
    """What the app is told at its own address."""
    assert answer.status_code == 303, answer.text
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == BACK
    return {name: values[0] for name, values in parse_qs(address.query).items()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The application over a fresh record with three inhabitants, two of them on the ward."""
    folder: Path = tmp_path_factory.mktemp("apps")
    outward = Outward(f"{ADDRESS}/fhir", Endpoints(("https://keys.example/",), loopback=True))
    services = services_over(database, {}, (), outward, folder / "exports", folder)
    for patient in ("own", "other", "closed"):
        name = [{"family": patient.capitalize()}]
        await services.writer.write(
            SYSTEM, {"resourceType": "Patient", "id": patient, "name": name, "gender": "female"}
        )
        about = {"reference": f"Patient/{patient}"}
        await services.writer.write(SYSTEM, {
            "resourceType": "Condition", "id": f"{patient}-ill", "subject": about,
            "code": {"text": "Astma"},
        })  # fmt: skip
        if patient != "closed":
            await services.writer.write(SYSTEM, {
                "resourceType": "Encounter", "id": f"{patient}-stay", "status": "in-progress",
                "class": {"code": "IMP"}, "subject": about, "period": {"start": "2026-01-01"},
                "serviceProvider": {"reference": "Organization/ward"},
            })  # fmt: skip
    settings = Settings(data=folder, address=ADDRESS)
    with warnings.catch_warnings():
        # How path parameters are declared is about to change in the framework.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        application = build_app(settings, services)
    yield World(services, application)


async def let_in(world: World, flow: Flow, scope: str, actor: Actor, **more: str) -> dict[str, Any]:
    """The tokens that a user's app gets, opened from the chart of `own` or by consent."""
    async with await world.signed_in(actor) as browser:
        code = await code_of(world, browser, flow, scope, actor, **more)
        answer = await browser.post("/auth/token", data=flow.form(code))
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def code_of(
    world: World, browser: httpx.AsyncClient, flow: Flow, scope: str, actor: Actor, **more: str
) -> str:
    """A code for the app."""
    if actor.kind == "inhabitant":
        answer = await consented(browser, flow, scope, None, **more)
    else:
        opened = await browser.get(f"/patient/own/apps/{flow.client.id}")
        assert opened.status_code == 303, opened.text
        launch = parse_qs(urlsplit(opened.headers["location"]).query)["launch"][0]
        answer = await browser.get(flow.asked(scope, launch=launch, **more))
    return told(answer)["code"]


async def consented(
    browser: httpx.AsyncClient, flow: Flow, scope: str, chosen: list[str] | None = None, **more: str
) -> httpx.Response:
    """The answer to an inhabitant's consent to all, or to what is chosen."""
    page = await browser.get(flow.asked(scope))
    assert page.status_code == 200, page.text
    pairs = [(n, v[0]) for n, v in parse_qs(urlsplit(flow.asked(scope)).query).items()]
    choices = [("choice", each) for each in (scope.split() if chosen is None else chosen)]
    token = browser.cookies.get("csrftoken") or ""
    form = {"answer": "yes", "_csrf_token": token, **dict(pairs), **more}
    body = urlencode([*form.items(), *choices])
    return await browser.post(
        "/auth/consent", content=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
