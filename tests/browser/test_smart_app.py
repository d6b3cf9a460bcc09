"""A public SMART app, with SMART's own client from npm as it comes, opened from a chart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from .conftest import SignIn
from .served import ServedDemo
from .test_accessibility import serious

pytestmark = pytest.mark.browser
CLIENT = Path("node_modules/fhirclient/build/fhir-client.min.js")
_HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Curves</title>'
_HEAD += '<link rel="icon" href="data:,"><script src="fhir-client.min.js"></script>'
_LAUNCH = """<script>
FHIR.oauth2.authorize({
  clientId: new URLSearchParams(location.search).get("client") || "%(client)s",
  scope: "%(scope)s", redirectUri: "index.html", pkceMode: "required", %(more)s
});
</script>"""
_INDEX = """<p id="told"></p><script>
(async () => {
  const client = await FHIR.oauth2.ready();
  const seen = {patient: client.patient.id, user: client.getFhirUser(), refused: {}};
  const found = async (path) => {
    try { return await client.request(path); } catch (problem) {
      seen.refused[path] = problem.status ?? String(problem);
    }
  };
  seen.name = (await client.patient.read()).name[0].family;
  const bundle = await client.request("Observation?_count=200", {pageLimit: 0, flat: true});
  seen.subjects = [...new Set(bundle.map((each) => each.subject.reference))];
  seen.observations = bundle.length;
  const everybody = await client.request("Patient?_count=50", {flat: true});
  seen.patients = everybody.map((each) => each.id);
  for (const path of ["Patient/demo-aslaug", "Patient/demo-marit", "Observation?patient=demo-marit",
                      "Patient/demo-marit/$everything"]) {
    if (!path.includes(client.patient.id)) await found(path);
  }
  const held = client.state.tokenResponse;
  if (held.refresh_token) {
    await client.refresh();
    seen.refreshed = client.state.tokenResponse.access_token !== held.access_token;
    seen.again = (await client.patient.read()).id;
  }
  document.getElementById("told").textContent = JSON.stringify(seen);
})().catch((problem) => { document.getElementById("told").textContent = "failed: " + problem; });
</script>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@asynccontextmanager
async def app_at(folder: Path) -> AsyncIterator[str]:
    """The app's own web server, at another origin than the record's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    serving = asyncio.create_task(asyncio.to_thread(server.serve_forever, 0.05))
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        await serving
        server.server_close()


async def registered(served: ServedDemo, address: str, *more: str) -> str:
    """A public app in the register; its client id."""
    told = await served.command(
        "apps", "register", "Kurver", "--vendor", "Testhuset", "--kind", "public",
        "--redirect-uri", f"{address}/index.html", "--launch-url", f"{address}/launch.html",
        "--scope", "patient/*.rs", "--scope", "launch", "--scope", "launch/patient",
        "--scope", "openid", "--scope", "fhirUser", "--scope", "online_access", *more,
    )  # fmt: skip
    return told.split()[1]


def write_pages(folder: Path, client: str, scope: str, more: str = "") -> None:
    """The app: the page that asks to be let in, and the one that reads."""
    script = CLIENT.read_bytes()
    (folder / "fhir-client.min.js").write_bytes(script)
    launch = _LAUNCH % {"client": client, "scope": scope, "more": more}
    (folder / "launch.html").write_text(_HEAD + launch)
    (folder / "index.html").write_text(_HEAD + _INDEX)


async def told(page: Page) -> dict[str, Any]:
    """What the app saw."""
    place = page.locator("#told")
    await expect(place).not_to_be_empty(timeout=20_000)
    text = await place.inner_text()
    assert text.startswith("{"), text
    seen: dict[str, Any] = json.loads(text)
    return seen


async def test_an_app_opened_from_the_chart_reads_exactly_its_patient(
    served: ServedDemo, sign_in: SignIn, tmp_path: Path
) -> None:
    async with app_at(tmp_path) as address:
        client = await registered(served, address)
        write_pages(tmp_path, client, "launch openid fhirUser patient/*.rs online_access")
        nurse = await sign_in("ward-nurse")
        await nurse.goto("/patient/demo-aslaug")
        nurse.expected |= {403}
        await nurse.page.get_by_role("button", name="Åpne app").click()
        async with nurse.context.expect_page() as opened:
            await nurse.page.get_by_role("link", name="Kurver").click()
        page = await opened.value
        seen = await told(page)
    assert seen["patient"] == "demo-aslaug"
    assert seen["user"].startswith("Practitioner/")
    assert seen["subjects"] == ["Patient/demo-aslaug"]
    every = (await served.ask("Observation?patient=demo-aslaug&_summary=count")).json()["total"]
    assert seen["observations"] == every > 10
    assert seen["patients"] == ["demo-aslaug"]
    assert set(seen["refused"].values()) == {403}
    assert len(seen["refused"]) == 3
    assert (seen["refreshed"], seen["again"]) == (True, "demo-aslaug")


async def test_staff_open_an_app_by_itself_and_choose_whom_it_is_about(
    served: ServedDemo, sign_in: SignIn, tmp_path: Path
) -> None:
    async with app_at(tmp_path) as address:
        client = await registered(served, address)
        scope = "launch/patient openid fhirUser patient/*.rs online_access"
        write_pages(tmp_path, client, scope, f"iss: '{served.address}/fhir'")
        nurse = await sign_in("ward-nurse")
        nurse.expected |= {403}
        page = await nurse.tab()
        await page.goto(f"{address}/launch.html")
        await expect(page.get_by_role("heading", name="Velg pasient for Kurver")).to_be_visible()
        assert await serious(page) == {"light": [], "dark": []}
        await page.get_by_role("searchbox").fill("Kåre Brattli")
        await page.get_by_role("button", name="Søk", exact=True).click()
        await page.get_by_label("Kåre Brattli").check()
        await page.get_by_role("button", name="Åpne", exact=True).click()
        seen = await told(page)
    assert (seen["patient"], seen["patients"]) == ("demo-kare", ["demo-kare"])
    assert seen["subjects"] == ["Patient/demo-kare"]
    assert set(seen["refused"].values()) == {403}
    assert (seen["refreshed"], seen["again"]) == (True, "demo-kare")


async def test_an_inhabitant_lets_an_app_in_and_takes_it_back(
    served: ServedDemo, sign_in: SignIn, tmp_path: Path
) -> None:
    async with app_at(tmp_path) as address:
        client = await registered(
            served, address, "--for-inhabitants", "--not-for-staff", "--scope", "offline_access"
        )
        scope = "launch/patient openid fhirUser patient/*.rs offline_access"
        write_pages(tmp_path, client, scope, f"iss: '{served.address}/fhir'")
        marit = await sign_in("inhabitant", fresh=True)
        marit.expected |= {403}
        page = await marit.tab()
        await page.goto(f"{address}/launch.html")
        await expect(page.get_by_role("heading", name="Kurver ber om tilgang")).to_be_visible()
        await expect(page.get_by_text("Se alt i journalen")).to_be_visible()
        assert await serious(page) == {"light": [], "dark": []}
        await page.get_by_label("En måned").check()
        await page.get_by_role("button", name="Gi appen tilgang").click()
        seen = await told(page)
        assert (seen["patient"], seen["patients"]) == ("demo-marit", ["demo-marit"])
        assert seen["refused"] == {"Patient/demo-aslaug": 403}
        assert (seen["refreshed"], seen["again"]) == (True, "demo-marit")
        await marit.goto("/my-apps")
        await expect(marit.page.get_by_text("Testhuset")).to_be_visible()
        await marit.page.get_by_role("button", name="Trekk tilbake tilgangen Kurver").click()
        await expect(marit.page.get_by_text("Ingen app har tilgang")).to_be_visible()
        again = await marit.tab()
        await again.goto(f"{address}/launch.html")
        await again.get_by_role("button", name="Nei, ikke gi tilgang").click()
        await expect(again.locator("#told")).to_contain_text("The user said no")
