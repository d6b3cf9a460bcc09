"""A whole visit without a pointer: sign in, find, open, write, measure; focus is always seen."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .conftest import SignIn, Within
from .places import on_the_chart_of
from .user import User

pytestmark = pytest.mark.browser

_FOCUS = """() => { const e = document.activeElement;
  if (!e || e === document.body) return 'nothing';
  const near = e.closest('label, .hv-row') ?? e;
  const s = getComputedStyle(e), n = getComputedStyle(near);
  const rect = e.getBoundingClientRect();
  const drawn = [s, n].some(x => (x.outlineStyle !== 'none' && parseFloat(x.outlineWidth) >= 2)
    || x.boxShadow !== 'none') || e.matches('[role=combobox]');
  if (!drawn) return 'not drawn: ' + e.outerHTML.slice(0, 120);
  if (rect.bottom <= 0 || rect.top >= innerHeight) return 'off: ' + e.outerHTML.slice(0, 120);
  const top = document.elementFromPoint(rect.x + rect.width / 2,
    Math.min(innerHeight - 1, Math.max(0, rect.y + rect.height / 2)));
  return top && (e.contains(top) || top.contains(e) || near.contains(top)) ? 'seen'
    : 'covered: ' + e.outerHTML.slice(0, 120) }"""


async def focus_is_seen(page: Page) -> None:
    """What has the focus is drawn so, on the screen, and not covered."""
    assert await page.evaluate(_FOCUS) == "seen"


async def tab_to(user: User, name: str, most: int = 40) -> None:
    """Press Tab until the focus is on what is called this; it is seen at every step."""
    for _ in range(most):
        await user.key("Tab")
        await focus_is_seen(user.page)
        text = await user.page.evaluate(
            "() => document.activeElement.innerText || document.activeElement.ariaLabel"
            " || document.activeElement.labels?.[0]?.innerText || ''"
        )
        if name in text:
            return
    pytest.fail(f"Tab does not reach {name!r}")


async def test_a_visit_from_sign_in_to_signed_vital_signs_without_a_pointer(
    sign_in: SignIn, within_budget: Within
) -> None:
    nurse = await sign_in("")
    page = nurse.page
    await nurse.goto("/sign-in")
    nurse.begin()
    await tab_to(nurse, "Magnus Tverdal")
    await nurse.key("Enter")
    await expect(page.get_by_role("heading", name="Mine pasienter")).to_be_visible()
    await nurse.key("Control+k")
    await expect(page.locator("#hv-palette-input")).to_be_focused()
    await nurse.type("aslaug")
    hit = page.locator("#hv-palette [aria-selected=true]")
    await expect(hit).to_contain_text("Aslaug Bakken Moe")
    await nurse.key("Enter")
    await on_the_chart_of(page)

    await tab_to(nurse, "Skriv notat")
    await nurse.key("Enter")
    await expect(page.get_by_role("textbox", name="Notat")).to_be_focused()
    await focus_is_seen(page)
    await nurse.type("Skrevet uten mus.")
    await nurse.key("Control+Enter")
    await on_the_chart_of(page)
    await expect(page.locator("#panel-notes")).to_contain_text("Skrevet uten mus.")

    await nurse.key("Control+k")
    await nurse.type("vit")
    await expect(hit).to_contain_text("Vitale mål")
    await nurse.key("Enter")
    await expect(page.locator("[name=respiration]")).to_be_focused()
    for value in ("19", "95", "0", "131", "78", "84", "36,9"):
        await nurse.type(value)
        await nurse.key("Tab")
        await focus_is_seen(page)
    await nurse.key("Space")
    await expect(page.locator("#vital-score .hv-score__sum b")).to_have_text("1")
    await nurse.key("Control+Enter")
    await on_the_chart_of(page)
    await expect(page.locator("#panel-measurements")).to_contain_text("131/78")
    assert nurse.end().clicks == 0
    within_budget("visit-by-keyboard", nurse.effort)


async def test_letters_walk_through_my_patients_and_enter_opens(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    page = nurse.page
    rows = page.locator("#patients a.hv-row__title")
    await nurse.key("j")
    await expect(rows.nth(0)).to_be_focused()
    await focus_is_seen(page)
    await nurse.key("j")
    await expect(rows.nth(1)).to_be_focused()
    await nurse.key("k")
    await expect(rows.nth(0)).to_be_focused()
    name = await rows.nth(0).inner_text()
    await nurse.key("Enter")
    await on_the_chart_of(page, name)


async def test_slash_searches_in_the_record_and_escape_closes_the_palette(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    page = nurse.page
    await nurse.goto("/patient/demo-aslaug")
    await on_the_chart_of(page)
    await nurse.key("/")
    await expect(page.locator("[data-search]")).to_be_focused()
    await focus_is_seen(page)
    await nurse.type("penicillin")
    await expect(page.locator("#panel-timeline")).to_contain_text("Penicillin")
    await nurse.key("Control+k")
    await expect(page.locator("#hv-palette-input")).to_be_focused()
    await nurse.key("Escape")
    await expect(page.locator("#hv-palette")).to_be_hidden()


async def test_every_place_in_the_chart_can_be_reached_and_seen_by_tab(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto("/patient/demo-kare")
    await on_the_chart_of(nurse.page, "Kåre Brattli")
    seen = set()
    while True:
        await nurse.key("Tab")
        at = await nurse.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if at in seen or at.startswith("<body"):
            break
        await focus_is_seen(nurse.page)
        seen.add(at)
    assert len(seen) >= 25
