"""Those who administer find all of it from the menu, by keyboard and by thumb, in Norwegian."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .test_accessibility import CUT, SMALL, TOO_WIDE, serious
from .test_keyboard_only import focus_is_seen, tab_to
from .test_plain_norwegian import ALL_WORDS, ENGLISH, MACHINERY

pytestmark = pytest.mark.browser
_WARD = "st-olavs-lunge"
PAGES = {
    "units": "/administration",
    "one unit": f"/administration/units/{_WARD}",
    "a new unit": "/administration/units/new",
    "closing a unit": f"/administration/units/{_WARD}/close",
    "people": "/administration/people",
    "one person": "/administration/people/magnus-tverdal",
    "who is signed in": "/administration/signed-in",
    "what a profession may do": "/administration/access",
    "who has which role": f"/administration/access/held?unit={_WARD}",
    "what has changed": "/administration/access/held?since=2026-01-01",
    "what a person can do": "/administration/access/person/magnus-tverdal",
    "apps": "/apps",
    "a new app": "/apps/new",
}

_WORDS_OF_SCOPES = {"patient", "observation"}
"""What apps ask for is written in the words of the standard."""


@pytest.mark.parametrize("name", list(PAGES))
async def test_a_page_of_administration_is_readable_and_hit_with_gloves_on_a_phone(
    sign_in: SignIn, name: str
) -> None:
    terje = await sign_in("administrator", "phone", start="")
    await terje.goto(PAGES[name])
    page = terje.page
    assert await page.evaluate(SMALL) == []
    assert [*await page.evaluate(TOO_WIDE), *await page.evaluate(CUT)] == []
    assert await serious(page) == {"light": [], "dark": []}


@pytest.mark.parametrize("name", list(PAGES))
async def test_a_page_of_administration_is_readable_on_a_desktop_by_eye_and_by_tab(
    sign_in: SignIn, name: str
) -> None:
    terje = await sign_in("administrator", start="")
    await terje.goto(PAGES[name])
    page = terje.page
    assert await serious(page) == {"light": [], "dark": []}
    words = await page.evaluate(ALL_WORDS)
    found = {match[0].lower() for match in (*ENGLISH.finditer(words), *MACHINERY.finditer(words))}
    assert found - {"male"} - (_WORDS_OF_SCOPES if name == "a new app" else set()) == set()
    for _ in range(40):
        await terje.key("Tab")
        if await page.evaluate("document.activeElement === document.body"):
            break
        await focus_is_seen(page)
    wide = {}
    for width, height, text in ((1024, 768, 100), (320, 640, 100), (390, 844, 200)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.evaluate(f"document.documentElement.style.fontSize = '{text}%'")
        if wrong := [*await page.evaluate(TOO_WIDE), *await page.evaluate(CUT)]:
            wide[f"{width} px, {text} % text"] = wrong
    assert wide == {}


async def test_a_unit_is_made_and_closed_from_the_menu_without_a_pointer(sign_in: SignIn) -> None:
    terje = await sign_in("administrator")
    page = terje.page
    await expect(page.get_by_role("heading", name="Virksomheter og enheter")).to_be_visible()
    await tab_to(terje, "Ny enhet")
    await terje.key("Enter")
    await expect(page.get_by_role("heading", name="Ny enhet")).to_be_visible()
    await tab_to(terje, "Navn")
    await terje.type("Dagpost")
    await tab_to(terje, "Opprett enheten")
    await terje.key("Enter")
    await expect(page.get_by_role("heading", name="Dagpost", exact=True)).to_be_visible()
    await tab_to(terje, "Se hva det fører til")
    await terje.key("Enter")
    await expect(page.get_by_text("Enheten behandler ingen")).to_be_visible()
    await tab_to(terje, "Legg ned nå")
    await terje.key("Enter")
    await expect(page.get_by_text("nedlagt", exact=True)).to_be_visible()


async def test_the_menu_leads_to_administration_on_a_desktop_and_a_phone(sign_in: SignIn) -> None:
    terje = await sign_in("administrator")
    await terje.page.get_by_role("button", name="Terje Moen").click()
    await terje.page.get_by_role("link", name="Apper og systemer").first.click()
    await expect(terje.page.get_by_role("link", name="Registrer en app")).to_be_visible()
    phone = await sign_in("administrator", "phone")
    await phone.page.locator(".hv-places").get_by_role("link", name="Apper").tap()
    await phone.page.locator(".hv-places").get_by_role("link", name="Administrasjon").tap()
    await expect(phone.page.get_by_role("heading", name="Virksomheter og enheter")).to_be_visible()
