"""Going home: ten medicines in six presses, who takes over is told, and the letter is the list."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from .conftest import SignIn, Within
from .places import named
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious
from .user import User

pytestmark = pytest.mark.browser

WARD = "Organization/st-olavs-lunge"
HOME = {"reference": "Organization/trondheim-hjemmetjeneste-ost", "display": "Hjemmetjenesten øst"}
SAME = (
    ("Selo-Zok", "C07AB02"), ("Atacand", "C09CA06"), ("Lipitor", "C10AA05"), ("Somac", "A02BC02"),
    ("Albyl-E", "B01AC06"), ("Fosamax", "M05BA04"), ("Levaxin", "H03AA01"),
)  # fmt: skip
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"


async def keep(served: ServedDemo, resource: dict[str, Any]) -> str:
    answer = await served.ask(resource["resourceType"], method="POST", body=resource)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"] if answer.content else answer.headers["location"].split("/")[-3]
    return made


def concept(name: str, atc: str) -> dict[str, Any]:
    coding = [{"system": "http://www.whocc.no/atc", "code": atc}, {"system": "urn:p", "code": name}]
    return {"text": name, "coding": coding}


def dosage(often: int) -> dict[str, Any]:
    return {
        "timing": {"repeat": {"frequency": often, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
    }


async def leaving(served: ServedDemo, family: str) -> str:
    """Somebody about to go home: seven medicines as before, one raised, one stopped, one new."""
    patient = await keep(served, {
        "resourceType": "Patient", "name": [{"family": family, "given": ["Hilma"]}],
        "gender": "female", "birthDate": "1944-02-03",
    })  # fmt: skip
    subject = {"reference": f"Patient/{patient}"}
    stay = await keep(served, {
        "resourceType": "Encounter", "status": "in-progress", "subject": subject,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "serviceProvider": {"reference": WARD}, "period": {"start": "2026-01-01"},
        "reasonCode": [{"text": "Pneumoni"}],
    })  # fmt: skip
    await keep(served, {
        "resourceType": "EpisodeOfCare", "status": "active", "patient": subject,
        "managingOrganization": HOME, "period": {"start": "2026-01-01"},
    })  # fmt: skip

    async def both(name: str, atc: str, often: int = 1, *, home: int = 1, **more: Any) -> None:
        medicine = {"medicationCodeableConcept": concept(name, atc), "subject": subject}
        if home:
            await keep(served, {
                "resourceType": "MedicationStatement", "status": "active", **medicine,
                "dosage": [dosage(home)],
            })  # fmt: skip
        await keep(served, {
            "resourceType": "MedicationRequest", "status": "active", "intent": "order", **medicine,
            "category": [{"coding": [{"system": _CATEGORY, "code": "inpatient"}]}],
            "encounter": {"reference": f"Encounter/{stay}"}, "dosageInstruction": [dosage(often)],
            **more,
        })  # fmt: skip

    for name, atc in SAME:
        await both(name, atc)
    await both("Diural", "C03CA01", 2)
    await both("Amlodipin", "C08CA01", status="stopped", statusReason={"text": "Lavt blodtrykk"})
    await both("Prednisolon", "H02AB06", home=0)
    return patient


async def decide(user: User, name: str, choice: str) -> None:
    group = user.page.get_by_role("group", name=f"Hva skal skje med {name}")
    await user.press_on(group.get_by_text(choice))


async def sign(user: User) -> None:
    """Sign, and where warnings hold it back answer each of them."""
    await user.press_on(user.page.get_by_role("button", name="Signer"))
    await user.page.wait_for_load_state()
    answers = user.page.locator("[name^='answer:']")
    if await answers.count():
        for answer in await answers.all():
            await answer.fill("Vurdert")
        await user.page.get_by_role("button", name="Signer").click()


async def test_ten_medicines_of_which_three_changed_take_six_presses(
    sign_in: SignIn, within_budget: Within, served: ServedDemo
) -> None:
    patient = await leaving(served, "Seksklikk")
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"/patient/{patient}/medications/reconciled")
    await doctor.goto(f"/patient/{patient}/medications/reconcile?at=admission")
    doctor.begin()
    await doctor.press_on(named(doctor, "Samstem ved utskrivning"))
    await doctor.press_on(doctor.page.get_by_text("Uendret: alle 7 fortsetter"))
    await decide(doctor, "Diural", "Avdelingens dose")
    await decide(doctor, "Amlodipin", "Seponer")
    await decide(doctor, "Prednisolon", "Fortsetter hjemme")
    doctor.expected.add(422)
    await sign(doctor)
    await expect(doctor.page.get_by_role("heading", name="Samstemminger")).to_be_visible()
    within_budget("reconcile-ten-desktop", doctor.end())
    told = doctor.page.locator("section", has_text="Hvem som får beskjed").first
    await expect(told).to_contain_text("Hjemmetjenesten øst")
    await expect(told).to_contain_text("ikke bekreftet")
    main = doctor.page.locator("main")
    await expect(main).to_contain_text("Diural: endret fra 1 tablett, 1 gang daglig til 1 tablett")
    await expect(main).to_contain_text("Amlodipin: seponert (Lavt blodtrykk)")


async def test_what_was_decided_is_there_after_the_page_is_opened_again(
    sign_in: SignIn, served: ServedDemo
) -> None:
    patient = await leaving(served, "Kladdesen")
    doctor = await sign_in("hospital-doctor", "phone")
    await doctor.goto(f"/patient/{patient}/medications/reconcile?at=discharge")
    await decide(doctor, "Diural", "Avdelingens dose")
    await expect(doctor.page.locator("#draft-state")).to_contain_text("Kladd lagret")
    await doctor.goto(f"/patient/{patient}/medications")
    await expect(doctor.page.get_by_text("Ikke samstemt")).to_be_visible()
    await doctor.goto(f"/patient/{patient}/medications/reconcile?at=discharge")
    group = doctor.page.get_by_role("group", name="Hva skal skje med Diural")
    await expect(group.get_by_role("radio", name="Avdelingens dose")).to_be_checked()
    assert await doctor.page.evaluate(TOO_WIDE) == []
    assert await doctor.page.evaluate(SMALL) == []
    assert await serious(doctor.page) == {"light": [], "dark": []}
    # What is not decided is said beside it, and nothing is signed.
    doctor.expected.add(422)
    await doctor.page.get_by_role("button", name="Signer").tap()
    await expect(doctor.page.get_by_role("alert").first).to_contain_text("9 legemidler er ikke")
    await expect(group.get_by_role("radio", name="Avdelingens dose")).to_be_checked()


async def test_the_home_service_acknowledges_what_changed_and_the_letter_follows_the_list(
    sign_in: SignIn, served: ServedDemo
) -> None:
    patient = await leaving(served, "Hjemreise")
    base = f"/patient/{patient}/medications"
    doctor = await sign_in("hospital-doctor")
    await doctor.goto(f"{base}/reconcile?at=discharge")
    await doctor.page.get_by_text("Uendret: alle 7 fortsetter").click()
    await decide(doctor, "Diural", "Avdelingens dose")
    await decide(doctor, "Amlodipin", "Seponer")
    await decide(doctor, "Prednisolon", "Avsluttes her")
    doctor.expected.add(422)
    await sign(doctor)
    await named(doctor, "Skriv epikrise").click()
    course = doctor.page.locator("[name=course]")
    await course.click()
    await expect(course).to_be_focused()
    await doctor.type("Behandlet med antibiotika.")
    plan = doctor.page.locator("[name=plan]")
    await plan.click()
    await expect(plan).to_be_focused()
    await doctor.type("Kontroll hos fastlege.")
    await doctor.page.get_by_role("button", name="Signer epikrisen").click()
    await expect(doctor.page.locator("main")).to_contain_text("som listen står nå")
    await named(doctor, "Epikrise", exact=True).click()
    main = doctor.page.locator("main")
    await expect(main).to_contain_text("Listen er som i denne epikrisen.")
    await expect(main).to_contain_text("1 tablett, 2 ganger daglig")
    letter = doctor.page.url
    nurse = await sign_in("home-care-nurse")
    await nurse.goto("/tasks")
    row = nurse.page.locator(".hv-row", has_text="Hjemreise").first
    await expect(row).to_contain_text("Amlodipin: seponert (Lavt blodtrykk)")
    await row.get_by_role("link").click()
    await named(nurse, "Gå dit det gjøres").click()
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.page.get_by_role("button", name="Bekreft").click()
    await expect(nurse.page.locator("main")).to_contain_text("Berit Lundamo")
    await nurse.goto("/tasks")
    await expect(nurse.page.locator(".hv-row", has_text="Hjemreise")).to_have_count(0)
    # The list changes: whoever opens the letter is told.
    await doctor.goto(base)
    await doctor.page.locator(".hv-medicine", has_text="Lipitor").first.get_by_role("link").click()
    await doctor.page.locator("summary", has_text="Seponer").click()
    await doctor.page.locator("form[action$='/stop'] [name=other_why]").fill("Muskelsmerter")
    await doctor.page.get_by_role("button", name="Signer seponeringen").click()
    await expect(doctor.page.get_by_text("Listen er endret siden epikrisen")).to_be_visible()
    await doctor.page.goto(letter)
    await expect(doctor.page.get_by_role("alert")).to_contain_text("Listen er endret siden")
