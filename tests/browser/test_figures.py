"""Who leads a unit sees how it does, week by week, and the doses behind it; nobody else does."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .test_accessibility import CUT, SMALL, TOO_WIDE, serious
from .test_plain_norwegian import ALL_WORDS, ENGLISH, MACHINERY
from .user import User

pytestmark = pytest.mark.browser
_UNIT = "trondheim-bakkehaugen-2"
_COUNTED = "Telt til og med"


async def _counted(user: User) -> None:
    """Open the figures once they have been counted, which begins when the program does."""
    for _ in range(60):
        await user.goto("/figures")
        if await user.page.get_by_text(_COUNTED).count():
            return
        await user.page.wait_for_timeout(500)
    await expect(user.page.get_by_text(_COUNTED)).to_be_visible()


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_the_leader_of_a_unit_comes_from_figures_to_the_doses_behind_them(
    sign_in: SignIn, device: str
) -> None:
    gunn = await sign_in("nursing-home-manager", device)
    page = gunn.page
    await _counted(gunn)
    right_time = page.locator("section", has=page.get_by_role("heading", name="Rett tid"))
    await expect(right_time.get_by_text("% i uke")).to_be_visible()
    assert await right_time.locator(".hv-curve__dot").count() >= 6
    await expect(page.get_by_text("Kan ikke regnes: det var ingenting å telle")).to_be_visible()
    steps = ["/figures"]
    await right_time.get_by_role("link", name="Hva telles?").click()
    await expect(page).to_have_url(f"{gunn.address}/figures/definitions#M1")
    await expect(page.get_by_text("slik den sto da dosen skulle gis")).to_be_visible()
    steps.append("/figures/definitions")
    await page.go_back()
    # The table of the curve is there too, and hidden.
    fifth = right_time.locator(".hv-scroll:not([hidden]) tbody tr").nth(4)
    week, missed = fifth.get_by_role("link"), await fifth.locator("td").nth(4).inner_text()
    steps.append(str(await week.get_attribute("href")))
    await week.click()
    await page.get_by_role("link", name="Dagny Fjeldvær").click()
    await expect(page.get_by_role("heading", name="Doser i uke")).to_be_visible()
    assert await page.locator("tbody tr").count() == 35
    assert await page.get_by_text("For sent").count() == int(missed)
    steps.append(page.url.removeprefix(gunn.address))
    for step in steps:
        await gunn.goto(step)
        assert await serious(page) == {"light": [], "dark": []}
        if device == "phone":
            assert await page.evaluate(SMALL) == []
            assert [*await page.evaluate(TOO_WIDE), *await page.evaluate(CUT)] == []
        words = await page.evaluate(ALL_WORDS)
        assert [m[0] for m in (*ENGLISH.finditer(words), *MACHINERY.finditer(words))] == []


async def test_the_table_has_what_the_page_shows(sign_in: SignIn) -> None:
    gunn = await sign_in("nursing-home-manager")
    await _counted(gunn)
    answer = await gunn.context.request.get(f"{gunn.address}/figures/table.csv?unit={_UNIT}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(await answer.text())))
    assert {row["figure"] for row in rows} >= {"M1", "M2"}
    closed = [row for row in rows if row["figure"] == "M1" and row["closed"]]
    assert {int(row["denominator"]) for row in closed} == {35}
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in closed)


async def test_figures_are_closed_to_those_who_do_not_lead_the_unit(sign_in: SignIn) -> None:
    for persona in ("ward-nurse", "nursing-home-nurse", "administrator"):
        user = await sign_in(persona, start="")
        for path in (
            "/figures",
            f"/figures/table.csv?unit={_UNIT}",
            f"/figures/{_UNIT}/2026-11-09",
            f"/figures/{_UNIT}/2026-11-09/demo-dagny",
        ):
            answer = await user.context.request.get(user.address + path)
            assert answer.status == 403, (persona, path)
    gunn = await sign_in("nursing-home-manager")
    for path, status in (
        ("/figures/st-olavs-lunge/2026-11-09", 403), ("/figures?unit=st-olavs-lunge", 404),
        (f"/figures/{_UNIT}/2026-11-10", 404), (f"/figures/{_UNIT}/2026-11-09/demo-even", 403),
    ):  # fmt: skip
        answer = await gunn.context.request.get(gunn.address + path)
        assert answer.status == status, path
