"""What a doctor orders, and how the answer comes back: side, samples, who has seen it, search."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import SignIn, Within
from .places import named, on_the_chart_of
from .test_order_sets import is_for_everyone
from .user import User

pytestmark = pytest.mark.browser
DEVICES = pytest.mark.parametrize("device", ["desktop", "phone"])
KARE, GUNVOR = "/patient/demo-kare", "/patient/demo-gunvor"


async def withdraw_the_newest(doctor: User, patient: str) -> None:
    """Leave nothing behind that the next test would meet."""
    await doctor.goto(f"{patient}/orders")
    first = doctor.page.locator("main .hv-row").first
    await first.locator("summary", has_text="Trekk tilbake").click()
    await first.locator("[name=words]").fill("Bestilt av en prøve av skjermen")
    await first.get_by_role("button", name="Trekk det som ikke er besvart").click()
    await expect(
        doctor.page.locator("main .hv-row", has_text="trukket tilbake").first
    ).to_be_visible()


@DEVICES
async def test_an_x_ray_of_a_knee_is_ordered_with_its_side(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(KARE)
    await on_the_chart_of(doctor.page, "Kåre Brattli")
    doctor.begin()
    await doctor.press_on(named(doctor, "Rekvirer", exact=True))
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("rtg kne")
    await doctor.press_on(doctor.page.get_by_role("button", name="Høyre side Røntgen kne"))
    await expect(doctor.page.locator("[name=why]")).to_be_focused()
    await doctor.type("Fall. Brudd?")
    await doctor.press_on(named(doctor, "Signer rekvisisjonen"))
    ordered = doctor.page.locator("main .hv-row").first
    await expect(ordered).to_contain_text("Røntgen kne, høyre side")
    within_budget(f"order-x-ray-{device}", doctor.end())
    await expect(ordered).to_contain_text("til Radiologisk avdeling")
    await is_for_everyone(doctor)
    await withdraw_the_newest(doctor, KARE)


async def test_without_a_side_nothing_of_a_paired_part_is_ordered(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{KARE}/orders/new?again=xr-wrist")
    await doctor.page.locator("[name=why]").fill("Fall")
    doctor.expected |= {422}
    await named(doctor, "Signer rekvisisjonen").click()
    await expect(doctor.page.locator("main")).to_contain_text("Velg side for Røntgen håndledd")
    await expect(doctor.page.locator("[name=why]")).to_have_value("Fall")
    await is_for_everyone(doctor)


async def test_samples_that_belong_together_are_ordered_in_one_and_taken_on_the_ward(
    sign_in: SignIn,
) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{GUNVOR}/orders/new")
    await expect(doctor.page.locator("[name=words]")).to_be_focused()
    await doctor.type("nyrefunk")
    await doctor.page.get_by_role("button", name="Velg alle Nyrefunksjon").click()
    await expect(doctor.page.locator("main")).to_contain_text("Nyeste: P-Kalium")
    await doctor.page.locator("[name=item][value=u-acr]").uncheck()
    await named(doctor, "Signer rekvisisjonen").click()
    ordered = doctor.page.locator("main .hv-row").first
    await expect(ordered).to_contain_text("Kalium rekvirert")
    await expect(ordered).not_to_contain_text("albumin/kreatinin")
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto(f"{GUNVOR}/orders")
    await nurse.page.get_by_role("button", name="Prøvene er tatt").first.tap()
    await expect(nurse.page.locator("main .hv-row").first).to_contain_text("Kalium prøve tatt")
    await is_for_everyone(nurse)
    await withdraw_the_newest(doctor, GUNVOR)


@DEVICES
async def test_a_result_is_acknowledged_with_what_comes_next(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(f"{KARE}/results")
    waiting = doctor.page.locator("#panel-results [data-awaiting] a")
    await expect(waiting.first).to_be_visible()
    before = await waiting.count()
    await is_for_everyone(doctor)
    doctor.begin()
    await doctor.press_on(waiting.first)
    await expect(doctor.page.locator("main")).to_contain_text("Venter på Ingrid Solemdal")
    await doctor.press_on(named(doctor, "Gi pasienten beskjed"))
    seen = doctor.page.get_by_role("status").filter(has_text="Kvittert av Ingrid Solemdal")
    await expect(seen).to_contain_text("Gi pasienten beskjed")
    within_budget(f"acknowledge-result-{device}", doctor.end())
    await is_for_everyone(doctor)
    await doctor.goto(f"{KARE}/results")
    await expect(waiting).to_have_count(before - 1)


async def test_a_critical_result_stands_first_and_leads_to_a_new_sample(sign_in: SignIn) -> None:
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{GUNVOR}/results")
    first = doctor.page.locator("#panel-results .hv-row").first
    await expect(first).to_contain_text("Kritisk svar: Elektrolytter før utreise")
    await first.get_by_role("link").first.click()
    await expect(doctor.page.locator("main")).to_contain_text("kritisk")
    await named(doctor, "Bestill ny kontroll").click()
    await expect(doctor.page.locator("[name=item][value=k]")).to_be_checked()
    await expect(doctor.page.locator("main")).to_contain_text("Nyeste: P-Kalium")


@DEVICES
async def test_results_are_compared_over_time(sign_in: SignIn, device: str) -> None:
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(f"{KARE}/results/compare")
    crp = doctor.page.locator("tr", has_text="CRP")
    await expect(crp).to_contain_text("164")
    await expect(crp).to_contain_text("96")
    await is_for_everyone(doctor)
    await doctor.page.get_by_role("link", name="Bare det avvikende").click()
    await expect(doctor.page.locator("tr", has_text="Natrium").first).to_contain_text("134")


FACTS = {
    "kalium": "3,9 mmol/L", "hb": "15,4 g/dL", "crp": "96 mg/L", "laktat": "1,0",
    "røyk": "45 pakkeår", "respirator": "maskebehandling ja, respirator nei",
    "hund": "Rennende nese", "prednisolon": "2 tabletter om morgenen", "mirtazapin": "15 mg",
    "influensa": "Influensavaksine", "bipap": "Maskebehandling", "thorax": "infiltrat",
    "pneumoth": "Ingen", "calcigran": "500 mg", "kols": "Kols", "ventoline": "1 mg/mL",
    "søvn": "Angst og søvnvansker", "lungepol": "Lungepoliklinikken",
    "trelegy": "92/55/22", "blodtrykk": "mmHg",
}  # fmt: skip
"""Words a doctor types, and what has to stand among what is found."""


@DEVICES
async def test_twenty_facts_are_found_in_a_chart(
    sign_in: SignIn, within_budget: Within, device: str
) -> None:
    assert len(FACTS) == 20
    doctor = await sign_in("hospital-doctor", device)
    await doctor.goto(KARE)
    await on_the_chart_of(doctor.page, "Kåre Brattli")
    hits = doctor.page.locator("#chart-hits")
    for place, (words, fact) in enumerate(FACTS.items()):
        field = doctor.page.locator("main [name=words]")
        if place:
            await field.fill("")
        doctor.begin()
        await doctor.press_on(field if place else named(doctor, "Søk i journalen"))
        await expect(field).to_be_focused()
        await doctor.type(words)
        await expect(hits).to_contain_text(fact)
        within_budget(f"find-a-fact-{device}", doctor.end())
    await is_for_everyone(doctor)
    await doctor.page.locator("main [name=words]").fill("finnesikke")
    await expect(hits).to_contain_text("Ingenting i journalen har disse ordene")
