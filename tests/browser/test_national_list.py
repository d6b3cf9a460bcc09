"""A doctor holds the national list beside ours, takes over, sends, and sees when it is down."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import named
from .served import ServedDemo
from .test_accessibility import SMALL, TOO_WIDE, serious

pytestmark = pytest.mark.browser
LIST = "/patient/demo-piotr/medications"
NATIONAL = f"{LIST}/national"


async def go_wrong(served: ServedDemo, fault: str) -> None:
    """Have the simulated service fail at the next call."""
    address = (served.data / "demo-medication-service.address").read_text("utf-8")
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{address}/simulator/next/{fault}")
        assert answer.status_code == 204


async def test_the_national_list_is_fetched_taken_over_and_sent(
    sign_in: SignIn, served: ServedDemo
) -> None:
    doctor = await sign_in("legevakt-doctor", "phone")
    page = doctor.page
    await doctor.goto(LIST)
    await expect(page.locator("#national-state")).to_contain_text("Nasjonal liste")
    await go_wrong(served, "down")
    await doctor.goto(NATIONAL)
    await named(doctor, "Hent den nasjonale listen").click()
    await expect(page.get_by_role("alert")).to_contain_text("utveksles ikke")
    await doctor.goto(LIST)
    await expect(page.locator("#national-state [role=alert]")).to_contain_text("utveksles ikke")
    await doctor.goto(NATIONAL)
    await named(doctor, "Hent den nasjonale listen").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    row = page.locator(".hv-row", has_text="Allopur tab 300 mg").first
    await expect(row).to_contain_text("1 tablett om morgenen")
    assert await page.evaluate(SMALL) == []
    assert await page.evaluate(TOO_WIDE) == []
    assert await serious(page) == {"light": [], "dark": []}
    await row.get_by_role("button", name=re.compile("^Overta")).click()
    answers = page.locator("[name^='answer:']")
    await expect(
        page.locator("h3", has_text="Likt i begge")
        .or_(answers.first)
        .or_(page.locator("summary", has_text="Likt i begge"))
        .first
    ).to_be_visible()
    if await answers.count():
        for answer in await answers.all():
            await answer.fill("Vurdert, følges opp")
        await page.get_by_role("button", name=re.compile("^Overta Allopur")).click()
    await expect(page.locator("summary", has_text="Likt i begge")).to_be_visible()
    await named(doctor, "Send vår liste").click()
    await expect(page.locator("h2", has_text="Send vår liste")).to_be_visible()
    assert await serious(page) == {"light": [], "dark": []}
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("main")).to_contain_text("mottatt")
    await doctor.goto(LIST)
    await expect(page.locator("#national-state")).to_contain_text("sendt")


async def test_a_lost_answer_is_seen_to_before_anything_is_sent_again(
    sign_in: SignIn, served: ServedDemo
) -> None:
    doctor = await sign_in("legevakt-doctor")
    page = doctor.page
    await doctor.goto(f"{LIST}/new")
    await expect(page.locator("[name=words]")).to_be_focused()
    await doctor.type("par")
    await page.get_by_role("button", name=re.compile("^1 g, 4 ganger daglig")).first.click()
    await expect(page.locator("#order-course")).to_contain_text("1 g, 4 ganger daglig")
    for answer in await page.locator("[name^='answer:']").all():
        await answer.fill("Vurdert, følges opp")
    await named(doctor, "Signer").click()
    await expect(page.locator("#panel-medications")).to_be_visible()
    await doctor.goto(NATIONAL)
    await named(doctor, "Hent den nasjonale listen").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await doctor.goto(f"{NATIONAL}/send")
    # The list is looked up before it is sent: the second call is the sending.
    await go_wrong(served, "second-lost")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Det er ikke kjent")
    await expect(named(doctor, "Send vår liste")).to_have_count(0)
    await doctor.goto(LIST)
    await expect(page.locator("#national-state [role=alert]")).to_contain_text("ikke kjent")
    await doctor.goto(NATIONAL)
    await named(doctor, "Se hva som ble av den").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("sier det som ble sendt")
