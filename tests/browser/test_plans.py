"""Plans from the chart to the list and back: begun, documented in one press, evaluated, decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from .conftest import SignIn
from .places import named
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious
from .test_rounds import WARD, _keep
from .user import User

pytestmark = pytest.mark.browser

ICD = "http://hl7.org/fhir/sid/icd-10-no"
COPD = "Kols-forverring på sengepost"
NEED = "http://helsevev.no/fhir/follow-up"
KIND = "http://helsevev.no/fhir/CodeSystem/planned-task"


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(served: ServedDemo) -> tuple[str, str]:
    """(id, family name) of somebody on the ward with COPD, for whom nobody has planned anything."""
    family = f"Planmo{uuid4().hex[:6]}"
    patient = await _keep(served, {
        "resourceType": "Patient", "name": [{"family": family, "given": ["Pål"]}],
        "gender": "male", "birthDate": "1950-02-03",
    })  # fmt: skip
    about = {"reference": f"Patient/{patient}"}
    await _keep(served, {
        "resourceType": "Encounter", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": about, "serviceProvider": {"reference": WARD, "display": "Lunge"},
        "period": {"start": "2026-01-01"},
    })  # fmt: skip
    await _keep(served, {
        "resourceType": "Condition", "subject": about,
        "code": {"text": "Kols", "coding": [{"system": ICD, "code": "J44.1"}]},
    })  # fmt: skip
    return patient, family


async def _begin(user: User, patient: str, plan: str, press: str = "Start planen") -> None:
    await user.goto(f"/patient/{patient}/plans")
    await user.press_on(user.page.get_by_role("link", name="Ny plan"))
    await user.press_on(user.page.get_by_role("link", name=plan, exact=True))
    await user.press_on(user.page.get_by_role("button", name=press))
    await expect(user.page.get_by_role("heading", name=plan, level=2)).to_be_visible()


def _task(user: User, title: str) -> Locator:
    return user.page.locator("li[id^=task-]").filter(has_text=title).first


async def test_a_plan_for_the_problem_is_begun_in_three_presses_and_a_task_done_in_one(
    sign_in: SignIn, somebody: tuple[str, str]
) -> None:
    nurse = await sign_in("ward-nurse")
    patient, _family = somebody
    nurse.begin()
    await _begin(nurse, patient, COPD)
    assert nurse.end().clicks == 3
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.goto(f"/patient/{patient}/plans")
    plans = nurse.page.locator("#panel-plans")
    await expect(plans).to_contain_text("Kols")
    await expect(plans).to_contain_text("SpO₂ 88–92 % og normal pH")
    await expect(plans).to_contain_text("Hver 4. time")
    score = _task(nurse, "NEWS2 på skala 2")
    await score.get_by_role("button", name="Utført").click()
    await expect(_task(nurse, "NEWS2 på skala 2")).to_contain_text("Magnus Tverdal")
    # What was pressed by mistake is taken back in one press, too.
    await _task(nurse, "NEWS2 på skala 2").get_by_role("button", name="Angre").click()
    await expect(
        _task(nurse, "NEWS2 på skala 2").get_by_role("button", name="Utført")
    ).to_be_visible()


async def test_what_was_not_done_says_why_on_the_phone(
    sign_in: SignIn, somebody: tuple[str, str]
) -> None:
    nurse = await sign_in("ward-nurse", "phone")
    patient, _family = somebody
    await _begin(nurse, patient, COPD)
    await nurse.goto(f"/patient/{patient}/plans")
    assert await nurse.page.evaluate(TOO_WIDE) == []
    assert await nurse.page.evaluate(SMALL) == []
    row = _task(nurse, "NEWS2 på skala 2")
    await row.locator("summary").click()
    await row.get_by_label("Ønsket det ikke").check()
    await row.get_by_role("button", name="Lagre som ikke utført").click()
    await expect(_task(nurse, "NEWS2 på skala 2")).to_contain_text("Ønsket det ikke")
    assert await serious(nurse.page) == {"light": [], "dark": []}


async def _planned(served: ServedDemo, patient: str, title: str) -> None:
    at = datetime.now(UTC) - timedelta(minutes=30)
    period = {"start": f"{at:%FT%TZ}", "end": f"{at + timedelta(hours=2):%FT%TZ}"}
    await _keep(served, {
        "resourceType": "Task", "status": "requested", "intent": "order",
        "identifier": [{"system": NEED, "value": f"plan.m.{uuid4().hex}"}],
        "code": {"coding": [{"system": KIND, "code": "measure"}], "text": title},
        "for": {"reference": f"Patient/{patient}"}, "owner": {"reference": WARD},
        "executionPeriod": {"start": period["start"]}, "restriction": {"period": period},
    })  # fmt: skip


async def test_all_that_is_due_for_one_patient_is_done_in_one_press(
    sign_in: SignIn, served: ServedDemo, somebody: tuple[str, str]
) -> None:
    patient, family = somebody
    for title in ("Vekt", "Munnstell"):
        await _planned(served, patient, title)
    nurse = await sign_in("ward-nurse", "phone")
    await nurse.goto("/measures")
    mine = nurse.page.locator("section.hv-panel").filter(has_text=family)
    await expect(mine).to_contain_text("Munnstell")
    await mine.get_by_role("button", name="Alle 2 som skal gjøres nå").click()
    await expect(mine.get_by_text("Magnus Tverdal")).to_have_count(2)
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.goto("/measures")
    await expect(nurse.page.locator("main")).not_to_contain_text(family)


async def test_a_measure_of_ones_own_is_added_evaluated_and_ended(
    sign_in: SignIn, somebody: tuple[str, str]
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected.add(422)
    patient, _family = somebody
    await nurse.goto(f"/patient/{patient}/plans/new?kind=care")
    await named(nurse, "Start planen").click()
    await nurse.page.get_by_label("Hva som skal nås").fill("Sover seks timer")
    await named(nurse, "Legg til målet").click()
    await nurse.page.get_by_label("Hva som skal gjøres").fill("Stille på rommet etter 22")
    await nurse.page.get_by_label("Hvor ofte").select_option("days")
    await named(nurse, "Legg til tiltaket").click()
    # What is missing is said at its field, and what was typed is kept.
    await expect(nurse.page.locator("#measure")).to_contain_text("Velg dagene.")
    await expect(nurse.page.get_by_label("Hva som skal gjøres")).to_have_value(
        "Stille på rommet etter 22"
    )
    for day in ("mandag", "torsdag"):
        await nurse.page.get_by_label(day).check()
    await nurse.page.get_by_label("Klokkeslett").fill("22")
    await nurse.page.get_by_label("Sover seks timer").first.check()
    await named(nurse, "Legg til tiltaket").click()
    plan = nurse.page.locator("section[aria-labelledby=plan-title]")
    await expect(plan).to_contain_text("Mandag og torsdag kl. 22:00")
    await (
        nurse.page.get_by_role("group", name="Sover seks timer")
        .get_by_label("Nådd", exact=True)
        .check()
    )
    await nurse.page.get_by_label("Hvordan planen virker").fill("Sov godt i natt")
    await named(nurse, "Signer evalueringen").click()
    await expect(plan).to_contain_text("Sov godt i natt")
    await expect(plan).to_contain_text("Nådd")
    await nurse.page.get_by_text("Avslutt planen").first.click()
    await nurse.page.get_by_label("Den er gjennomført").check()
    await nurse.page.locator("#end-words").fill("Målet er nådd")
    await nurse.page.get_by_role("button", name="Avslutt planen").click()
    await nurse.page.get_by_text("Avsluttede planer").click()
    await expect(nurse.page.locator("#panel-plans")).to_contain_text("Målet er nådd")


async def test_a_pathway_shows_its_deadlines_and_a_step_taken_moves_the_next(
    sign_in: SignIn, somebody: tuple[str, str]
) -> None:
    nurse = await sign_in("ward-nurse")
    patient, family = somebody
    await _begin(nurse, patient, "Pakkeforløp for lungekreft", "Start forløpet")
    await nurse.goto("/pathways")
    row = nurse.page.locator("li").filter(has_text=family)
    await expect(row).to_contain_text("0 av 5 steg")
    await row.get_by_role("link").first.click()
    first = nurse.page.get_by_role("listitem", name="Første fremmøte, utredning startet")
    await first.get_by_role("button", name="Gjort i dag").click()
    await nurse.goto("/pathways")
    await expect(row).to_contain_text("1 av 5 steg")
    assert await serious(nurse.page) == {"light": [], "dark": []}


async def test_a_decision_rests_on_functions_and_begins_a_service(
    sign_in: SignIn, somebody: tuple[str, str]
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected.add(422)
    patient, _family = somebody
    await nurse.goto(f"/patient/{patient}/plans")
    await named(nurse, "Nytt vedtak").click()
    await nurse.page.get_by_role("link", name="Helsetjenester i hjemmet").click()
    await nurse.page.get_by_label("Hvor mye").fill("3,5")
    await nurse.page.get_by_label("Begrunnelse").fill("Trenger hjelp til medisiner og stell.")
    await named(nurse, "Fatt vedtaket").click()
    await expect(nurse.page.locator("main")).to_contain_text("Funksjon må være vurdert")
    await nurse.page.get_by_role("link", name="Vurder funksjon").click()
    for function in ("Ivareta egen helse", "Personlig hygiene", "På- og avkledning"):
        group = nurse.page.get_by_role("group", name=function)
        await group.get_by_label("3 Trenger noe bistand").check()
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await named(nurse, "Signer vurderingen").click()
    await nurse.page.get_by_label("Hvor mye").fill("3,5")
    await nurse.page.get_by_label("Begrunnelse").fill("Trenger hjelp til medisiner og stell.")
    await named(nurse, "Fatt vedtaket").click()
    letter = nurse.page.locator("main")
    await expect(letter).to_contain_text("3,5 timer i uka")
    await expect(letter).to_contain_text("Du kan klage innen 4 uker")
    assert await serious(nurse.page) == {"light": [], "dark": []}
    await nurse.goto(f"/patient/{patient}/plans")
    await expect(nurse.page.locator("#panel-plans")).to_contain_text("3,5 timer i uka")
    await nurse.goto(f"/patient/{patient}/contacts")
    await expect(nurse.page.locator("#panel-contacts")).to_contain_text("Helsetjenester i hjemmet")


async def test_an_individual_plan_has_a_coordinator_and_the_persons_consent(
    sign_in: SignIn, somebody: tuple[str, str]
) -> None:
    nurse = await sign_in("ward-nurse")
    nurse.expected.add(422)
    patient, _family = somebody
    await nurse.goto(f"/patient/{patient}/plans/new?kind=individual")
    await named(nurse, "Start planen").click()
    await expect(nurse.page.locator("main")).to_contain_text("lages med personens samtykke")
    await nurse.page.get_by_label("Hva som er viktig").fill("Å synge i koret")
    await nurse.page.get_by_label("Samtykke").fill("Sa ja til meg i dag")
    await named(nurse, "Start planen").click()
    await expect(nurse.page.locator("dl").first).to_contain_text("Magnus Tverdal")
    await nurse.goto(f"/patient/{patient}/plans")
    await expect(nurse.page.locator("#panel-plans")).to_contain_text("Å synge i koret")


@pytest.mark.parametrize(
    ("persona", "patient", "shown"),
    [
        ("home-care-nurse", "aslaug", "Hverdagsrehabilitering"),
        pytest.param(
            "nursing-home-nurse",
            "dagny",
            "Rolige kvelder uten beroligende legemidler",
            marks=pytest.mark.soak,
        ),
        ("ward-nurse", "kare", "NEWS2 på skala 2"),
        pytest.param(
            "health-station-nurse", "eira", "Følger sin egen kurve", marks=pytest.mark.soak
        ),
    ],
)
async def test_the_demo_shows_plans_wherever_one_works(
    sign_in: SignIn, persona: str, patient: str, shown: str
) -> None:
    nurse = await sign_in(persona)
    await nurse.goto(f"/patient/demo-{patient}/plans")
    await expect(nurse.page.locator("#panel-plans")).to_contain_text(shown)
    await nurse.goto(f"/patient/demo-{patient}/plans/together")
    assert await serious(nurse.page) == {"light": [], "dark": []}


async def test_inhabitants_read_their_plans_and_change_nothing(sign_in: SignIn) -> None:
    marit = await sign_in("inhabitant", "phone")
    await marit.goto("/patient/demo-marit/plans")
    plans = marit.page.locator("#panel-plans")
    await expect(plans).to_contain_text("Såret er lukket")
    for button in ("Utført", "Ny plan", "Nytt vedtak"):
        await expect(plans.get_by_text(button, exact=True)).to_have_count(0)
    assert await marit.page.evaluate(TOO_WIDE) == []
