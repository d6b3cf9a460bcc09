"""A patient is found, written about and measured in few steps, on a desktop and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from .conftest import SignIn, Within
from .places import named, on_the_chart_of

DEVICES = ("desktop", "phone")
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("device", DEVICES)]

ASLAUG = {"name": "Aslaug Bakken Moe", "born": "14.03.1942", "number": "14834232007"}
# Respirations, saturation, oxygen, systolic, diastolic, pulse, temperature.
NUMBERS = {
    "respiration": "18", "saturation": "96", "oxygen": "0", "systolic": "128",
    "diastolic": "74", "pulse": "82", "temperature": "37,2",
}  # fmt: skip


async def test_a_patient_on_my_list_opens_at_once(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    doctor.begin()
    await doctor.press_on(doctor.page.get_by_role("link", name=ASLAUG["name"]))
    await expect(doctor.page.locator("#panel-medications")).to_be_visible()
    within_budget(f"open-from-my-list-{device}", doctor.end())


@pytest.mark.parametrize("known", ["name", "born", "number"])
async def test_anyone_in_the_region_is_found_by_what_one_knows_of_them(
    sign_in: SignIn, within_budget: Within, device: str, known: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    doctor.begin()
    await doctor.press_on(doctor.page.get_by_role("button", name="Søk eller gå til"))
    await doctor.type("aslaug b" if known == "name" else ASLAUG[known])
    hit = doctor.page.locator("#hv-palette").get_by_role("option")
    await expect(hit).to_have_count(1)
    await expect(hit).to_contain_text(ASLAUG["name"])
    await doctor.press_on(hit)
    await on_the_chart_of(doctor.page)
    within_budget(f"find-by-{known}-{device}", doctor.end())
    assert ASLAUG["number"] not in doctor.page.url


async def test_a_note_is_written_and_signed_and_stands_in_the_chart(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    nurse = await sign_in("ward-nurse", device)
    await nurse.goto("/patient/demo-aslaug")
    nurse.begin()
    words = f"Sov godt i natt, skrevet på {device}."
    await nurse.press_on(named(nurse, "Skriv notat"))
    await expect(nurse.page.get_by_role("textbox", name="Notat")).to_be_focused()
    await nurse.type(words)
    await nurse.press_on(named(nurse, "Signer"))
    await on_the_chart_of(nurse.page)
    note = nurse.page.locator("#panel-notes article").first
    await expect(note).to_contain_text(words)
    await expect(note).to_contain_text(re.compile("Signert Magnus Tverdal"))
    within_budget(f"note-{device}", nurse.end())


async def test_seven_vital_signs_are_taken_and_their_score_shows_by_itself(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    nurse = await sign_in("ward-nurse", device)
    await nurse.goto("/patient/demo-aslaug")
    nurse.begin()
    await nurse.press_on(named(nurse, "Vitale mål"))
    for number, (name, value) in enumerate(NUMBERS.items()):
        field = nurse.page.locator(f"[name={name}]")
        if number == 0:
            await expect(field).to_be_focused()
        else:
            await nurse.go_to_field(field)
        await nurse.type(value)
    await nurse.press_on(nurse.page.get_by_text("Våken"))
    score = nurse.page.locator("#vital-score .hv-score__sum b")
    await expect(score).to_have_text("0")
    await expect(score).to_be_in_viewport()
    await nurse.press_on(named(nurse, "Signer"))
    await on_the_chart_of(nurse.page)
    measured = nurse.page.locator("#panel-measurements")
    await expect(measured.locator(".hv-score__sum b").first).to_have_text("0")
    for value in ("18", "96", "128/74", "82", "37,2"):
        await expect(measured).to_contain_text(value)
    within_budget(f"vital-signs-{device}", nurse.end())
