"""Two people, two tabs, two patients: nobody's words are lost, and none end in the wrong record."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from .conftest import SignIn
from .places import named, on_the_chart_of, sign_a_note
from .served import ServedDemo
from .user import User

pytestmark = pytest.mark.browser

ASLAUG, KARE = "/patient/demo-aslaug", "/patient/demo-kare"


async def correct(user: User, words: str) -> None:
    """Open the note that has these words for correction."""
    await user.goto(f"{ASLAUG}/notes")
    note = user.page.locator("article", has_text=words).first
    if not await note.get_by_role("link", name="Rett").is_visible():
        await note.locator("summary").click()
    await note.get_by_role("link", name="Rett").click()
    await expect(user.page.get_by_role("textbox", name="Notat")).to_have_value(
        re.compile(re.escape(words))
    )
    await user.page.get_by_label("Hvorfor det rettes").fill("Utfylt etter tilsyn")


async def notes_with(served: ServedDemo, words: str, patient: str = "demo-aslaug") -> int:
    """How many signed notes of a record hold these words."""
    found = (await served.ask(f"Composition?patient={patient}&_count=500")).json()
    return sum(words in str(entry) for entry in found.get("entry", ()))


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_the_second_to_correct_a_note_sees_both_texts_and_signs_a_merged_one(
    sign_in: SignIn, device: str
) -> None:
    nurse = await sign_in("home-care-nurse", device)
    doctor = await sign_in("hospital-doctor", device)
    doctor.expected = {409}
    original = f"Vekt 58,6 kg ({device})."
    await sign_a_note(nurse, "demo-aslaug", original)
    await correct(nurse, original)
    await correct(doctor, original)
    await nurse.page.get_by_role("textbox", name="Notat").fill(f"{original} Målt uten sko.")
    await named(nurse, "Signer").click()
    await on_the_chart_of(nurse.page)
    mine = f"{original} Lett ankelødem."
    await doctor.page.get_by_role("textbox", name="Notat").fill(mine)
    await named(doctor, "Signer").click()
    conflict = doctor.page.locator(".hv-conflict")
    await expect(conflict).to_contain_text("Berit Lundamo")
    await expect(conflict).to_contain_text("Målt uten sko.")
    field = conflict.get_by_role("textbox")
    await expect(field).to_have_value(re.compile("Lett ankelødem"))
    merged = f"{original} Målt uten sko. Lett ankelødem."
    await field.fill(merged)
    await named(doctor, "Signer den samlede teksten").click()
    await on_the_chart_of(doctor.page)
    note = doctor.page.locator("#panel-notes article", has_text=merged).first
    await expect(note).to_contain_text("rettet")


async def test_one_draft_in_two_tabs_loses_nothing(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    key = uuid4()
    first, second = nurse.page, await nurse.tab()
    await nurse.goto(f"{ASLAUG}/notes/new?draft={key}")
    await first.get_by_role("textbox", name="Notat").fill("Skrevet i første fane.")
    await expect(first.locator("[data-draft-state]")).to_contain_text("Lagret")
    await second.goto(f"{nurse.address}{ASLAUG}/notes/new?draft={key}")
    field = second.get_by_role("textbox", name="Notat")
    await expect(field).to_have_value(re.compile("Skrevet i første fane."))
    await field.fill("Skrevet i første fane. Og i andre.")
    await expect(second.locator("[data-draft-state]")).to_contain_text("Lagret")
    await second.reload()
    await expect(field).to_have_value(re.compile("Skrevet i første fane. Og i andre."))
    await nurse.page.close()
    nurse.page = second
    await named(nurse, "Forkast utkastet").click()
    await expect(second).to_have_url(re.compile(f"{ASLAUG}$"))


async def test_each_tab_stays_with_its_own_patient(sign_in: SignIn, served: ServedDemo) -> None:
    nurse = await sign_in("ward-nurse")
    other = await nurse.tab()
    await nurse.goto(f"{ASLAUG}/notes/new")
    await other.goto(f"{nurse.address}{KARE}/notes/new")
    words = f"Gjelder Aslaug {uuid4()}"
    await nurse.page.get_by_role("textbox", name="Notat").fill(words)
    await expect(nurse.page.locator(".hv-banner h1")).to_have_text("Aslaug Bakken Moe")
    await expect(other.locator(".hv-banner h1")).to_have_text("Kåre Brattli")
    await named(nurse, "Signer").click()
    await on_the_chart_of(nurse.page)
    await expect(nurse.page.locator("#panel-notes")).to_contain_text(words)
    assert await notes_with(served, words) == 1
    assert await notes_with(served, words, "demo-kare") == 0


@pytest.mark.parametrize("what", ["note", "vital signs"])
async def test_a_form_sent_to_another_patient_is_refused_and_keeps_its_words(
    sign_in: SignIn, served: ServedDemo, what: str
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected = {422}
    words = f"Feil pasient {uuid4()}"
    if what == "note":
        await nurse.goto(f"{ASLAUG}/notes/new")
        field = nurse.page.get_by_role("textbox", name="Notat")
        await field.fill(words)
        path = "notes"
    else:
        await nurse.goto(f"{ASLAUG}/vital-signs")
        field = nurse.page.locator("[name=pulse]")
        await field.fill("77")
        path = "vital-signs"
    before = (await served.ask("Observation?patient=demo-kare&_summary=count")).json()["total"]
    await crossed(nurse.page, path)
    await named(nurse, "Signer").click()
    await expect(nurse.page.get_by_role("alert").first).to_contain_text("en annen pasient")
    await expect(field).to_have_value(words if what == "note" else "77")
    after = (await served.ask("Observation?patient=demo-kare&_summary=count")).json()["total"]
    assert after == before
    assert await notes_with(served, words, "demo-kare") == 0


async def crossed(page: Page, path: str) -> None:
    """Let the page's form post to the other patient, as a confused script or tab would."""
    await page.locator("form:has([data-sign])").evaluate(
        "(form, action) => { form.action = action; delete form.dataset.draft }", f"{KARE}/{path}"
    )


@pytest.mark.parametrize("what", ["note", "vital signs"])
async def test_pressing_sign_twice_signs_once(
    sign_in: SignIn, served: ServedDemo, what: str
) -> None:
    nurse = await sign_in("ward-nurse")
    words = f"Dobbeltklikk {uuid4()}"
    count = "Observation?patient=demo-aslaug&code=8867-4&_summary=count"
    before = (await served.ask(count)).json()["total"]
    if what == "note":
        await nurse.goto(f"{ASLAUG}/notes/new")
        await nurse.page.get_by_role("textbox", name="Notat").fill(words)
    else:
        await nurse.goto(f"{ASLAUG}/vital-signs")
        await nurse.page.locator("[name=pulse]").fill("71")
    await named(nurse, "Signer").dblclick()
    await on_the_chart_of(nurse.page)
    if what == "note":
        assert await notes_with(served, words) == 1
    else:
        assert (await served.ask(count)).json()["total"] == before + 1


@pytest.mark.parametrize("what", ["note", "vital signs"])
async def test_a_form_sent_again_after_the_answer_was_lost_signs_once(
    sign_in: SignIn, served: ServedDemo, what: str
) -> None:
    nurse = await sign_in("ward-nurse")
    words = f"Sendt på nytt {uuid4()}"
    count = "Observation?patient=demo-aslaug&code=8867-4&_summary=count"
    before = (await served.ask(count)).json()["total"]
    path = f"{ASLAUG}/{'notes/new' if what == 'note' else 'vital-signs'}"
    await nurse.goto(path)
    form = await nurse.page.locator("form:has([data-sign])").evaluate(
        "form => Object.fromEntries(new FormData(form))"
    )
    form |= {"text": words} if what == "note" else {"pulse": "72"}
    action = f"{nurse.address}{ASLAUG}/{'notes' if what == 'note' else 'vital-signs'}"
    for _ in range(2):
        answer = await nurse.context.request.post(action, form=form, max_redirects=0)
        assert answer.status == 303, await answer.text()
    if what == "note":
        assert await notes_with(served, words) == 1
    else:
        assert (await served.ask(count)).json()["total"] == before + 1
