"""A record that nobody here wrote: found, opened with a reason, read, written in, and seen live."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import named, on_the_chart_of
from .served import ServedDemo
from .user import User

pytestmark = pytest.mark.browser


def someone(shared: Path) -> dict[str, Any]:
    """A record of middle size from a public generator, as a transaction Bundle."""
    found = sorted((shared / "data" / "synthea").rglob("*.json.gz"), key=lambda p: p.stat().st_size)
    if not found:
        pytest.skip(f"There are no generated records in {shared / 'data' / 'synthea'}.")
    bundle: dict[str, Any] = json.loads(gzip.decompress(found[len(found) // 2].read_bytes()))
    return bundle


async def break_the_glass(user: User, words: str, name: str) -> None:
    """Find somebody by the palette, say why, and get in."""
    user.expected = {403}
    await user.page.get_by_role("button", name="Søk eller gå til").click()
    await user.page.keyboard.type(words)
    hit = user.page.locator("#hv-palette").get_by_role("option", name=name)
    await expect(hit).to_contain_text("ingen behandlingsrelasjon")
    await hit.click()
    await user.page.get_by_label("Hvorfor, med egne ord").fill("Ligger bevisstløs i mottak")
    await named(user, f"Åpne journalen til {name}").click()
    await on_the_chart_of(user.page, name)


async def test_a_record_that_nobody_here_wrote_is_used_like_any_other(
    sign_in: SignIn, served: ServedDemo, shared: Path
) -> None:
    bundle = someone(shared)
    stored = await served.ask("", method="POST", body=bundle)
    assert stored.status_code == 200, stored.text[:2000]
    assert len(stored.json()["entry"]) == len(bundle["entry"])
    patient = next(
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )
    official = patient["name"][0]
    name = " ".join([*official["given"], official["family"]])

    doctor = await sign_in("hospital-doctor")
    nurse = await sign_in("home-care-nurse", "phone")
    for user in (doctor, nurse):
        await break_the_glass(user, f"{official['family']} {official['given'][0]}", name)
    chart = doctor.page.url.split("#")[0]
    sections = await doctor.page.locator(".hv-sections a[href]").evaluate_all(
        "all => all.map(a => a.href)"
    )
    assert len(sections) > 8
    for section in sections:
        answer = await doctor.page.goto(section)
        assert answer is not None
        assert answer.status == 200, section
        # Whether a part follows the record is its own matter; its foot says so where it does not.
        await expect(doctor.page.locator(".hv-banner h1")).to_have_text(name)
    await doctor.page.goto(chart)
    await on_the_chart_of(doctor.page, name)
    curve = doctor.page.locator("#panel-measurements .hv-spark-button").first
    await curve.click()
    await expect(doctor.page.locator("[data-curve]")).to_be_visible()

    await named(doctor, "Skriv notat").click()
    await expect(doctor.page.get_by_role("textbox", name="Notat")).to_be_focused()
    await expect(doctor.page.locator("[data-draft-state]")).to_be_visible()
    await doctor.page.keyboard.type("Våknet i mottak, adekvat.")
    await named(doctor, "Signer").click()
    await on_the_chart_of(doctor.page, name)
    await expect(nurse.page.locator("#panel-notes")).to_contain_text("Våknet i mottak, adekvat.")
    await named(doctor, "Vitale mål").click()
    await doctor.page.locator("[name=pulse]").fill("104")
    await named(doctor, "Signer").click()
    await on_the_chart_of(doctor.page, name)
    await expect(nurse.page.locator("#panel-measurements")).to_contain_text("104")
