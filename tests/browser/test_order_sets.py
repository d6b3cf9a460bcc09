"""A doctor orders several medicines at once, is helped with a dose, and is warned on the way."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import named
from .test_accessibility import SMALL, TOO_WIDE, serious
from .test_prescribing import at_the_list, stop
from .user import User

pytestmark = pytest.mark.browser
OTHER_DOSE = re.compile("^(Annen dose|Velg dose)")
KARE = "/patient/demo-kare"


async def is_for_everyone(user: User) -> None:
    """Axe finds nothing serious, nothing is too wide; on a phone all is large enough to hit."""
    assert await serious(user.page) == {"light": [], "dark": []}
    assert await user.page.evaluate(TOO_WIDE) == []
    if user.is_phone:
        assert await user.page.evaluate(SMALL) == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_medicines_of_a_set_are_chosen_changed_and_signed_together(
    sign_in: SignIn, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(f"{KARE}/medications")
    drops = doctor.page.locator(".hv-medicine[data-status=active]", has_text="15 dråper")
    before = await drops.count()
    await doctor.goto(f"{KARE}/medications/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("forst")
    await doctor.page.get_by_role("link", name="Forstoppelse ved opioider").click()
    ordered = doctor.page.locator("#set-meaning")
    await expect(ordered).to_contain_text("2 legemidler blir ordinert")
    await doctor.page.locator("[name='macrogol.on']").uncheck()
    await expect(ordered).to_contain_text("1 legemiddel blir ordinert")
    await doctor.page.locator("summary", has_text="Natriumpikosulfat").click()
    await doctor.page.locator("[name='picosulfate.amount']").fill("15")
    await is_for_everyone(doctor)
    await named(doctor, "Signer alt").click()
    await at_the_list(doctor)
    await expect(drops).to_have_count(before + 1)
    # A change says what it means as it is typed, too.
    await drops.first.get_by_role("button", name="Endre").click()
    brought = doctor.page.locator("[data-brought]")
    await brought.locator("summary", has_text="Endre dosen").click()
    await brought.locator("[name=amount]").fill("25")
    await expect(brought.locator("[id^='meaning-']")).to_contain_text("25 dråper, 1 gang daglig")
    await doctor.goto(f"{KARE}/medications")
    await stop(doctor, "15 dråper")


async def test_a_warning_comes_while_the_form_is_filled_in_and_its_answer_stays(
    sign_in: SignIn,
) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{KARE}/medications/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("zopiclone")
    await doctor.page.get_by_role("button", name=OTHER_DOSE).first.click()
    amount, cards = doctor.page.locator("[name=amount]"), doctor.page.locator("#order-cards")
    await expect(amount).to_be_focused()
    await expect(doctor.page.locator("[name=unit]")).to_have_value("tablett")
    await doctor.type("4")
    await expect(cards).to_contain_text("Ordinert 30 mg")
    answer = cards.locator("[name^='answer:dose']").first
    await answer.fill("Vurdert")
    await amount.fill("5")
    await expect(cards).to_contain_text("Ordinert 37,5 mg")
    await expect(answer).to_have_value("Vurdert")
    await amount.fill("1")
    await expect(cards).not_to_contain_text("Ordinert 37,5 mg")


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_a_proposed_dose_shows_its_reckoning_and_is_taken_by_one_press(
    sign_in: SignIn, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(f"{KARE}/medications/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("gabapentin")
    await doctor.page.get_by_role("button", name=OTHER_DOSE).first.click()
    amount = doctor.page.locator("[name=amount]")
    await expect(amount).to_have_value("")
    await expect(doctor.page.locator("main")).to_contain_text("Clearance (Cockcroft–Gault): (140 −")
    await expect(doctor.page.locator("main")).to_contain_text("ikke gjennomgått av farmasøyt")
    await is_for_everyone(doctor)
    await doctor.page.get_by_role("button", name=re.compile("^Bruk ")).first.click()
    await expect(amount).to_have_value(re.compile(r"^\d"))
    await expect(doctor.page.locator("#order-course")).to_contain_text("ganger daglig")


async def test_the_patients_list_reads_on_a_phone_and_comes_as_a_pdf(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor", "phone")
    await doctor.goto(f"{KARE}/medications/print")
    await expect(doctor.page.locator("main")).to_contain_text("Ta aldri mer enn det som står")
    await is_for_everyone(doctor)
    answer = await doctor.page.request.get(f"{doctor.address}{KARE}/medications/list.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert (await answer.body()).startswith(b"%PDF-")


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_rules_are_named_in_norwegian_and_lead_to_their_cases(
    sign_in: SignIn, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto("/advice/rules")
    await expect(doctor.page.locator("main")).to_contain_text("ingen farmasøyt har gjennomgått dem")
    await is_for_everyone(doctor)
    await doctor.page.get_by_role("link", name="Høy dose paracetamol", exact=True).click()
    await expect(doctor.page.locator("main")).to_contain_text("Paracetamol 1 g x 5")
    await is_for_everyone(doctor)
    await doctor.page.get_by_role("link", name="Samme virkestoff er alt i bruk").first.click()
    await expect(doctor.page.locator("h1")).to_have_text("Samme virkestoff er alt i bruk")
