"""Acting for others: chosen on a phone and by keyboard, seen all the while, and over at once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from .conftest import SignIn
from .places import named
from .served import ServedDemo
from .test_access_log import readable

pytestmark = pytest.mark.browser

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RESPONSIBILITY = "http://hl7.no/fhir/CodeSystem/no-basis-parental-responsibility"


def tie(tie_id: str, patient: str, number: Any, *codes: tuple[str, str], **more: Any) -> Any:
    return {
        "resourceType": "RelatedPerson", "id": tie_id,
        "patient": {"reference": f"Patient/{patient}"}, "identifier": number,
        "name": [{"given": ["Marit"], "family": "Haugland"}],
        "relationship": [{"coding": [{"system": s, "code": c}]} for s, c in codes],
    } | more  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def ties(served: ServedDemo) -> AsyncIterator[Any]:
    """Writes who acts for whom; at the end nobody does."""
    written: dict[str, Any] = {}
    national = {}
    for who in ("demo-marit", "demo-kare"):
        found = (await served.ask(f"Patient/{who}")).json()["identifier"]
        national[who] = [each for each in found if each["system"].startswith("urn:oid")][:1]

    async def write(tie_id: str, patient: str, by: str, *codes: Any, **more: Any) -> None:
        body = tie(tie_id, patient, national[by], *codes, **more)
        if tie_id in written:
            body["meta"] = written[tie_id]["meta"]
        answer = await served.ask(f"RelatedPerson/{tie_id}", method="PUT", body=body)
        assert answer.status_code in (200, 201), answer.text
        written[tie_id] = answer.json()

    yield write
    for name in written:
        await served.ask(f"RelatedPerson/{name}", method="DELETE")


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_a_mother_goes_to_her_child_s_record_and_back_and_always_sees_whose_it_is(
    sign_in: SignIn, ties: Any, device: str
) -> None:
    await ties("marit-mor", "demo-eira", "demo-marit", (ROLE, "MTH"), (RESPONSIBILITY, "felles"))
    marit = await sign_in("inhabitant", device, fresh=True)
    await marit.goto("/acting")
    assert await readable(marit) == {}
    current = marit.page.locator(".hv-persona[aria-current=true]")
    await expect(current).to_contain_text("deg selv · nå")
    child = named(marit, "Eira")
    if device == "desktop":
        await child.focus()
        await marit.key("Enter")
    else:
        await child.tap()
    await expect(marit.page.locator(".hv-banner h1")).to_contain_text("Eira")
    await expect(marit.page.locator(".hv-notice").first).to_contain_text("Du handler for en annen")
    assert await readable(marit) == {}
    await named(marit, "Endre", exact=True).click()
    await expect(current).to_contain_text("som forelder · nå")
    await named(marit, "Marit Haugland deg selv").click()
    await expect(marit.page.locator(".hv-banner h1")).to_have_text("Marit Haugland")
    await expect(marit.page.locator("body")).not_to_contain_text("Du handler for en annen")


async def test_without_parental_responsibility_a_mother_is_offered_nothing(
    sign_in: SignIn, ties: Any
) -> None:
    await ties("marit-mor", "demo-eira", "demo-marit", (ROLE, "MTH"), (RESPONSIBILITY, "far"))
    marit = await sign_in("inhabitant", fresh=True)
    marit.expected |= {403}
    await marit.goto("/acting")
    await expect(marit.page.locator("main")).to_contain_text("Du handler bare for deg selv")
    assert (await marit.goto("/patient/demo-eira")).status == 403


async def test_a_power_of_attorney_that_is_withdrawn_closes_the_record_that_is_open(
    sign_in: SignIn, ties: Any
) -> None:
    until = {"period": {"end": "2099-12-31"}}
    await ties("marit-for-kare", "demo-kare", "demo-marit", (ROLE, "POWATT"), **until)
    marit = await sign_in("inhabitant", fresh=True)
    marit.expected |= {403}
    await marit.goto("/acting")
    await expect(marit.page.locator("main")).to_contain_text("til og med 31.12.2099")
    await named(marit, "Kåre").click()
    await expect(marit.page.locator(".hv-banner h1")).to_have_text("Kåre Brattli")
    await ties("marit-for-kare", "demo-kare", "demo-marit", (ROLE, "POWATT"), active=False)
    assert (await marit.goto("/patient/demo-kare/medications")).status == 403
    await marit.goto("/")
    await expect(marit.page).to_have_url(re.compile("/acting"))
    await expect(marit.page.get_by_role("status").first).to_contain_text("handler ikke lenger")
    await named(marit, "Marit Haugland deg selv").click()
    await expect(marit.page.locator(".hv-banner h1")).to_have_text("Marit Haugland")


async def test_whoever_gave_a_power_of_attorney_takes_it_back(sign_in: SignIn, ties: Any) -> None:
    named_kare = {"name": [{"given": ["Kåre"], "family": "Brattli"}]}
    await ties("kare-for-marit", "demo-marit", "demo-kare", (ROLE, "POWATT"), **named_kare)
    marit = await sign_in("inhabitant", "phone")
    await marit.goto("/acting")
    row = marit.page.locator(".hv-row", has_text="Kåre Brattli")
    await expect(row).to_contain_text("kan lese, og bestemme")
    await row.locator("summary").tap()
    assert await readable(marit) == {}
    await row.get_by_role("button", name="Trekk tilbake fullmakten").tap()
    await expect(marit.page.locator(".hv-row", has_text="Kåre Brattli")).to_have_count(0)


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_a_power_of_attorney_is_given_on_the_page_and_taken_back(
    sign_in: SignIn, served: ServedDemo, device: str
) -> None:
    marit = await sign_in("inhabitant", device, fresh=True)
    await marit.goto("/acting")
    marit.expected.add(422)
    form = marit.page.locator("form[action='/acting/give']")
    await marit.page.locator("summary", has_text="Gi fullmakt").click()
    await form.locator("[name=name]").fill("Kåre Lund")
    await form.locator("[name=number]").fill("123")
    await form.get_by_role("button", name="Gi fullmakt").click()
    await expect(form).to_contain_text("Dette er ikke et fødselsnummer")
    await expect(form.locator("[name=name]")).to_have_value("Kåre Lund")
    assert await readable(marit) == {}
    kare = (await served.ask("Patient/demo-kare")).json()["identifier"]
    number = next(each["value"] for each in kare if each["system"].startswith("urn:oid"))
    await form.locator("[name=number]").fill(number)
    await form.get_by_role("button", name="Gi fullmakt").click()
    row = marit.page.locator(".hv-row", has_text="Kåre Lund")
    await expect(row).to_contain_text("etter fullmakt, kan lese")
    assert await readable(marit) == {}
    await row.locator("summary").click()
    await named(marit, "Trekk tilbake fullmakten").click()
    await expect(row).to_have_count(0)
