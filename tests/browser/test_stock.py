"""The nursing home's stock on the phone: taken in and out, counted by two, filled by two."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from .conftest import SignIn
from .test_accessibility import SMALL, TOO_WIDE, serious
from .user import User

pytestmark = pytest.mark.browser

NURSE, MANAGER = "nursing-home-nurse", "nursing-home-manager"
_COUNT = re.compile(r"Tell\s*: OxyNorm kaps 5 mg")
PLACES = ("/stock", "/stock/controlled", "/stock/orders", "/stock/dosettes/demo-dagny")


def _button(user: User, name: str) -> Locator:
    return user.page.get_by_role("button", name=name, exact=True)


async def _write(user: User, field: str, value: str) -> None:
    box = user.page.locator(f"#field-{field}")
    await box.focus()
    await expect(box).to_be_focused()
    await box.fill(value)


@pytest.mark.parametrize("path", PLACES)
async def test_the_stock_can_be_read_and_hit_by_everyone(sign_in: SignIn, path: str) -> None:
    nurse = await sign_in(NURSE, "phone")
    await nurse.goto(path)
    await expect(nurse.page.locator("h1").first).to_be_visible()
    assert await serious(nurse.page) == {"light": [], "dark": []}
    assert await nurse.page.evaluate(TOO_WIDE) == []
    assert await nurse.page.evaluate(SMALL) == []


async def test_a_ward_at_the_hospital_sees_none_of_the_nursing_homes_stock(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto("/stock")
    await expect(nurse.page.locator("main")).to_contain_text("Ingenting er på hyllen ennå")
    nurse.expected.add(404)
    await nurse.goto("/stock/demo-b-oxynorm-kaps-5-mg")


async def test_more_than_there_is_is_told_before_it_is_taken_with_a_reason(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in(NURSE, "phone")
    await nurse.goto("/stock/take-in")
    await _write(nurse, "code", "Ibux tab 400 mg")
    await nurse.page.keyboard.press("Enter")
    await nurse.page.get_by_role("link", name="Ibux tab 400 mg").first.click()
    for field, value in (("amount", "10"), ("batch", "I1"), ("expires", "05.2031")):
        await _write(nurse, field, value)
    await _button(nurse, "Sett inn").click()
    await expect(nurse.page.get_by_role("status").first).to_contain_text("på hyllen")
    nurse.expected.add(422)
    await nurse.page.locator("#field-way").select_option("wasted")
    await _write(nurse, "amount", "11")
    await _write(nurse, "other", "Falt i gulvet")
    await _button(nurse, "Ta ut").click()
    await expect(nurse.page.get_by_role("alert").first).to_contain_text("bare er 10 tablett")
    await expect(nurse.page.locator("#field-amount")).to_have_value("11")
    await _write(nurse, "amount", "4")
    await _button(nurse, "Ta ut").click()
    there = nurse.page.get_by_role("region", name="På hyllen")
    await expect(there).to_contain_text("6 tablett")
    await expect(there).to_contain_text("I1")


async def test_two_count_and_who_counted_does_not_explain_what_is_missing(
    sign_in: SignIn,
) -> None:
    nurse, manager = await sign_in(NURSE, "phone"), await sign_in(MANAGER)
    for person, name in ((nurse, "nummer én"), (manager, "nummer to")):
        await person.goto("/stock/controlled")
        await person.page.get_by_role("link", name=_COUNT).click()
        await expect(person.page.locator("main")).to_contain_text(name)
        assert "39" not in await person.page.locator("main").inner_text()
        await _write(person, "counted-0", "38")
        if person is manager:
            person.expected.add(422)
            await _button(person, "Signer tellingen").click()
            await expect(person.page.get_by_role("alert").first).to_contain_text("hvorfor")
            await _write(person, "words", "En kapsel mangler i esken")
        await _button(person, "Signer tellingen").click()
        await expect(person.page.get_by_role("status").first).to_contain_text("er ført")
    differs = manager.page.get_by_role("region", name="Avvik som ingen har forklart")
    await expect(differs).to_contain_text("En kapsel mangler i esken")
    await expect(differs.get_by_role("group")).to_have_count(0)
    await manager.goto("/stock/demo-b-oxynorm-kaps-5-mg/account")
    account = manager.page.locator("main")
    await expect(account).to_contain_text("Anne Mette Brekken, Gunn Morken")
    await expect(account).to_contain_text("Rettet etter telling")


async def test_a_dosette_is_filled_on_one_phone_and_checked_by_another(sign_in: SignIn) -> None:
    nurse, manager = await sign_in(NURSE, "phone"), await sign_in(MANAGER, "phone")
    await nurse.goto("/stock/dosettes/demo-dagny")
    await _button(nurse, "Dosetten er lagt").click()
    await expect(nurse.page.locator("main")).to_contain_text("En annen må kontrollere")
    await expect(_button(nurse, "Den er riktig lagt")).to_have_count(0)
    await manager.goto("/stock/dosettes")
    await expect(manager.page.locator("main")).to_contain_text("mangler kontroll")
    await manager.page.get_by_role("link", name="Dagny Fjeldvær").click()
    await _button(manager, "Den er riktig lagt").click()
    await expect(manager.page.get_by_role("status").first).to_contain_text("kontrollert")
    await manager.page.locator("summary").first.click()
    await _write(manager, "why", "Øvelse")
    await _button(manager, "Tøm den").click()
    await expect(manager.page.get_by_role("status").first).to_contain_text("tømt")
