"""Scanning at the bedside: a camera's picture of what was printed, and a scanner that types."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from helsevev.medication.catalogue import demo
from helsevev.medication.catalogue.resources import medication
from helsevev.medication.scanning import own_codes

from .conftest import ARGUMENTS, SignIn, Within
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious
from .user import User, sit_down

pytestmark = pytest.mark.browser

WARD = "Organization/st-olavs-lunge"
PACKED = {product.name: (product, package) for product, package in demo.packed()}
FRAMES = 25
"""Frames in a second of the camera's picture."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sara(served: ServedDemo) -> AsyncIterator[str]:
    """Somebody on the ward with medicines due that the demo has packages of."""
    patient = await _keep(served, {
        "resourceType": "Patient", "name": [{"family": "Skannestad", "given": ["Sara"]}],
        "gender": "female", "birthDate": "1948-05-06",
    })  # fmt: skip
    stay = {
        "resourceType": "Encounter", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"}, "serviceProvider": {"reference": WARD},
        "period": {"start": "2026-01-01"},
    }  # fmt: skip
    stay_id = await _keep(served, stay)
    for name in ("Paracet tab 500 mg", "Selo-Zok depottab 50 mg", "Diural tab 40 mg"):
        await _keep(served, _order(patient, name))
    stopped = _order(patient, "Prednisolon tab 20 mg")
    await _keep(served, stopped | {"status": "stopped", "statusReason": {"text": "Delirium"}})
    yield patient
    now = datetime.now(UTC).isoformat()
    ended = stay | {
        "id": stay_id,
        "status": "finished",
        "period": {"start": "2026-01-01", "end": now},
    }
    await served.ask(f"Encounter/{stay_id}", method="PUT", body=ended)


def _order(patient: str, name: str) -> dict[str, Any]:
    start = (datetime.now(UTC) + timedelta(minutes=20)).replace(second=0, microsecond=0)
    repeat = {"frequency": 1, "period": 12, "periodUnit": "h"}
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": medication(PACKED[name][0])["code"],
        "requester": {"reference": "Practitioner/ingrid-solemdal", "display": "Ingrid Solemdal"},
        "dosageInstruction": [{
            "timing": {"repeat": {**repeat, "boundsPeriod": {"start": start.isoformat()}}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
        }],
    }  # fmt: skip


async def _keep(served: ServedDemo, resource: dict[str, Any]) -> str:
    answer = await served.ask(resource["resourceType"], method="POST", body=resource)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"] if answer.content else answer.headers["location"].split("/")[-3]
    return made


def _pack(name: str, days: int = 300) -> str:
    expires = datetime.now(UTC).date() + timedelta(days=days)
    return f"010{PACKED[name][1].barcodes[0]}17{expires:%y%m%d}10B7"


async def _type_fast(user: User, code: str) -> None:
    """What a scanner that is plugged in sends: a key each five milliseconds, then Enter."""
    keys = await user.context.new_cdp_session(user.page)
    began = time.time()
    sent = []
    for place, letter in enumerate([*code, "\r"]):
        name = "Enter" if letter == "\r" else letter
        told = {"key": name, "text": letter, "timestamp": began + place * 0.005}
        if letter == "\r":
            told["windowsVirtualKeyCode"] = 13
        sent.append(keys.send("Input.dispatchKeyEvent", {"type": "keyDown", **told}))
        sent.append(keys.send("Input.dispatchKeyEvent", {**told, "type": "keyUp", "text": ""}))
    await asyncio.gather(*sent)
    await keys.detach()


def _answer(page: Page, outcome: str) -> Any:
    return page.locator(f"[data-scan-answer] [data-outcome={outcome}]")


async def _filmed(page: Page, label: int, seconds: float) -> bytes:
    """Frames of a printed label as a camera sees it, with what stands around it."""
    code = page.locator(".hv-label img").nth(label)
    await code.scroll_into_view_if_needed()
    box = await code.bounding_box()
    assert box is not None
    # Each picture of a film is as large as the first: none may reach past the edge of the page.
    left, top = min(max(0.0, box["x"] - 160), 320), min(max(0.0, box["y"] - 70), 240)
    clip = {"x": left, "y": top, "width": 320, "height": 240}
    frame = await page.screenshot(type="jpeg", quality=80, clip=clip)  # type: ignore[arg-type]
    return frame * round(seconds * FRAMES)


async def test_what_was_printed_is_read_by_the_camera_and_a_dose_is_given_in_two_taps(
    sign_in: SignIn, within_budget: Within, served: ServedDemo, sara: str, browser: Browser,
    chromium: str | None, tmp_path: Path,
) -> None:  # fmt: skip
    desk = await sign_in("ward-nurse", start="")
    await desk.page.set_viewport_size({"width": 640, "height": 480})
    await desk.goto(f"/rounds/{sara}/wristband")
    band = await _filmed(desk.page, 0, 0.8)
    await desk.goto(f"/rounds/{sara}/sample-codes")
    packages = desk.page.locator("h2", has_text="Paracet").locator(
        "xpath=following-sibling::div[1]"
    )
    right = packages.locator(".hv-label").first
    place = await right.evaluate(
        "label => [...document.querySelectorAll('.hv-label')].indexOf(label)"
    )
    # Now the one is in the picture, now the other, as on a trolley.
    (tmp_path / "seen.mjpeg").write_bytes(band + await _filmed(desk.page, place, 0.8))
    camera = await browser.browser_type.launch(
        executable_path=chromium,
        args=[
            *ARGUMENTS, "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'seen.mjpeg'}",
        ],
    )  # fmt: skip
    try:
        nurse = await sit_down(
            camera, served.address, "phone", permissions=["camera"],
            storage_state=await desk.context.storage_state(),
        )  # fmt: skip
        await nurse.goto("/rounds")
        nurse.begin()
        await nurse.press_on(nurse.page.get_by_role("button", name="Skann med kameraet"))
        await nurse.page.wait_for_url(f"**/rounds/{sara}")
        await expect(nurse.page.locator("[data-scan-band]")).to_have_text("Armbånd: riktig pasient")
        await nurse.press_on(nurse.page.get_by_role("button", name="Signer Paracet"))
        await expect(_answer(nurse.page, "signed")).to_contain_text("Paracet")
        within_budget("give-one-dose-scanned-phone", nurse.end())
        done = nurse.page.get_by_role("region", name="Gjort og kommende")
        await expect(done).to_contain_text("Paracet")
        await expect(nurse.page.locator("video")).to_be_visible()
        assert nurse.complaints == []
    finally:
        await camera.close()
    found = await served.ask(f"MedicationAdministration?patient={sara}")
    doses = [each["resource"] for each in found.json()["entry"]]
    told = {each["url"]: each for each in doses[0]["extension"][0]["extension"]}
    assert told["patient"]["valueBoolean"] is True
    assert told["batch"]["valueString"] == "DEMO1"


async def test_what_is_wrong_stops_whoever_scans_and_says_what_and_why(
    sign_in: SignIn, served: ServedDemo, sara: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone", start="")
    await nurse.goto(f"/rounds/{sara}")
    await _type_fast(nurse, _pack("Selo-Zok depottab 50 mg"))
    await expect(_answer(nurse.page, "no-patient")).to_contain_text("Skann armbåndet først")
    wrong = (
        (own_codes.wristband("demo-marit"), "Feil pasient"),
        (own_codes.wristband(sara), ""),
        (_pack("Selo-Zok depottab 100 mg"), "Feil styrke"),
        (_pack("Albyl-E enterotab 75 mg"), "Feil legemiddel"),
        (_pack("Selo-Zok depottab 50 mg", -1), "Utløpt"),
        (_pack("Prednisolon tab 20 mg"), "Seponert"),
    )
    for code, title in wrong:
        await _type_fast(nurse, code)
        if not title:
            await expect(_answer(nurse.page, "patient")).to_be_visible()
            continue
        stop = nurse.page.get_by_role("dialog", name=title)
        await expect(stop).to_be_visible()
        box = await stop.bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (390, 844)
        await expect(stop.get_by_role("button", name="Gå tilbake")).to_be_focused()
        if title == "Feil styrke":
            await expect(stop).to_contain_text("Selo-Zok depottab 100 mg ble skannet.")
            await expect(stop).to_contain_text("Ordinert: Selo-Zok depottab 50 mg, 1 tablett.")
            assert await serious(nurse.page) == {"light": [], "dark": []}
            assert await nurse.page.evaluate(SMALL) == []
            assert await nurse.page.evaluate(TOO_WIDE) == []
        await nurse.key("Escape")
        await expect(stop).to_have_count(0)
    await _type_fast(nurse, _pack("Albyl-E enterotab 75 mg"))
    await nurse.page.get_by_role("button", name="Ring Ingrid Solemdal").tap()
    await expect(_answer(nurse.page, "call")).to_contain_text("Ingrid Solemdal")
    await _type_fast(nurse, _pack("Selo-Zok depottab 100 mg"))
    await nurse.page.get_by_role("button", name="Signer som ikke gitt").tap()
    await expect(_answer(nurse.page, "signed")).to_contain_text("Selo-Zok")
    found = await served.ask(f"DetectedIssue?patient={sara}&_count=50")
    kept = [each["resource"] for each in found.json()["entry"]]
    acts = [
        (each["code"]["coding"][0]["code"], came["action"]["coding"][0]["code"])
        for each in kept for came in each.get("mitigation", ())
    ]  # fmt: skip
    assert ("wrong-strength", "not-given") in acts
    assert ("wrong-medicine", "called") in acts
    assert len(kept) >= 7
    await nurse.goto(f"/rounds/{sara}")
    await nurse.page.get_by_text("Stoppet siste døgn").tap()
    listed = nurse.page.get_by_role("region", name="Skann").get_by_role("listitem")
    await expect(listed.filter(has_text="Feil styrke").first).to_contain_text("Ikke gitt")


async def test_a_scanner_that_types_is_read_wherever_the_cursor_is_and_writes_nothing_there(
    sign_in: SignIn, sara: str
) -> None:
    nurse = await sign_in("ward-nurse", start="")
    await nurse.goto(f"/rounds/{sara}")
    await _type_fast(nurse, own_codes.wristband(sara))
    await expect(_answer(nurse.page, "patient")).to_be_visible()
    await nurse.page.get_by_text("Skriv nummeret").click()
    field = nurse.page.get_by_role("textbox", name="Nummeret under strekkoden")
    await field.fill("kladd")
    await field.focus()
    await expect(field).to_be_focused()
    await _type_fast(nurse, _pack("Furix tab 40 mg"))
    right = _answer(nurse.page, "dose")
    await expect(right).to_contain_text("Furix tab 40 mg")
    await expect(right).to_contain_text("byttbar")
    await expect(field).to_have_value("kladd")
    await field.fill(PACKED["Diural tab 40 mg"][1].barcodes[0])
    await nurse.key("Enter")
    await expect(right).to_contain_text("utløpsdato står ikke i koden")
    await right.get_by_role("button", name="Signer Diural").click()
    await expect(_answer(nurse.page, "signed")).to_contain_text("Diural")


async def test_without_a_camera_it_is_told_and_signing_with_a_reason_stands(
    sign_in: SignIn, served: ServedDemo, sara: str
) -> None:
    await _keep(served, _order(sara, "Imovane tab 7,5 mg"))
    nurse = await sign_in("ward-nurse", "phone", start="")
    await nurse.goto(f"/rounds/{sara}")
    await nurse.page.get_by_role("button", name="Skann med kameraet").tap()
    said = nurse.page.locator("[data-scan-says]")
    await expect(said).to_contain_text("signer uten skanning og si hvorfor")
    await nurse.page.get_by_role("checkbox", name="Imovane").tap()
    await nurse.page.get_by_role("button", name="Kameraet virker ikke").first.tap()
    await expect(nurse.page.get_by_role("status").first).to_contain_text("1 signert")
    await nurse.goto("/medicines/scanning")
    row = nurse.page.get_by_role("row").nth(1)
    await expect(row).to_contain_text("Kameraet virker ikke")
    await expect(nurse.page.locator("main")).to_contain_text("Imovane")


@pytest.mark.parametrize("path", ["wristband", "labels", "sample-codes", "/medicines/scanning"])
async def test_what_is_printed_and_counted_can_be_read_by_everyone(
    sign_in: SignIn, sara: str, path: str
) -> None:
    nurse = await sign_in("ward-nurse", "phone", start="")
    await nurse.goto(path if path.startswith("/") else f"/rounds/{sara}/{path}")
    assert await serious(nurse.page) == {"light": [], "dark": []}
    assert await nurse.page.evaluate(SMALL) == []
    for width in (320, 390, 1440):
        await nurse.page.set_viewport_size({"width": width, "height": 800})
        assert await nurse.page.evaluate(TOO_WIDE) == []
