"""The desk: what needs somebody is seen, taken, handed over and ordered, live for others."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import named

pytestmark = pytest.mark.browser
WAITS = "Tilpasse maske"


async def test_what_nobody_owns_is_taken_and_the_others_see_it_at_once(sign_in: SignIn) -> None:
    nurse, doctor = await sign_in("ward-nurse"), await sign_in("hospital-doctor")
    await doctor.goto("/tasks?show=unit")
    row = doctor.page.get_by_role("listitem").filter(has_text=WAITS)
    await expect(row).to_contain_text("uten eier")
    await expect(doctor.page.locator("[data-live-word]")).to_have_text("Direkte")
    await nurse.goto("/tasks?show=late")
    await nurse.page.get_by_role("button", name=f"Ta oppgaven: {WAITS}").click()
    await expect(nurse.page.get_by_role("heading", name="Oppgaver")).to_be_visible()
    await expect(row).to_contain_text("Magnus Tverdal")
    await expect(row).not_to_contain_text("uten eier")


async def test_a_task_is_asked_of_a_colleague_who_says_why_it_is_not_done(sign_in: SignIn) -> None:
    doctor, nurse = await sign_in("hospital-doctor"), await sign_in("ward-nurse", "phone")
    nurse.expected.add(422)
    words = "Mål blodtrykk liggende og stående"
    await doctor.goto("/patient/demo-kare/tasks/new")
    await doctor.page.get_by_label("Hvem som skal gjøre det").select_option(label="Magnus Tverdal")
    await doctor.page.get_by_label("Hva som skal gjøres").fill(words)
    await named(doctor, "Be om det").click()
    await expect(doctor.page.locator("main")).to_contain_text(words)
    await nurse.goto("/tasks")
    await (
        nurse.page.get_by_role("listitem")
        .filter(has_text=words)
        .get_by_role("link", name=words)
        .click()
    )
    await expect(nurse.page.get_by_text("Kollegene dine ser at du har åpnet den")).to_be_visible()
    await named(nurse, "Ikke utført").click()
    await expect(nurse.page.get_by_text("Skriv hvorfor.")).to_be_visible()
    await nurse.page.get_by_label("Hva det ble til, eller hvorfor").fill("Pasienten sover")
    await named(nurse, "Ikke utført").click()
    await doctor.goto("/tasks?show=done")
    done = doctor.page.get_by_role("listitem").filter(has_text=words)
    await expect(done).to_contain_text("Pasienten sover")


async def test_a_shift_is_handed_over_from_the_record_completed_and_received(
    sign_in: SignIn,
) -> None:
    nurse, doctor = await sign_in("ward-nurse"), await sign_in("hospital-doctor")
    nurse.expected.add(422)
    await nurse.goto("/hand-over")
    await nurse.page.get_by_role("link", name="Gunvor Hestnes").click()
    for fact in ("Identifikasjon", "Pneumoni og forverret hjertesvikt", "Trimetoprim", "NEWS2"):
        await expect(nurse.page.locator(".hv-isbar")).to_contain_text(fact)
    await named(nurse, "Signer vaktrapporten").click()
    await expect(nurse.page.get_by_text("Skriv din vurdering")).to_be_visible()
    await nurse.page.get_by_label("Hva neste vakt skal gjøre").fill("Vekt før frokost.")
    kept = nurse.page.locator("[data-draft-state]")
    await expect(kept).to_have_attribute("data-state", "saved")
    await nurse.goto("/patient/demo-gunvor")
    await nurse.page.get_by_role("link", name="Vaktrapport").click()
    await expect(nurse.page.get_by_label("Hva neste vakt skal gjøre")).to_have_value(
        "Vekt før frokost."
    )
    await named(nurse, "Signer vaktrapporten").click()
    row = nurse.page.get_by_role("listitem").filter(has_text="Gunvor Hestnes").first
    await expect(row).to_contain_text("rapport fra Magnus Tverdal")
    await doctor.goto("/hand-over")
    await doctor.page.get_by_role("button", name="Jeg har fått rapporten Gunvor Hestnes").click()
    row = doctor.page.get_by_role("listitem").filter(has_text="Gunvor Hestnes").first
    await expect(row).to_contain_text("mottatt av Ingrid Solemdal")
    await nurse.goto("/patient/demo-gunvor")
    await expect(nurse.page.locator("#panel-notes article").first).to_contain_text(
        "Vekt før frokost"
    )


async def test_a_patient_is_moved_and_isolated_and_the_board_of_another_follows(
    sign_in: SignIn,
) -> None:
    nurse, doctor = await sign_in("ward-nurse"), await sign_in("hospital-doctor")
    await doctor.goto("/board")
    await expect(doctor.page.locator("[data-live-word]")).to_have_text("Direkte")
    for bed, way, there in (("Rom 313, seng 1", "Kontaktsmitte", True),
                            ("Rom 312, seng 2", "ingen", False)):  # fmt: skip
        await nurse.goto("/board")
        lies = nurse.page.locator(".hv-bed").filter(has_text="Gunvor Hestnes")
        await lies.get_by_text("Endre").click()
        await lies.get_by_label("Seng", exact=True).select_option(label=bed)
        await lies.get_by_label("Isolasjon").select_option(label=way)
        await lies.get_by_role("button", name="Lagre").click()
        seen = doctor.page.locator(".hv-bed").filter(has_text="Gunvor Hestnes")
        await expect(seen.get_by_role("heading")).to_have_text(bed)
        tags = seen.locator(".ds-tag", has_text="Kontaktsmitte")
        await expect(tags).to_have_count(1 if there else 0)


async def test_visits_are_put_in_ones_own_order_with_the_way_there(sign_in: SignIn) -> None:
    nurse = await sign_in("home-care-nurse", "phone")
    await nurse.goto("/visits")
    listed = nurse.page.locator("#panel-visits .hv-rows > li")
    await expect(listed).to_have_count(3)
    await expect(listed.first).to_contain_text("Morgentilsyn med vekt")
    href = await listed.first.get_by_role("link", name="Kart").get_attribute("href")
    assert href is not None
    assert href.partition("#")[2]  # The address is not sent with the page that is asked for.
    await nurse.page.get_by_role("button", name="Senere: Aslaug").first.click()
    await expect(listed.first).to_contain_text("Sårstell")
    await nurse.page.reload()
    await expect(listed.first).to_contain_text("Sårstell")
    await listed.first.get_by_role("button", name="Jeg har vært der").click()
    await expect(listed.first).to_contain_text("besøkt")


async def test_lists_are_content_or_ones_own(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected.add(422)
    await nurse.goto("/lists")
    await named(nurse, "Inneliggende").click()
    listed = nurse.page.locator("#panel-list > .hv-panel__body > ul > li")
    kare = listed.filter(has=nurse.page.get_by_role("link", name="Kåre Brattli", exact=True))
    await expect(kare).to_contain_text("Kols-forverring med respirasjonssvikt")
    # Whoever is listed is named, or said to be somebody whose record is closed.
    for each in await listed.all():
        await expect(
            each.locator(".hv-row__title").or_(each.get_by_text("lukket for deg"))
        ).to_be_visible()
    await nurse.goto("/lists")
    await nurse.page.get_by_text("Lag din egen liste").click()
    await nurse.page.get_by_label("Hva den heter").fill("Mine oppgaver om Kåre")
    await nurse.page.get_by_label("Hvilke av dem").fill("nonsense=1")
    await named(nurse, "Lagre listen").click()
    await expect(nurse.page.get_by_role("alert")).to_contain_text("Det kan ikke søkes slik")
    await nurse.page.get_by_label("Hvilke av dem").fill("owner={me}&patient=demo-kare")
    await named(nurse, "Lagre listen").click()
    await expect(listed.filter(has_text="Melde til kommunen")).to_contain_text("Kåre Brattli")
    await named(nurse, "Fjern listen").click()
    await expect(nurse.page.get_by_text("Mine oppgaver om Kåre")).to_have_count(0)
