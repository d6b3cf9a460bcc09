"""A medicine round on the phone: few taps a dose, and what is refused says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from .conftest import SignIn, Within
from .places import named
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious
from .user import User

pytestmark = pytest.mark.browser

WARD = "Organization/st-olavs-lunge"
NAMES = (
    "Albyl-E", "Atorvastatin", "Bumetanid", "Folsyre", "Kaleorid", "Levaxin", "Metformin",
    "Metoprolol", "Pantoprazol", "Prednisolon", "Ramipril", "Spiriva",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runa(served: ServedDemo) -> AsyncIterator[str]:
    """Somebody on the ward with twelve medicines due, one as needed, and one that two must sign."""
    patient = await _keep(served, {
        "resourceType": "Patient", "name": [{"family": "Rundehaug", "given": ["Runa"]}],
        "gender": "female", "birthDate": "1951-02-03",
    })  # fmt: skip
    await _keep(served, {
        "resourceType": "Encounter", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"}, "serviceProvider": {"reference": WARD},
        "period": {"start": "2026-01-01"},
    })  # fmt: skip
    for name in NAMES:
        await _keep(served, _order(patient, name, _from_now(20)))
    await _keep(served, _order(patient, "Metotreksat", _from_now(20), atc="L01BA01"))
    await _keep(served, _order(patient, "Paracet", {
        "asNeededCodeableConcept": {"text": "smerter"},
        "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
    }))  # fmt: skip
    yield patient


def _from_now(minutes: int) -> dict[str, Any]:
    start = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    repeat = {"frequency": 1, "period": 12, "periodUnit": "h"}
    return {"timing": {"repeat": {**repeat, "boundsPeriod": {"start": start.isoformat()}}}}


def _order(patient: str, name: str, dosage: dict[str, Any], atc: str = "") -> dict[str, Any]:
    coding = [{"system": "http://www.whocc.no/atc", "code": atc}] if atc else []
    concept: dict[str, Any] = {"text": name} | ({"coding": coding} if coding else {})
    amount = {"doseQuantity": {"value": 1, "unit": "tablett"}}
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": concept,
        "dosageInstruction": [{**dosage, "doseAndRate": [amount]}],
    }  # fmt: skip


async def _keep(served: ServedDemo, resource: dict[str, Any]) -> str:
    answer = await served.ask(resource["resourceType"], method="POST", body=resource)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"] if answer.content else answer.headers["location"].split("/")[-3]
    return made


def _row(user: User, name: str) -> Locator:
    return user.page.locator("form .hv-row").filter(has_text=name)


async def _open(user: User) -> None:
    await user.goto("/rounds")
    await named(user, "Runa Rundehaug").click()
    await expect(user.page.get_by_role("heading", name="Doser")).to_be_visible()


async def test_one_dose_is_given_in_three_taps(
    sign_in: SignIn, within_budget: Within, runa: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto("/rounds")
    nurse.begin()
    await nurse.press_on(named(nurse, "Runa Rundehaug"))
    await nurse.press_on(nurse.page.get_by_role("checkbox", name="Albyl-E"))
    await nurse.press_on(nurse.page.get_by_role("button", name="Ingen strekkode").first)
    await expect(nurse.page.get_by_role("status")).to_contain_text("1 signert")
    within_budget("give-one-dose-phone", nurse.end())
    done = nurse.page.locator(".hv-row").filter(has_text="Albyl-E")
    await expect(done).to_contain_text("gitt")
    await expect(done).to_contain_text("Magnus Tverdal")


async def test_a_round_of_twelve_doses_takes_few_taps_and_one_that_is_not_given_says_why(
    sign_in: SignIn, within_budget: Within, served: ServedDemo, runa: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto("/rounds")
    nurse.begin()
    await nurse.press_on(named(nurse, "Runa Rundehaug"))
    for name in NAMES[1:11]:
        await nurse.press_on(nurse.page.get_by_role("checkbox", name=name))
    await nurse.press_on(nurse.page.get_by_role("checkbox", name="Metotreksat"))
    last = _row(nurse, NAMES[11])
    await nurse.press_on(last.locator("summary"))
    nurse.effort.clicks += 1
    await last.get_by_role("combobox").select_option(label="Pasienten ønsket ikke")
    await nurse.press_on(nurse.page.get_by_role("button", name="Ingen strekkode").first)
    await expect(nurse.page.get_by_role("status")).to_contain_text("12 signert")
    within_budget("round-of-twelve-phone", nurse.end())
    refused = nurse.page.locator(".hv-row").filter(has_text=NAMES[11])
    await expect(refused).to_contain_text("Pasienten ønsket ikke")
    await expect(_row(nurse, "Metotreksat")).to_contain_text("mangler signatur nummer to")
    found = await _administrations(served, runa)
    assert {each["extension"][0]["valueCode"] for each in found if "extension" in each} == {
        "no-code"
    }


async def test_the_same_dose_signed_on_two_devices_is_given_once_and_both_words_are_kept(
    sign_in: SignIn, served: ServedDemo, runa: str
) -> None:
    await _keep(served, _order(runa, "Zopiklon", _from_now(15)))
    nurse, doctor = await sign_in("ward-nurse", "phone"), await sign_in("hospital-doctor", "phone")
    for person in (nurse, doctor):
        await _open(person)
        await person.page.get_by_role("checkbox", name="Zopiklon").tap()
    for person in (nurse, doctor):
        person.expected.add(422)
        await person.page.get_by_role("button", name="Ingen strekkode").first.tap()
        await expect(person.page.get_by_role("checkbox", name="Zopiklon")).to_have_count(0)
    await expect(doctor.page.locator("main")).to_contain_text("signert av Magnus Tverdal")
    twice = doctor.page.get_by_role("region", name="Signert to ganger")
    await expect(twice).to_contain_text("Magnus Tverdal")
    await expect(twice).to_contain_text("Ingrid Solemdal")
    await twice.get_by_role("button", name="Det var én dose").tap()
    await expect(twice).to_have_count(0)
    found = await _administrations(served, runa, "Zopiklon")
    assert sorted(each["status"] for each in found) == ["completed", "entered-in-error"]


async def test_a_medicine_that_is_stopped_mid_round_is_told_and_the_others_are_signed(
    sign_in: SignIn, served: ServedDemo, runa: str
) -> None:
    stopped = await _keep(served, _order(runa, "Imovane", _from_now(12)))
    await _keep(served, _order(runa, "Nexium", _from_now(12)))
    nurse = await sign_in("ward-nurse", "phone")
    await _open(nurse)
    for name in ("Imovane", "Nexium"):
        await nurse.page.get_by_role("checkbox", name=name).tap()
    found = (await served.ask(f"MedicationRequest/{stopped}")).json()
    answer = await served.ask(
        f"MedicationRequest/{stopped}", method="PUT", body={**found, "status": "stopped"}
    )
    assert answer.status_code == 200, answer.text
    nurse.expected.add(422)
    await nurse.page.get_by_role("button", name="Ingen strekkode").first.tap()
    await expect(nurse.page.locator("main")).to_contain_text("1 signert")
    await expect(nurse.page.locator("main")).to_contain_text("Imovane: ")
    assert [d["status"] for d in await _administrations(served, runa, "Nexium")] == ["completed"]
    assert await _administrations(served, runa, "Imovane") == []


async def test_an_as_needed_dose_says_what_for_keeps_its_interval_and_asks_how_it_worked(
    sign_in: SignIn, served: ServedDemo, runa: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    for expected in ("1 signert", "For tett"):
        await _open(nurse)
        needed = nurse.page.get_by_role("region", name="Ved behov")
        await needed.locator("summary").filter(has_text="Paracet").tap()
        await expect(needed.get_by_role("textbox", name="Gis for")).to_have_value("smerter")
        nurse.expected.add(422)
        await needed.get_by_role("button", name="Ingen strekkode").tap()
        await expect(nurse.page.locator("main")).to_contain_text(expected)
    await nurse.page.get_by_role("button", name="God effekt").tap()
    await expect(nurse.page.get_by_role("region", name="Hvordan virket den?")).to_have_count(0)
    assert len(await _administrations(served, runa, "Paracet")) == 1


async def test_the_round_is_signed_by_keyboard_and_read_by_everyone(
    sign_in: SignIn, served: ServedDemo, runa: str
) -> None:
    await _keep(served, _order(runa, "Vival", _from_now(25)))
    nurse = await sign_in("ward-nurse", start="")
    await nurse.goto("/rounds")
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await _open(nurse)
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.page.get_by_role("checkbox", name="Vival").focus()
    await nurse.key("Space")
    await nurse.page.get_by_role("button", name="Ingen strekkode").first.focus()
    await nurse.key("Enter")
    await expect(nurse.page.get_by_role("status")).to_contain_text("1 signert")
    for width in (320, 390):
        await nurse.page.set_viewport_size({"width": width, "height": 700})
        assert await nurse.page.evaluate(TOO_WIDE) == []
    phone = await sign_in("ward-nurse", "phone")
    await _open(phone)
    assert await phone.page.evaluate(SMALL) == []


async def _administrations(
    served: ServedDemo, patient: str, name: str = ""
) -> list[dict[str, Any]]:
    answer = await served.ask(f"MedicationAdministration?patient={patient}&_count=100")
    found = [each["resource"] for each in answer.json()["entry"]]
    return [each for each in found if name in each["medicationCodeableConcept"]["text"]]
