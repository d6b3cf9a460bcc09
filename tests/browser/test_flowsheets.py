"""A flowsheet is filled in by keys, by paste, by what devices sent, and by what is as before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from .conftest import SignIn, Within
from .places import named
from .served import ServedDemo
from .user import User, sit_down

pytestmark = pytest.mark.browser

PATIENT = "demo-gunvor"
SHEETS = f"/patient/{PATIENT}/flowsheets"
OSLO = ZoneInfo("Europe/Oslo")
# What a nurse reads off the patient each hour beside the monitor: by hour of the shift.
TYPED = {
    "consciousness": ("A",) * 12,
    "infusion": ("80",) * 12,
    "urine": ("60", "70", "55", "80", "90", "60", "75", "80", "65", "70", "60", "85"),
    "position": ("R", "", "H", "", "V", "", "R", "", "H", "", "V", ""),
    "pain": ("3", "", "2", "", "2", "", "1", "", "2", "", "1", ""),
    "temperature": ("37,8", "", "", "", "37,6", "", "", "", "37,4", "", "", ""),
    "rass": ("0", "", "", "", "0", "", "", "", "0", "", "", ""),
    "oxygen": ("2", "", "", "", "1", "", "", "", "1", "", "", ""),
    "drink": ("", "150", "", "200", "", "", "200", "", "150", "", "100", ""),
}
# What is set or found once, and is as before all shift.
FIRST = {
    "rhythm": "SR", "perfusion": "V", "support": "N", "fio2": "28", "breath": "N", "sputum": "0",
    "line": "0", "alarm": "J", "mask-skin": "0",
}  # fmt: skip
MONITOR = (("8867-4", "/min", "84"), ("2708-6", "%", "95"), ("9279-1", "/min", "18"))


@pytest_asyncio.fixture(loop_scope="session")
async def tidied(served: ServedDemo) -> AsyncIterator[None]:
    """What a test measures is gone when it is done: others count what stands there."""
    before = await _observations(served)
    yield
    for kind, there in before.items():
        for each in await _ids(served, kind) - there:
            await served.ask(f"{kind}/{each}", method="DELETE")


async def _ids(served: ServedDemo, kind: str) -> set[str]:
    about = "patient" if kind == "Observation" else "subject"
    asked = f"{kind}?{about}=Patient/{PATIENT}&_count=1000&_elements=id"
    answer = await served.ask(asked)
    return {each["resource"]["id"] for each in answer.json().get("entry", ())}


async def _observations(served: ServedDemo) -> dict[str, set[str]]:
    return {kind: await _ids(served, kind) for kind in ("Observation", "Task")}


async def _stored(served: ServedDemo, code: str) -> list[dict[str, Any]]:
    asked = f"Observation?patient={PATIENT}&code={code}&_sort=-date&_count=50"
    answer = await served.ask(asked)
    return [each["resource"] for each in answer.json().get("entry", ())]


async def _sent_by_monitor(served: ServedDemo, times: list[datetime]) -> None:
    """A system with a token writes what a monitor measured, as no person's word yet."""
    entries = [
        {
            "resource": {
                "resourceType": "Observation", "status": "preliminary",
                "category": [{"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                    "code": "vital-signs",
                }]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "subject": {"reference": f"Patient/{PATIENT}"},
                "effectiveDateTime": (at + timedelta(minutes=1)).isoformat(),
                "device": {"display": "Monitor 7"},
                "valueQuantity": {
                    "value": int(value), "unit": unit, "system": "http://unitsofmeasure.org",
                    "code": unit,
                },
            },
            "request": {"method": "POST", "url": "Observation"},
        }
        for at in times for code, unit, value in MONITOR
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await served.ask("", method="POST", body=bundle)
    assert answer.status_code == 200, answer.text


def field(user: User, row: str) -> Locator:
    """The room for a value of a row in the column that is now."""
    cell = user.page.locator(f"tr[data-row='{row}'] td.hv-flow__now")
    return cell.locator("input:not([type=hidden]), select")


async def go_down_to(user: User, place: Locator) -> None:
    """Pass what is left out by Enter, or by arrows to what is as before; each is a key."""
    step = "ArrowDown" if await place.input_value() else "Enter"
    for _press in range(40):
        if await place.evaluate("field => field === document.activeElement"):
            return
        await user.key(step)
    raise AssertionError(f"{step} does not lead to {place}")


async def test_seven_vital_signs_are_typed_down_a_column_and_their_score_shows_by_itself(
    sign_in: SignIn, within_budget: Within, tidied: None
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(f"/patient/{PATIENT}")
    nurse.begin()
    await nurse.press_on(named(nurse, "Observasjonsark"))
    await nurse.press_on(named(nurse, "Observasjonsark, sengepost"))
    await expect(field(nurse, "respiration")).to_be_focused()
    values = ("18", "96", "0", "128/74", "82", "A", "37,2")
    for value in values:
        await nurse.type(value)
        if value != values[-1]:
            await nurse.key("Enter")
    score = nurse.page.locator("td.hv-flow__now.hv-flow__result").first
    await expect(score).to_contain_text("0")
    await expect(score).to_contain_text("Lav")
    await nurse.key("Control+Enter")
    await expect(nurse.page.get_by_text("8 verdier er signert")).to_be_visible()
    within_budget("vital-signs-flowsheet-desktop", nurse.end())


@pytest.mark.parametrize(
    "hours", [pytest.param(3, id="three"), pytest.param(12, id="twelve", marks=pytest.mark.soak)]
)
async def test_a_shift_of_twelve_hours_takes_at_most_three_hundred_entries(
    sign_in: SignIn, within_budget: Within, served: ServedDemo, tidied: None, hours: int
) -> None:
    now = datetime.now(OSLO).replace(minute=0, second=0, microsecond=0)
    times = [now - timedelta(hours=back) for back in range(hours, 0, -1)]
    await _sent_by_monitor(served, times)
    nurse = await sign_in("ward-nurse")
    await nurse.goto(f"{SHEETS}/intensive")
    # Where somebody has measured already, there is nothing to confirm.
    columns = nurse.page.locator(".hv-flow__confirm")
    await expect(columns.first).to_be_visible()
    there = await columns.count()
    assert there >= hours - 1
    nurse.begin()
    entries = 0
    for hour in range(there):
        confirm = columns.first
        number = await confirm.evaluate("e => e.closest('th').dataset.column")
        await nurse.press_on(confirm)
        await expect(columns).to_have_count(there - hour - 1)
        entries += 1
        typed = {row: values[hour] for row, values in TYPED.items() if values[hour]}
        typed |= FIRST if hour == 0 else {}
        rows = await nurse.page.locator(f"[name^='v.{number}.']").evaluate_all(
            "all => all.map(e => e.name.split('.').slice(2).join('.'))"
        )
        # The hours of the shift have passed; when they come, one begins in their column.
        await nurse.press_on(nurse.page.locator(f"[name='v.{number}.{rows[0]}']"))
        if hour:
            await nurse.key("Alt+s")
            entries += 1
        for row in rows:
            if row in typed:
                place = nurse.page.locator(f"[name='v.{number}.{row}']")
                await go_down_to(nurse, place)
                await nurse.type(typed[row], decisions=0)
                entries += 1
        await nurse.key("Control+Enter")
        await expect(nurse.page.locator(".hv-signed")).to_be_visible()
        entries += 1
    took = nurse.end()
    assert entries <= 300 * hours / 12, f"{entries} entries in {hours} hours"
    within_budget("monitored-shift-desktop", took)
    rhythm = await _stored(served, "rhythm")
    assert [bool(each.get("derivedFrom")) for each in rhythm] == [True] * (there - 1) + [False]
    scored = await _stored(served, "1104051000000101")
    assert scored == [] or all(each["derivedFrom"] for each in scored)


async def test_values_are_pasted_from_a_spreadsheet_with_their_answers(
    sign_in: SignIn, tidied: None
) -> None:
    nurse = await sign_in("ward-nurse", permissions=["clipboard-read", "clipboard-write"])
    await nurse.goto(f"{SHEETS}/ward")
    await expect(field(nurse, "respiration")).to_be_focused()
    sheet = "17\n95\n1\n131/77\n88\nVåken (A)\n37,4\n\nabc"
    await nurse.page.evaluate("text => navigator.clipboard.writeText(text)", sheet)
    await nurse.page.keyboard.press("Control+v")
    await expect(field(nurse, "temperature")).to_have_value("37,4")
    await expect(field(nurse, "consciousness")).to_have_value("A")
    await expect(field(nurse, "blood-pressure")).to_have_value("131/77")
    await expect(nurse.page.locator("td.hv-flow__now.hv-flow__result").first).to_contain_text("3")


async def test_as_before_names_its_source_and_what_is_typed_anew_does_not(
    sign_in: SignIn, served: ServedDemo, tidied: None
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(f"{SHEETS}/ward")
    for row, value in (("skin", "B"), ("line", "1"), ("mobility", "K")):
        await field(nurse, row).select_option(value)
    clock = nurse.page.locator("th.hv-flow__now input[inputmode]")
    earlier = datetime.now(OSLO) - timedelta(minutes=20)
    await clock.fill(f"{earlier:%H:%M}")
    if earlier.date() == datetime.now(OSLO).date():
        await nurse.page.keyboard.press("Control+Enter")
        await expect(nurse.page.locator(".hv-signed")).to_be_visible()
        await expect(nurse.page.locator("tr[data-row=skin] [data-typed=B]")).to_be_visible()
        await named(nurse, "Som før").click()
        await expect(field(nurse, "skin")).to_have_value("B")
        await field(nurse, "line").select_option("0")
        await nurse.page.keyboard.press("Control+Enter")
        await expect(nurse.page.locator("tr[data-row=skin] [data-typed=B]")).to_have_count(2)
        skin, line = await _stored(served, "skin"), await _stored(served, "line")
        assert skin[0]["derivedFrom"] == [{"reference": f"Observation/{skin[1]['id']}"}]
        assert "derivedFrom" not in line[0]
        assert line[0]["valueCodeableConcept"]["text"] == "Uten anmerkning"


async def test_a_high_score_calls_the_responsible_doctor_by_name(
    sign_in: SignIn, served: ServedDemo, tidied: None
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(f"{SHEETS}/ward")
    for value in ("26", "88", "4", "88/50", "128", "V", "39,2"):
        await nurse.page.keyboard.type(value)
        await nurse.page.keyboard.press("Enter")
    await expect(nurse.page.locator("td.hv-flow__now.hv-flow__result").first).to_contain_text("Høy")
    await nurse.page.keyboard.press("Control+Enter")
    await expect(nurse.page.locator(".hv-signed")).to_be_visible()
    answer = await served.ask(f"Task?subject=Patient/{PATIENT}&_sort=-_lastUpdated&_count=5")
    task = answer.json()["entry"][0]["resource"]
    assert task["priority"] == "stat"
    assert task["owner"]["reference"].startswith("Practitioner/")
    due = datetime.fromisoformat(task["restriction"]["period"]["end"])
    assert due - datetime.now(UTC) <= timedelta(minutes=15)
    assert any("escalation" in each["url"] for each in task["extension"])
    assert task["focus"]["reference"].startswith("Observation/")


async def test_a_value_is_corrected_with_a_reason_and_its_score_follows(
    sign_in: SignIn, served: ServedDemo, tidied: None
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(f"{SHEETS}/ward")
    for value in ("17", "97", "0", "126/74", "84", "A", "37,0"):
        await nurse.page.keyboard.type(value)
        await nurse.page.keyboard.press("Enter")
    await nurse.page.keyboard.press("Control+Enter")
    await expect(nurse.page.locator(".hv-signed")).to_be_visible()
    await nurse.page.locator("tr[data-row=respiration] [data-typed='17']").last.click()
    detail = nurse.page.locator(".hv-flow__detail")
    await detail.get_by_label("Ny verdi").fill("27")
    await detail.get_by_label("Hvorfor det rettes").fill("Tastefeil")
    await detail.get_by_role("button", name="Rett", exact=True).click()
    await expect(nurse.page.locator("tr[data-row=respiration] [data-typed='27']")).to_be_visible()
    breath = (await _stored(served, "9279-1"))[0]
    assert (breath["status"], breath["note"][-1]["text"]) == ("corrected", "Tastefeil")
    score = (await _stored(served, "1104051000000101"))[0]
    assert (score["status"], score["valueQuantity"]["value"]) == ("corrected", 3)


async def test_what_is_typed_outlives_a_browser_that_crashes(
    sign_in: SignIn, browser: Browser, served: ServedDemo, tidied: None
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto(f"{SHEETS}/fluid-balance")
    await expect(field(nurse, "drink")).to_be_focused()
    await nurse.page.keyboard.type("250")
    await nurse.page.wait_for_timeout(1900)
    state = await nurse.context.storage_state()
    await nurse.context.close()
    again = await sit_down(browser, served.address, "desktop", storage_state=state)
    await again.goto(f"{SHEETS}/fluid-balance")
    typed = again.page.locator("tr[data-row=drink] input:not([type=hidden])")
    await expect(again.page.locator("#flow-balance")).to_contain_text("250")
    assert "250" in await typed.evaluate_all("all => all.map(e => e.value)")
    await typed.last.focus()
    for box in await typed.all():
        await box.fill("")
    await again.page.wait_for_timeout(1500)
    await again.close()
