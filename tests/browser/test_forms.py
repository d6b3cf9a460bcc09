"""Forms in the browser: what is typed survives every crash, and what is signed is in the chart."""

from __future__ import annotations

import re
import signal
import time
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from .conftest import ARGUMENTS, SignIn
from .places import named
from .served import ServedDemo
from .user import User, sit_down

pytestmark = pytest.mark.browser

KARE = "/patient/demo-kare"
FORM = f"{KARE}/forms/4at"
MOST_LOST = 2.0
"""Seconds of typing that a crash may take with it."""


def question(page: Page, words: str) -> Locator:
    """The options of the question that is called so."""
    return page.get_by_role("group", name=re.compile(f"^{re.escape(words)}"))


async def answer(user: User, words: str, answer: str) -> None:
    """Choose an answer to a question."""
    await user.press_on(question(user.page, words).get_by_text(answer, exact=False).first)


async def chosen(page: Page, words: str) -> None:
    """Wait until one answer to a question stands there."""
    options = question(page, words).get_by_role("radio", checked=True)
    await expect(options).to_have_count(1)


async def saved(page: Page) -> None:
    """Wait until the page says that it is saved."""
    await expect(page.locator("[data-draft-state]")).to_have_attribute("data-state", "saved")


async def drop(user: User) -> None:
    """Leave nothing behind for other tests."""
    await named(user, "Forkast utkastet").click()
    await expect(user.page.locator("form[data-form]")).to_have_count(0)


async def test_a_score_is_worked_out_while_it_is_answered_and_stands_in_the_chart_when_signed(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    before = await _responses(served)
    await nurse.goto(FORM)
    page = nurse.page
    await answer(nurse, "Årvåkenhet", "Klart unormal")
    await expect(page.locator("[data-scores]")).to_contain_text("4")
    await answer(nurse, "AMT4", "Ingen feil")
    await answer(nurse, "Oppmerksomhet", "Sju måneder")
    await answer(nurse, "Akutt endring", "Nei")
    await expect(page.locator("[data-scores]")).to_contain_text("Mulig delirium")
    await nurse.key("Control+Enter")
    await expect(page.locator("#form-title")).to_have_text(re.compile("4AT"))
    await expect(page.locator("main")).to_contain_text("Klart unormal (4)")
    assert await _responses(served) == before + 1
    found = (await served.ask(f"QuestionnaireResponse/{_last(page.url)}")).json()
    made = await served.ask(f"Observation?derived-from={found['resourceType']}/{found['id']}")
    assert made.json()["total"] >= 1
    await nurse.goto(KARE)
    await expect(page.locator("#panel-forms")).to_contain_text("4AT")
    await expect(page.locator("#panel-measurements")).to_contain_text("Mulig delirium")


async def test_a_question_that_depends_on_another_is_asked_and_left_as_the_answer_changes(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto(f"{KARE}/forms/{FREE_TEXT}")
    page = nurse.page
    language, index = page.get_by_label("Språk"), page.locator("[data-told=bmi]")
    await expect(language).to_be_hidden()
    await answer(nurse, "Trenger tolk", "Ja")
    await expect(language).to_be_visible()
    await answer(nurse, "Trenger tolk", "Nei")
    await expect(language).to_be_hidden()
    # Height and weight are worked out together as the last of them is typed.
    await page.get_by_label("Vekt").fill("80")
    await page.get_by_label("Høyde").fill("200")
    await expect(index).to_contain_text("20")
    await drop(nurse)


async def test_a_corrected_form_says_why_and_takes_what_followed_from_it_along(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected = {422}
    page = nurse.page
    await _signed_four_at(nurse)
    name = _last(page.url)
    before = (await served.ask(f"Observation?derived-from=QuestionnaireResponse/{name}")).json()
    await named(nurse, "Rett").click()
    await answer(nurse, "Akutt endring", "Ja")
    await named(nurse, "Signer").click()
    await expect(page.get_by_role("alert").first).to_contain_text("Skriv hvorfor det rettes.")
    await page.get_by_label("Hvorfor rettes det?").fill("Pårørende fortalte om endringen")
    await named(nurse, "Signer").click()
    await expect(page.locator("main")).to_contain_text("Pårørende fortalte om endringen")
    after = (await served.ask(f"Observation?derived-from=QuestionnaireResponse/{name}")).json()
    assert after["total"] == before["total"]
    (total,) = [e["resource"] for e in after["entry"] if "component" in e["resource"]]
    assert total["status"] == "corrected"
    assert total["valueQuantity"]["value"] >= 4
    # The version before stays.
    history = (await served.ask(f"QuestionnaireResponse/{name}/_history")).json()
    assert [e["resource"]["status"] for e in history["entry"]] == ["amended", "completed"]


async def test_a_form_without_what_it_must_have_is_not_signed_and_says_what_is_missing(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected = {422}
    await nurse.goto(FORM)
    await answer(nurse, "Årvåkenhet", "Klart unormal")
    await saved(nurse.page)
    await named(nurse, "Signer").click()
    await expect(nurse.page.get_by_role("alert").first).to_contain_text("AMT4")
    await chosen(nurse.page, "Årvåkenhet")
    await drop(nurse)


async def test_a_browser_that_is_killed_takes_at_most_two_seconds_of_typing_with_it(
    sign_in: SignIn, served: ServedDemo, chromium: str | None
) -> None:
    nurse = await sign_in("ward-nurse")
    state = await nurse.context.storage_state()
    typed: list[tuple[float, str]] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        doomed = await sit_down(browser, served.address, "desktop", storage_state=state)
        await doomed.goto(f"{KARE}/forms/{FREE_TEXT}")
        field = await _words_of(doomed.page)
        address = urlsplit(doomed.page.url)
        words = ""
        session = await browser.new_browser_cdp_session()
        began = time.monotonic()
        while time.monotonic() - began < 4:
            words += f"{len(typed)} "
            await field.press_sequentially(f"{len(typed)} ", delay=20)
            typed.append((time.monotonic(), words))
        killed = time.monotonic()
        with pytest.raises(Exception, match=r"closed|crash|disconnected"):
            await session.send("Browser.crash")
    await nurse.goto(f"{address.path}?{address.query}")
    kept = await (await _words_of(nurse.page)).input_value()
    assert typed[-1][1].startswith(kept.rstrip())
    lost = [at for at, said in typed if not kept.startswith(said.rstrip())]
    assert not lost or killed - lost[0] <= MOST_LOST, f"{killed - lost[0]:.1f} s were lost"
    await drop(nurse)


async def test_a_server_that_is_killed_takes_no_answers_with_it(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(FORM)
    page = nurse.page
    await answer(nurse, "Årvåkenhet", "Klart unormal")
    await saved(page)
    await served.stop(signal.SIGKILL)
    await answer(nurse, "AMT4", "Ingen feil")
    await expect(page.locator("[data-draft-state]")).to_contain_text("på denne enheten")
    await served.start()
    await expect(page.locator("[data-draft-state]")).to_have_attribute(
        "data-state", "saved", timeout=20_000
    )
    await page.reload()
    await expect(page.locator("input:checked")).to_have_count(2)
    await drop(nurse)


async def test_what_was_typed_while_the_server_was_away_is_there_when_the_page_is_loaded_anew(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(FORM)
    page = nurse.page
    await served.stop(signal.SIGKILL)
    await answer(nurse, "Akutt endring", "Ja")
    await expect(page.locator("[data-draft-state]")).to_contain_text("på denne enheten")
    address = page.url
    await page.goto("about:blank")
    await served.start()
    await page.goto(address)
    await expect(question(page, "Akutt endring").get_by_role("radio", checked=True)).to_have_count(
        1
    )
    await saved_or_put_back(page)
    await drop(nurse)


async def saved_or_put_back(page: Page) -> None:
    """The page was drawn again with what was kept on the device."""
    await expect(page.locator("[data-draft-state]")).to_contain_text(re.compile("lagret", re.I))


async def test_the_draft_of_a_form_waits_in_the_chart_for_its_writer_alone(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(FORM)
    await answer(nurse, "Årvåkenhet", "Klart unormal")
    await saved(nurse.page)
    await nurse.goto(KARE)
    waiting = nurse.page.locator("section", has=nurse.page.locator("#drafts-title"))
    await waiting.get_by_role("listitem").filter(has_text="4AT").get_by_role("link").click()
    await expect(nurse.page.locator("input:checked")).to_have_count(1)
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(FORM)
    await expect(doctor.page.locator("input:checked")).to_have_count(0)
    await nurse.page.bring_to_front()
    await drop(nurse)


async def test_a_form_that_was_opened_for_another_patient_signs_nothing(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected = {422, 409}
    await nurse.goto(FORM)
    before = await _responses(served)
    await nurse.page.locator("form[data-form] input[name=patient]").evaluate(
        "field => { field.value = 'demo-aslaug'; }"
    )
    await named(nurse, "Signer").click()
    await expect(nurse.page.get_by_role("alert").first).to_contain_text("annen pasient")
    assert await _responses(served) == before


async def _signed_four_at(user: User) -> None:
    await user.goto(FORM)
    for words, said in (
        ("Årvåkenhet", "Normal"), ("AMT4", "Ingen feil"),
        ("Oppmerksomhet", "Sju måneder"), ("Akutt endring", "Nei"),
    ):  # fmt: skip
        await answer(user, words, said)
    await named(user, "Signer").click()
    await expect(user.page.locator("form[data-form]")).to_have_count(0)


async def _responses(served: ServedDemo) -> int:
    asked = "QuestionnaireResponse?patient=demo-kare&_summary=count"
    total: int = (await served.ask(asked)).json()["total"]
    return total


def _last(address: str) -> str:
    return urlsplit(address).path.rsplit("/", 1)[1]


async def _words_of(page: Page) -> Locator:
    """The first field of the form that takes free text."""
    return page.locator("form[data-form] textarea").first


FREE_TEXT = "admission_nursing"
