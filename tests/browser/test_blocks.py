"""Blocks as people meet them: placed on a phone, by keyboard, on request; and met by staff."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from .conftest import SignIn
from .places import named
from .served import ServedDemo
from .test_access_log import readable
from .user import User

pytestmark = pytest.mark.browser

MARIT = "/patient/demo-marit"
STAY: dict[str, Any] = {
    "resourceType": "Encounter", "id": "marit-on-the-ward", "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
    "subject": {"reference": "Patient/demo-marit"},
    "serviceProvider": {"reference": "Organization/st-olavs-lunge"},
}  # fmt: skip
LOW: dict[str, Any] = {
    "resourceType": "Condition", "id": "marit-low", "subject": {"reference": "Patient/demo-marit"},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-no", "code": "F32.1"}],
             "text": "Tung tid etter dødsfall"},
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def on_the_ward(served: ServedDemo) -> Any:
    """Marit is on the ward where the nurse works, with an entry that she may want for herself."""
    for resource in (STAY, LOW):
        path = f"{resource['resourceType']}/{resource['id']}"
        answer = await served.ask(path, method="PUT", body=resource)
        assert answer.status_code in (200, 201), answer.text
    yield
    for resource in (LOW, STAY):
        path = f"{resource['resourceType']}/{resource['id']}"
        assert (await served.ask(path, method="DELETE")).status_code in (200, 204)


async def choose(user: User, label: str) -> None:
    """Choose an option by what it is called."""
    await user.page.get_by_label(label, exact=True).check()


async def lift_all(user: User) -> None:
    """Lift every block that holds."""
    for _ in range(5):
        await user.goto(f"{MARIT}/blocks")
        row = user.page.locator(".hv-block").first
        if not await row.count():
            return
        await row.locator("summary").click()
        await row.get_by_role("button", name="Opphev sperringen").click()


async def test_she_blocks_a_category_on_her_phone_and_staff_see_that_something_is_withheld(
    sign_in: SignIn, on_the_ward: None
) -> None:
    nurse = await sign_in("ward-nurse", start="")
    nurse.expected |= {403}
    await nurse.goto(MARIT)
    await expect(nurse.page.locator("main")).to_contain_text("Tung tid etter dødsfall")

    marit = await sign_in("inhabitant", "phone")
    await marit.page.locator(".hv-me").tap()
    await marit.page.get_by_role("link", name="Sperringer").tap()
    await expect(marit.page.locator("main")).to_contain_text("Ingenting er sperret")
    assert await readable(marit) == {}
    await named(marit, "Legg inn en sperring").tap()
    marit.expected |= {422}
    await named(marit, "Neste").tap()
    await expect(marit.page.locator("main")).to_contain_text("Velg hvem som holdes ute")
    await marit.page.get_by_role("searchbox").first.fill("Lunge")
    await named(marit, "Finn", exact=True).tap()
    await marit.page.get_by_label("Lungemedisinsk").first.check()
    assert await readable(marit) == {}
    await named(marit, "Neste").tap()
    await choose(marit, "Psykisk helse")
    assert await readable(marit) == {}
    await named(marit, "Neste").tap()
    await expect(marit.page.locator("main")).to_contain_text("at noe er skjult, men ikke hva")
    await expect(marit.page.locator("main")).to_contain_text("De må skrive hvorfor")
    assert await readable(marit) == {}
    await named(marit, "Legg inn sperringen").tap()
    await expect(marit.page.get_by_role("status").first).to_contain_text("gjelder fra nå")
    await expect(marit.page.locator(".hv-block")).to_contain_text("Psykisk helse")
    await expect(marit.page.locator(".hv-block")).to_contain_text("lagt inn av Marit Haugland")
    assert await readable(marit) == {}

    await nurse.goto(MARIT)
    await expect(nurse.page.get_by_role("note")).to_contain_text("skjult for deg")
    assert "Tung tid" not in await nurse.text()
    assert "sperre" not in (await nurse.page.locator("main").inner_text()).lower()

    await lift_all(marit)
    await nurse.goto(MARIT)
    await expect(nurse.page.locator("main")).to_contain_text("Tung tid etter dødsfall")


async def test_by_keyboard_alone_she_closes_her_record_to_all_and_opens_it_again(
    sign_in: SignIn, on_the_ward: None
) -> None:
    marit = await sign_in("inhabitant")
    await marit.goto(f"{MARIT}/blocks/new")
    everyone = marit.page.get_by_label("Alle i helsetjenesten", exact=True)
    await everyone.focus()
    await marit.key("Space")
    await expect(everyone).to_be_checked()
    await marit.key("Enter")
    await expect(marit.page.get_by_role("heading", level=1)).to_have_text("Hva skal de ikke se?")
    await marit.page.get_by_label("Hele journalen", exact=True).focus()
    await marit.key("Space")
    await marit.key("Enter")
    await expect(marit.page.get_by_role("heading", level=1)).to_have_text("Dette gjør sperringen")
    assert await readable(marit) == {}
    await named(marit, "Legg inn sperringen").focus()
    await marit.key("Enter")
    await expect(marit.page.locator(".hv-block")).to_contain_text("Alle i helsetjenesten")

    nurse = await sign_in("ward-nurse", start="")
    nurse.expected |= {403}
    await nurse.goto(MARIT)
    await expect(nurse.page.get_by_role("heading", level=1)).to_have_text(
        "Pasienten har sperret denne journalen"
    )

    row = marit.page.locator(".hv-block").first
    await row.locator("summary").focus()
    await marit.key("Enter")
    await marit.key("Tab")
    await marit.key("Enter")
    await expect(marit.page.get_by_role("status").first).to_contain_text("kan ses igjen")
    assert (await nurse.goto(MARIT)).status == 200


async def test_who_is_set_to_it_registers_a_block_and_sees_nothing_of_the_record(
    sign_in: SignIn, on_the_ward: None
) -> None:
    keeper = await sign_in("block-keeper", start="/")
    keeper.expected |= {403, 422}
    await expect(keeper.page.get_by_role("heading", level=1)).to_have_text("Registrer en sperring")
    await keeper.page.get_by_role("searchbox").fill("Marit Haugland")
    await named(keeper, "Finn", exact=True).click()
    await named(keeper, "Marit Haugland").click()
    await named(keeper, "Legg inn en sperring").click()
    await keeper.page.get_by_role("searchbox").fill("Tverdal")
    await named(keeper, "Finn", exact=True).click()
    await keeper.page.get_by_label("Magnus Tverdal").check()
    await named(keeper, "Neste").click()
    assert "Tung tid" not in await keeper.text()
    await choose(keeper, "Hele journalen")
    await keeper.page.locator("form.hv-form").evaluate("form => form.noValidate = true")
    await named(keeper, "Neste").click()
    await expect(keeper.page.locator("main")).to_contain_text("Skriv hvordan det ble bedt om")
    await keeper.page.get_by_label("Hvordan det ble bedt om").fill("Brev av 12. mars, legitimert")
    await named(keeper, "Neste").click()
    await expect(keeper.page.locator("main")).to_contain_text("heller ikke åpne det i en nødssitua")
    await named(keeper, "Legg inn sperringen").click()
    await expect(keeper.page.locator(".hv-block")).to_contain_text("Solveig Bruset")
    assert await readable(keeper) == {}
    assert (await keeper.goto(MARIT)).status == 403

    nurse = await sign_in("ward-nurse", start="")
    nurse.expected |= {403}
    assert (await nurse.goto(MARIT)).status == 403
    await expect(nurse.page.locator("[name=ground]")).to_have_count(0)

    marit = await sign_in("inhabitant")
    await marit.goto(f"{MARIT}/access")
    await expect(marit.page.locator("main")).to_contain_text("Registrerte det du hadde bedt om")
    await lift_all(marit)
    assert (await nurse.goto(MARIT)).status == 200


async def test_blocks_of_others_are_nobody_s_to_see(sign_in: SignIn) -> None:
    for persona in ("ward-nurse", "administrator", "privacy-officer"):
        somebody = await sign_in(persona, start="")
        somebody.expected |= {403}
        for path in (f"{MARIT}/blocks", f"{MARIT}/blocks/new", "/blocks"):
            assert (await somebody.goto(path)).status == 403, (persona, path)
    marit = await sign_in("inhabitant")
    marit.expected |= {403}
    assert (await marit.goto("/patient/demo-aslaug/blocks")).status == 403
