"""The log as people meet it: who it is about asks, the privacy officer looks into it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from .conftest import SignIn
from .places import named
from .test_accessibility import CUT, SMALL, TOO_WIDE, serious
from .user import User

pytestmark = pytest.mark.browser

MARIT = "/patient/demo-marit"
WONDER = "Hvorfor åpnet legevakten journalen min?"
FOUND_OUT = "Legen hadde henne på telefonen."


async def open_in_an_emergency(doctor: User) -> None:
    """Open the record of somebody whom one does not treat, with a ground and a reason."""
    doctor.expected |= {403}
    await doctor.goto("/emergency/demo-marit")
    await doctor.page.get_by_role("radio").first.check()
    await doctor.page.get_by_role("textbox").last.fill("Ringte og var forvirret")
    await doctor.page.locator("main form button[type=submit]").click()
    await expect(doctor.page.locator(".hv-banner h1")).to_have_text("Marit Haugland")


async def readable(user: User) -> dict[str, object]:
    """What on the page cannot be read or hit, in light and dark."""
    found: dict[str, object] = {
        "wide": await user.page.evaluate(TOO_WIDE), "cut": await user.page.evaluate(CUT),
        **await serious(user.page),
    }  # fmt: skip
    if user.is_phone:
        found["small"] = await user.page.evaluate(SMALL)
    return {what: where for what, where in found.items() if where}


def emergencies(user: User) -> Locator:
    return user.page.locator(".hv-audit[data-kind=glass]")


async def test_who_it_is_about_sees_an_emergency_asks_and_is_answered_by_the_privacy_officer(
    sign_in: SignIn,
) -> None:
    await open_in_an_emergency(await sign_in("legevakt-doctor", start=""))

    marit = await sign_in("inhabitant", "phone")
    await marit.goto(f"{MARIT}/access")
    await expect(marit.page.get_by_role("status").first).to_contain_text("nødrettstilgang")
    line = emergencies(marit).first
    await expect(line).to_contain_text("Amir Rostami")
    await expect(line).to_contain_text("Ringte og var forvirret")
    await line.locator("summary").tap()
    assert await readable(marit) == {}
    await line.locator("textarea").fill(WONDER)
    await line.get_by_role("button", name="Spør personvernombudet").tap()
    await expect(marit.page.get_by_role("status").first).to_contain_text("innen 30 dager")
    await marit.page.locator("summary", has_text="Velg tidsrom og personer").tap()
    await marit.page.get_by_label("Vis").select_option(label="Nødrettstilgang")
    await marit.page.get_by_role("button", name="Vis", exact=True).tap()
    await expect(emergencies(marit).first).to_be_visible()
    assert await marit.page.locator(".hv-audit:not([data-kind=glass])").count() <= 1

    officer = await sign_in("privacy-officer", start="/")
    await expect(officer.page).to_have_url(re.compile("/privacy$"))
    question = officer.page.locator(".hv-audit", has_text=WONDER)
    await question.get_by_role("button", name="Ta saken").click()
    await expect(question).to_contain_text("Nina Dahlum")
    await expect(question).to_contain_text("Ny")
    assert await readable(officer) == {}

    # The rest by keyboard alone; settled without words, it says what is missing.
    await question.locator("summary").focus()
    await officer.key("Enter")
    await officer.key("Tab")
    await officer.type("F")
    await officer.key("Tab")
    await officer.key("Tab")
    officer.expected |= {422}
    await officer.key("Enter")
    await expect(question).to_contain_text("Skriv hva som kom fram")
    await expect(question.locator("textarea")).to_be_focused()
    await officer.type(FOUND_OUT)
    await officer.key("Tab")
    await officer.key("Enter")
    await expect(question).to_contain_text("Forklart")
    await expect(question).to_contain_text(FOUND_OUT)

    await question.get_by_role("link", name="Hva annet åpnet vedkommende").click()
    await expect(officer.page.get_by_role("heading", level=1)).to_have_text("Loggen")


async def test_the_privacy_officer_asks_what_somebody_has_opened(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor", start="")
    await doctor.goto("/patient/demo-kare")
    officer = await sign_in("privacy-officer", "phone", start="/privacy")
    assert await readable(officer) == {}
    await officer.page.locator(".hv-me").tap()
    await officer.page.get_by_role("link", name="Loggen").locator("visible=true").first.tap()
    await officer.page.get_by_label("Navn på ansatt").fill("Solemdal")
    await named(officer, "Vis", exact=True).tap()
    await expect(officer.page.locator(".hv-audit").first).to_contain_text("Kåre Brattli")
    assert "Solemdal" not in officer.page.url
    assert await readable(officer) == {}
    await officer.page.get_by_label("Navn på ansatt").fill("Ingensteds")
    await named(officer, "Vis", exact=True).tap()
    await expect(officer.page.get_by_role("status")).to_contain_text("Ingen ansatte heter det")


async def test_the_log_of_others_is_for_the_privacy_officer_alone(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse", start="")
    nurse.expected |= {403}
    for path in ("/privacy", "/privacy/log?agent=Practitioner/ingrid-solemdal"):
        assert (await nurse.goto(path)).status == 403
        assert "Brattli" not in await nurse.text()


@pytest.mark.parametrize("persona", ["privacy-officer", "administrator"])
async def test_alarms_are_for_those_who_act_on_them(sign_in: SignIn, persona: str) -> None:
    somebody = await sign_in(persona, "phone", start="/")
    await somebody.page.locator(".hv-me").tap()
    link = somebody.page.get_by_role("link", name="Varsler").locator("visible=true")
    await link.first.tap()
    await expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Varsler")
    assert await readable(somebody) == {}
    nurse = await sign_in("ward-nurse", start="")
    nurse.expected |= {403}
    assert (await nurse.goto("/alarms")).status == 403
