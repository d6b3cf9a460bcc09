"""What one service signs, another sees at once, without anything moving under their hand."""

from __future__ import annotations

import asyncio
import time

import pytest
from playwright.async_api import Page, expect

from .conftest import SignIn
from .places import named, on_the_chart_of, sign_a_note, who_has_read
from .user import User

pytestmark = pytest.mark.browser

# Notes when a text appeared: asked of the browser itself, for a test that polls sees it late.
_WATCH = """words => { window.appeared = null; new MutationObserver(() => {
  if (!window.appeared && document.querySelector('#panel-notes').innerText.includes(words))
    window.appeared = Date.now();
}).observe(document.body, {childList: true, subtree: true, characterData: true}) }"""


async def both_open(sign_in: SignIn) -> tuple[User, User]:
    """A hospital doctor and a nurse of the municipality, both looking at the same chart."""
    doctor, nurse = await asyncio.gather(sign_in("hospital-doctor"), sign_in("home-care-nurse"))
    # Twice: the first time everything may be new.
    for user in (doctor, nurse, doctor, nurse):
        await user.goto("/patient/demo-aslaug")
        await on_the_chart_of(user.page)
    return doctor, nurse


async def seconds_until_seen(doctor: User, nurse: User, words: str) -> float:
    """Let the doctor sign, and give how long it took after that until the nurse's page had it."""
    await doctor.goto("/patient/demo-aslaug/notes/new")
    await doctor.page.get_by_role("textbox", name="Notat").fill(words)
    await nurse.page.evaluate(_WATCH, words)
    pressed = time.time()
    await named(doctor, "Signer").click()
    await nurse.page.wait_for_function("() => window.appeared")
    appeared: float = await nurse.page.evaluate("window.appeared")
    return appeared / 1000 - pressed


async def place_of(page: Page, selector: str) -> float:
    """How far from the top of the screen something is drawn."""
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


async def test_what_a_hospital_signs_the_municipality_sees_within_a_second(
    sign_in: SignIn,
) -> None:
    doctor, nurse = await both_open(sign_in)
    # A busy machine may be late once; the program may not be late every time.
    took: list[float] = []
    while not took or (min(took) >= 1.0 and len(took) < 3):
        words = f"Sett på visitt {len(took)}, kan reise hjem i morgen."
        took.append(await seconds_until_seen(doctor, nurse, words))
    assert min(took) < 1.0
    note = nurse.page.locator("#panel-notes article", has_text=words)
    await expect(note.locator(".hv-new")).to_have_text("ny")
    await nurse.page.reload()
    await on_the_chart_of(nurse.page)
    await expect(note).to_be_visible()
    await expect(note.locator(".hv-new")).to_have_count(0)


async def test_ones_own_words_are_never_new_to_oneself(sign_in: SignIn) -> None:
    doctor, _nurse = await both_open(sign_in)
    await sign_a_note(doctor, "demo-aslaug", "Egne ord er ikke nye.")
    own = doctor.page.locator("#panel-notes article", has_text="Egne ord er ikke nye.")
    await expect(own).to_be_visible()
    await expect(own.locator(".hv-new")).to_have_count(0)


async def test_news_waits_at_the_edge_while_a_pointer_is_over_the_panel(sign_in: SignIn) -> None:
    doctor, nurse = await both_open(sign_in)
    words = "Skrevet mens pekeren lå over notatene."
    hovered = "#panel-notes article:first-of-type summary"
    await nurse.page.locator(hovered).first.hover()
    before = await nurse.page.locator(hovered).first.inner_text()
    at = await place_of(nurse.page, "#panel-notes article >> nth=0")
    await sign_a_note(doctor, "demo-aslaug", words)
    await expect(nurse.page.locator("#panel-notes > .hv-edge")).to_have_text("Vis 1 nye")
    assert await nurse.page.locator(hovered).first.inner_text() == before
    assert await place_of(nurse.page, "#panel-notes article >> nth=0") == at
    await nurse.page.locator("#panel-notes > .hv-edge").click()
    await expect(nurse.page.locator("#panel-notes")).to_contain_text(words)


async def test_vital_signs_of_one_service_reach_the_chart_of_another(sign_in: SignIn) -> None:
    doctor, nurse = await both_open(sign_in)
    await nurse.goto("/patient/demo-aslaug/vital-signs")
    await nurse.page.locator("[name=pulse]").fill("113")
    await named(nurse, "Signer").click()
    pulse = doctor.page.locator("#panel-measurements .hv-result", has_text="Puls")
    await expect(pulse).to_contain_text("113")
    await expect(pulse).to_contain_text("høy")
    await expect(pulse.locator(".hv-new")).to_have_text("ny")


async def test_news_that_only_another_page_could_have_shown_stays_new(sign_in: SignIn) -> None:
    doctor, nurse = await both_open(sign_in)
    for place in ("vital-signs", "results"):
        await nurse.goto(f"/patient/demo-aslaug/{place}")
    words = "Skrevet mens sykepleieren sto i et skjema."
    await sign_a_note(doctor, "demo-aslaug", words)
    for place in ("vital-signs", "results"):
        await nurse.goto(f"/patient/demo-aslaug/{place}")
    await nurse.goto("/patient/demo-aslaug")
    note = nurse.page.locator("#panel-notes article", has_text=words)
    await expect(note.locator(".hv-new")).to_have_text("ny")


async def test_who_has_read_names_both_services(sign_in: SignIn) -> None:
    doctor, _nurse = await both_open(sign_in)
    lines = await who_has_read(doctor, "demo-aslaug")
    for name, place in (
        ("Ingrid Solemdal", "St. Olavs hospital"),
        ("Berit Lundamo", "Trondheim kommune"),
    ):
        line = lines.filter(has_text=name).first
        await expect(line).to_contain_text(place)


_HIDE = """() => { Object.defineProperty(document, "hidden", {value: true, configurable: true});
  document.dispatchEvent(new Event("visibilitychange")) }"""
_SHOW = """() => { Object.defineProperty(document, "hidden", {value: false, configurable: true});
  document.dispatchEvent(new Event("visibilitychange")) }"""


async def test_a_page_nobody_looks_at_catches_up_when_it_is_looked_at_again(
    sign_in: SignIn,
) -> None:
    doctor, nurse = await both_open(sign_in)
    await expect(nurse.page.locator("[data-live-state=live]")).to_be_visible()
    await nurse.page.evaluate(_HIDE)
    await asyncio.sleep(4)
    await sign_a_note(doctor, "demo-aslaug", "Skrevet mens ingen så på.")
    note = nurse.page.locator("#panel-notes article", has_text="Skrevet mens ingen så på.")
    await asyncio.sleep(1)
    await expect(note).to_have_count(0)
    await nurse.page.evaluate(_SHOW)
    await expect(note).to_be_visible()
    await expect(nurse.page.locator("[data-live-state=live]")).to_be_visible()


async def test_a_doctor_with_eight_charts_in_tabs_can_open_another(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    for number in range(1, 9):
        tab = await doctor.tab()
        await tab.goto(f"{doctor.address}/patient/demo-aslaug")
        await on_the_chart_of(tab)
        # All tabs of such a browser count as looked at: say what a real one says.
        await tab.evaluate(_HIDE)
        if number % 4 == 0:
            await asyncio.sleep(3.5)
    await doctor.goto("/patient/demo-aslaug")
    await on_the_chart_of(doctor.page)
