"""What was typed is there afterwards, whatever broke; nobody else sees it until it is signed."""

from __future__ import annotations

import re
import signal
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from .conftest import SignIn
from .places import named, on_the_chart_of
from .served import ServedDemo
from .user import User

pytestmark = pytest.mark.browser

ASLAUG = "/patient/demo-aslaug"


async def write(user: User, words: str, *, wait: bool = True) -> Page:
    """Write in a new note without signing; with `wait`, until the page says that it is saved."""
    await user.goto(f"{ASLAUG}/notes/new")
    await user.page.get_by_role("textbox", name="Notat").fill(words)
    if wait:
        await expect(user.page.locator("[data-draft-state]")).to_contain_text("Lagret")
    return user.page


async def continue_draft(user: User, words: str) -> None:
    """From the chart, go on with the draft that begins so."""
    row = user.page.get_by_role("listitem").filter(has_text=words)
    # What a page sends while it is left may arrive after the chart was drawn.
    for _ in range(5):
        await user.goto(ASLAUG)
        await on_the_chart_of(user.page)
        if await row.count():
            break
    await row.get_by_role("link").click()
    await expect(user.page.get_by_role("textbox", name="Notat")).to_have_value(
        re.compile(re.escape(words))
    )


async def test_a_draft_waits_in_the_chart_after_the_page_was_closed(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    words = f"Avbrutt av en alarm {uuid4()}"
    page = await write(nurse, words)
    nurse.page = await nurse.tab()
    await page.close()
    await continue_draft(nurse, words)
    await named(nurse, "Signer").click()
    await expect(nurse.page.locator("#panel-notes")).to_contain_text(words)
    await expect(nurse.page.locator("#drafts-title")).to_have_count(0)


async def test_leaving_before_the_pause_that_saves_loses_nothing(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    words = f"Gikk fra skjermen {uuid4()}"
    await write(nurse, words, wait=False)
    await nurse.goto("/")
    await continue_draft(nurse, words)
    await named(nurse, "Forkast utkastet").click()


async def test_a_draft_that_is_discarded_is_gone(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    words = f"Skal ikke beholdes {uuid4()}"
    await write(nurse, words)
    await named(nurse, "Forkast utkastet").click()
    await expect(nurse.page.locator("#panel-medications")).to_be_visible()
    await expect(nurse.page.locator("body")).not_to_contain_text(words)


async def test_text_written_without_network_is_kept_and_sent_when_it_is_back(
    sign_in: SignIn,
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    words = f"Skrevet i kjelleren {uuid4()}"
    await write(nurse, "Begynt med nett.")
    await nurse.context.set_offline(True)
    await nurse.page.get_by_role("textbox", name="Notat").fill(words)
    state = nurse.page.locator("[data-draft-state]")
    await expect(state).to_contain_text("lagret på denne enheten")
    await expect(nurse.page.locator("[data-only-here]")).to_be_visible()
    await nurse.context.set_offline(False)
    await expect(state).to_contain_text("Lagret")
    await expect(nurse.page.locator("[data-only-here]")).to_be_hidden()
    await continue_draft(nurse, words)
    await named(nurse, "Forkast utkastet").click()


async def test_a_server_that_died_while_somebody_wrote_takes_no_words_with_it(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    saved, unsaved = f"Lagret før {uuid4()}", f"Skrevet etter {uuid4()}"
    await write(nurse, saved)
    await served.stop(signal.SIGKILL)
    field = nurse.page.get_by_role("textbox", name="Notat")
    await field.fill(f"{saved} {unsaved}")
    await expect(nurse.page.locator("[data-draft-state]")).to_contain_text(
        "lagret på denne enheten"
    )
    await served.start()
    await expect(nurse.page.locator("[data-draft-state]")).to_contain_text(
        re.compile("^Lagret"), timeout=15_000
    )
    await nurse.page.reload()
    await expect(field).to_have_value(re.compile(f"{saved} {unsaved}"))
    await named(nurse, "Signer").click()
    await expect(nurse.page.locator("#panel-notes")).to_contain_text(unsaved)


@pytest.mark.parametrize("persona", ["hospital-doctor", "home-care-nurse"])
async def test_an_unsigned_draft_is_invisible_to_everyone_else(
    sign_in: SignIn, served: ServedDemo, persona: str
) -> None:
    nurse = await sign_in("ward-nurse")
    secret = f"uferdig{uuid4().hex}"
    await write(nurse, f"Bare jeg ser dette: {secret}")
    colleague = await sign_in(persona)
    for path in ("", "/notes", "/timeline", "/access", "/panel/notes"):
        answer = await colleague.context.request.get(colleague.address + ASLAUG + path)
        assert secret not in await answer.text(), path
    await colleague.goto(f"{ASLAUG}/timeline")
    await colleague.page.locator("main [data-search]").fill(secret)
    await expect(colleague.page.locator("#panel-timeline")).to_contain_text("Ingenting")
    for path in (
        "Composition?patient=demo-aslaug&_count=500",
        "Patient/demo-aslaug/$everything?_count=1000",
        "Composition/_history?_count=50",
    ):
        for who in (persona, ""):
            assert secret not in (await served.ask(path, who)).text, path
    await named(nurse, "Forkast utkastet").click()
