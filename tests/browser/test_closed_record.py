"""A record is closed to those who do not treat; a stated emergency opens it, for all to see."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import named, who_has_read
from .served import ServedDemo
from .user import User

pytestmark = pytest.mark.browser

KARE = "/patient/demo-kare"
# Words of his record that nobody outside it may see.
SECRETS = ("Kols", "kols", "Ventoline", "NEWS2", "Spiolto", "Prednisolon")
PAGES = ("", "/notes", "/medications", "/timeline", "/access", "/notes/new", "/vital-signs")
FRAGMENTS = ("/panel/banner", "/panel/notes", "/panel/timeline", "/panel/access", "/live")


async def everything_said(user: User, path: str) -> str:
    """The body of what the server answers this person's browser, wherever it leads."""
    answer = await user.context.request.get(user.address + path, max_redirects=3, timeout=5000)
    return await answer.text()


@pytest.mark.parametrize("persona", ["health-station-nurse", "secretary", "inhabitant"])
async def test_nothing_of_a_closed_record_reaches_a_stranger(
    sign_in: SignIn, served: ServedDemo, persona: str
) -> None:
    treating = await sign_in("ward-nurse")
    known = await everything_said(treating, KARE)
    assert any(secret in known for secret in SECRETS)
    stranger = await sign_in(persona)
    for path in (*PAGES, *FRAGMENTS):
        said = await everything_said(stranger, KARE + path)
        assert [secret for secret in SECRETS if secret in said] == [], path
    for path in ("Patient/demo-kare/$everything", "Observation?patient=demo-kare"):
        said = (await served.ask(path, persona)).text
        assert [secret for secret in SECRETS if secret in said] == [], path


async def test_a_nurse_who_needs_it_now_says_why_and_gets_in(sign_in: SignIn) -> None:
    nurse = await sign_in("home-care-nurse", "phone")
    nurse.expected = {403, 422}
    await nurse.goto(KARE)
    await expect(nurse.page.get_by_role("heading", level=1)).to_have_text(
        "Du har ingen behandlingsrelasjon til denne personen"
    )
    await expect(nurse.page.locator("body")).to_contain_text("Kåre Brattli")
    await nurse.press_on(nurse.page.get_by_label("Akutt helsehjelp"))
    reason = nurse.page.get_by_label("Hvorfor, med egne ord")
    await nurse.press_on(reason)
    await nurse.type("Funnet på gulvet hjemme, tungpustet")
    await nurse.press_on(named(nurse, "Åpne journalen til Kåre Brattli"))
    await expect(nurse.page.locator("#panel-medications")).to_be_visible()
    ward = await sign_in("ward-nurse")
    line = (await who_has_read(ward, "demo-kare")).filter(has_text="Nødrettstilgang").first
    await expect(line).to_contain_text("Berit Lundamo")
    await expect(line).to_contain_text("Funnet på gulvet hjemme, tungpustet")


@pytest.mark.parametrize("reason", ["", "haster"])
async def test_an_emergency_without_a_reason_opens_nothing(sign_in: SignIn, reason: str) -> None:
    nurse = await sign_in("health-station-nurse")
    nurse.expected = {403, 422}
    await nurse.goto("/emergency/demo-kare")
    await nurse.page.locator("form:has([name=ground])").evaluate("form => form.noValidate = true")
    await nurse.page.get_by_label("Hvorfor, med egne ord").fill(reason)
    await named(nurse, "Åpne journalen til").click()
    await expect(nurse.page.get_by_role("alert").first).to_contain_text("Skriv hvorfor")
    await expect(nurse.page.get_by_label("Hvorfor, med egne ord")).to_have_value(reason)


async def test_a_secretary_cannot_open_a_record_in_an_emergency(sign_in: SignIn) -> None:
    secretary = await sign_in("secretary")
    secretary.expected = {403}
    await secretary.goto("/emergency/demo-kare")
    await expect(secretary.page.locator("[name=ground]")).to_have_count(0)
    token = await secretary.page.locator("meta[name=csrf-token]").get_attribute("content")
    forced = await secretary.context.request.post(
        f"{secretary.address}/emergency/demo-kare",
        form={"patient": "demo-kare", "ground": "BLAALYS", "reason": "Trenger å se journalen"},
        headers={"x-csrf-token": token or ""},
        max_redirects=0,
    )
    assert forced.status == 403
    assert (await secretary.goto(KARE)).status == 403


async def test_an_inhabitant_sees_her_own_record_alone_and_writes_nothing(
    sign_in: SignIn,
) -> None:
    marit = await sign_in("inhabitant", "phone")
    marit.expected = {403, 404}
    await expect(marit.page.locator(".hv-banner h1")).to_have_text("Marit Haugland")
    await expect(marit.page.get_by_text("Skriv notat")).to_have_count(0)
    for path in ("/patient/demo-aslaug", "/emergency/demo-aslaug"):
        assert (await marit.goto(path)).status == 403
        await expect(marit.page.locator("body")).not_to_contain_text("Aslaug")
    await marit.goto("/")
    token = await marit.page.locator("meta[name=csrf-token]").get_attribute("content")
    own = f"{marit.address}/patient/demo-marit"
    for path, form in (
        ("/notes", {"text": "Skrevet av meg", "type": "nursing", "key": "k"}),
        ("/vital-signs", {"pulse": "70", "key": "00000000-0000-4000-8000-000000000001"}),
    ):
        forced = await marit.context.request.post(
            own + path,
            form={"patient": "demo-marit", **form},
            headers={"x-csrf-token": token or ""},
            max_redirects=0,
        )
        assert forced.status in (403, 422), path
    lines = await who_has_read(marit, "demo-marit")
    await expect(lines.first).to_be_visible()
    await marit.goto("/patient/demo-marit/notes")
    await expect(marit.page.locator("body")).not_to_contain_text("Skrevet av meg")
