"""Bags, infusions, doses outside the plan and two devices at once, on the phone of who gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from .conftest import SignIn
from .places import named, token_of
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious
from .test_rounds import WARD, _administrations, _from_now, _keep, _order
from .user import User

pytestmark = pytest.mark.browser

BAGGED = ("Nycoplus", "Ezetrol", "Zyloric")
MULTIDOSE = {"url": "http://helsevev.no/fhir/StructureDefinition/multidose", "valueBoolean": True}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bo(served: ServedDemo) -> AsyncIterator[str]:
    """Somebody on the ward with a bag, an infusion, one dose, and an order that was stopped."""
    patient = await _keep(served, {
        "resourceType": "Patient", "name": [{"family": "Posemo", "given": ["Bo"]}],
        "gender": "male", "birthDate": "1948-05-06",
    })  # fmt: skip
    await _keep(served, {
        "resourceType": "Encounter", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"}, "serviceProvider": {"reference": WARD},
        "location": [{"location": {"display": "Rom 7"}, "status": "active"}],
        "period": {"start": "2026-01-01"},
    })  # fmt: skip
    at = _from_now(25)
    for name in BAGGED:
        await _keep(served, {**_order(patient, name, at), "extension": [MULTIDOSE]})
    oral = {**_from_now(20), "route": {"text": "Oral bruk"}}
    await _keep(served, _order(patient, "Burinex", oral))
    infusion = _order(patient, "Ringer-acetat", {})
    infusion["dosageInstruction"] = [{
        "doseAndRate": [{"rateQuantity": {"value": 80, "unit": "ml/t"}}],
    }]  # fmt: skip
    await _keep(served, infusion)
    ingrid = (await served.ask("Practitioner?name=Solemdal")).json()["entry"][0]["resource"]["id"]
    stopped = _order(patient, "Digoksin", _from_now(15))
    stopped["requester"] = {"reference": f"Practitioner/{ingrid}", "display": "Ingrid Solemdal"}
    await _keep(served, {**stopped, "status": "stopped", "statusReason": {"text": "Bradykardi"}})
    yield patient


async def _open(user: User) -> None:
    await user.goto("/rounds")
    await named(user, "Bo Posemo").click()
    await expect(user.page.get_by_role("heading", name="Doser")).to_be_visible()


async def test_a_bag_is_signed_in_one_action_but_for_what_was_not_given(
    sign_in: SignIn, served: ServedDemo, bo: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await _open(nurse)
    assert await serious(nurse.page) == {"light": [], "dark": []}
    assert await nurse.page.evaluate(TOO_WIDE) == []
    assert await nurse.page.evaluate(SMALL) == []
    bag = nurse.page.locator("form .hv-row").filter(has_text="Multidosepose")
    await bag.get_by_role("checkbox").tap()
    await bag.get_by_text("Ikke gitt: Ezetrol").tap()
    await bag.get_by_role("combobox").select_option(label="Kvalme eller oppkast")
    await nurse.page.get_by_role("button", name="Ingen strekkode").first.tap()
    await expect(nurse.page.get_by_role("status").first).to_contain_text("3 signert")
    found = {
        name: [each["status"] for each in await _administrations(served, bo, name)]
        for name in BAGGED
    }
    assert found == {"Nycoplus": ["completed"], "Ezetrol": ["not-done"], "Zyloric": ["completed"]}


async def test_an_infusion_is_started_slowed_paused_and_ended_and_says_how_much_was_given(
    sign_in: SignIn, served: ServedDemo, bo: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await _open(nurse)
    panel = nurse.page.get_by_role("region", name="Infusjoner")
    await panel.locator("summary").filter(has_text="Start").tap()
    nurse.expected.add(422)
    await panel.get_by_label("Hastighet", exact=True).fill("81")
    await panel.get_by_role("button", name="Ingen strekkode").tap()
    await expect(nurse.page.locator("main")).to_contain_text("over den høyeste")
    await panel.locator("summary").filter(has_text="Start").tap()
    await panel.get_by_role("button", name="Ingen strekkode").tap()
    await expect(panel).to_contain_text("gitt hittil")
    for button, said in (("Pause", "pauset"), ("La den gå igjen", "går")):
        await panel.locator("summary").filter(has_text="Endre").tap()
        await panel.get_by_role("button", name=button, exact=True).tap()
        await expect(panel).to_contain_text(said)
    await panel.locator("summary").filter(has_text="Endre").tap()
    await panel.get_by_label("Ny hastighet").fill("40")
    await panel.get_by_role("button", name="Still hastigheten").tap()
    await expect(panel).to_contain_text("Ordinert nå: 80 ml/t")
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await panel.locator("summary").filter(has_text="Endre").tap()
    await panel.get_by_role("button", name="Ferdig").tap()
    await expect(panel.locator("summary").filter(has_text="Start")).to_be_visible()
    (kept,) = await _administrations(served, bo, "Ringer-acetat")
    rates = [
        part["valueQuantity"]["value"]
        for each in kept["extension"] if each["url"].endswith("infusion-rate")
        for part in each["extension"] if part["url"] == "rate"
    ]  # fmt: skip
    assert (kept["status"], rates) == ("completed", [80, 0, 80, 40, 0])
    assert kept["effectivePeriod"]["end"]


async def test_a_dose_of_a_stopped_order_is_recorded_and_acknowledged_in_one_press(
    sign_in: SignIn, served: ServedDemo, bo: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await _open(nurse)
    await nurse.page.get_by_role("link", name="Før en dose gitt utenom planen").tap()
    await expect(nurse.page.get_by_role("heading", name="Gitt utenom planen")).to_be_visible()
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.page.get_by_role("link", name="Digoksin").tap()
    sign = nurse.page.get_by_role("button", name="Signer utenom planen")
    nurse.expected.add(422)
    await expect(sign).to_be_visible()
    await sign.tap()
    await expect(nurse.page.locator("main")).to_contain_text("Skriv med ord hvorfor")
    await nurse.page.get_by_label("Gitt, men ordinasjonen var stoppet").tap()
    await nurse.page.get_by_label("Hva skjedde?").fill("Ga den før stoppen ble sett")
    assert await serious(nurse.page) == {"light": [], "dark": []}
    assert await nurse.page.evaluate(TOO_WIDE) == []
    await sign.tap()
    outside = nurse.page.get_by_role("region", name="Gitt utenom planen")
    await expect(outside).to_contain_text("venter på Ingrid Solemdal")
    doctor = await sign_in("hospital-doctor")
    await doctor.goto("/")
    await doctor.page.get_by_role("link", name="utenom planen venter på deg").click()
    row = doctor.page.locator(".hv-row").filter(has_text="Digoksin")
    await expect(row).to_contain_text("Bo Posemo")
    assert await serious(doctor.page) == {"light": [], "dark": []}
    await row.get_by_role("button", name="Bekreft").click()
    await expect(row).to_have_count(0)
    await _open(nurse)
    await expect(outside).to_contain_text("bekreftet")
    (kept,) = await _administrations(served, bo, "Digoksin")
    assert kept["status"] == "completed"


async def test_two_devices_that_sign_in_the_same_moment_give_one_dose_and_one_conflict_to_see(
    sign_in: SignIn, served: ServedDemo, bo: str
) -> None:
    nurse, doctor = await sign_in("ward-nurse", "phone"), await sign_in("hospital-doctor", "phone")
    forms: list[tuple[User, dict[str, str | float | bool]]] = []
    for person in (nurse, doctor):
        await _open(person)
        key = await person.page.get_by_role("checkbox", name="Burinex").get_attribute("value")
        forms.append((person, {
            "patient": bo, "give": key or "", "scan": "no-code",
            "_csrf_token": await token_of(person),
        }))  # fmt: skip
    answers = await asyncio.gather(*(
        person.context.request.post(f"{person.address}/rounds/{bo}", form=form)
        for person, form in forms for _press in range(2)
    ))  # fmt: skip
    assert {answer.status for answer in answers} <= {200, 422}
    found = await _administrations(served, bo, "Burinex")
    assert sorted(each["status"] for each in found) == ["completed", "unknown"]
    for person in (nurse, doctor):
        await person.goto(f"/rounds/{bo}")
        twice = person.page.get_by_role("region", name="Signert to ganger")
        await expect(twice).to_have_count(1)
        await expect(twice).to_contain_text("Magnus Tverdal")
        await expect(twice).to_contain_text("Ingrid Solemdal")
    await twice.get_by_role("button", name="Det var én dose").tap()
    await expect(twice).to_have_count(0)


async def test_a_round_is_narrowed_and_the_address_remembers_it(sign_in: SignIn, bo: str) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto("/rounds")
    await nurse.page.locator("summary").filter(has_text="Avgrens runden").tap()
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.page.get_by_label("Rom", exact=True).select_option(label="Rom 7")
    await nurse.page.get_by_role("button", name="Vis", exact=True).tap()
    await expect(named(nurse, "Bo Posemo")).to_be_visible()
    await expect(named(nurse, "Kåre Brattli")).to_have_count(0)
    assert "room=Rom+7" in nurse.page.url
    await nurse.page.reload()
    await expect(named(nurse, "Kåre Brattli")).to_have_count(0)
    stranger = await sign_in("health-station-nurse")
    await stranger.goto("/rounds")
    await expect(named(stranger, "Bo Posemo")).to_have_count(0)
    stranger.expected.add(403)
    await stranger.goto(f"/rounds/{bo}")
    await expect(stranger.page.locator("body")).not_to_contain_text("Ringer-acetat")


async def test_everybody_reads_the_times_of_a_unit_and_who_does_not_lead_it_sets_none(
    sign_in: SignIn, bo: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto("/rounds/times")
    await expect(nurse.page.locator("main")).to_contain_text("08:00 20:00")
    await expect(nurse.page.get_by_text("Sett andre klokkeslett")).to_have_count(0)
    assert await serious(nurse.page) == {"light": [], "dark": []}
    leader = await sign_in("nursing-home-manager", "phone")
    await leader.goto("/rounds/times")
    await leader.page.get_by_text("Sett andre klokkeslett").tap()
    await leader.page.get_by_label("2 doser i døgnet").fill("07 19")
    assert await serious(leader.page) == {"light": [], "dark": []}
    await leader.page.get_by_role("button", name="Sett klokkeslettene").tap()
    await expect(leader.page.get_by_role("status")).to_contain_text("Klokkeslettene er satt")
    await expect(leader.page.locator("main")).to_contain_text("07:00 19:00")
