"""What a page may do and what a session may reach: headers, cookies, tokens, links, signing out."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from .conftest import SignIn
from .places import PAGES, named, on_the_chart_of, token_of
from .served import ServedDemo

pytestmark = pytest.mark.browser

_WANTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|javascript:|<style", re.I)


async def test_every_page_forbids_what_it_does_not_need(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    paths = [*PAGES.values(), "/sign-in", "/patient/demo-aslaug/panel/notes", "/healthz"]
    for path in paths:
        answer = await nurse.context.request.get(nurse.address + path)
        headers = answer.headers
        assert {key: headers.get(key) for key in _WANTED} == _WANTED, path
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'", path
        assert policy["style-src"] == "'self'", path
        # Where codes are scanned, a library of ours reads them by WebAssembly.
        scans = " 'wasm-unsafe-eval'" if path.startswith("/rounds") else ""
        assert policy["script-src"] == f"'self'{scans}", path
        assert _INLINE.findall(await answer.text()) == [], path


async def test_the_session_is_out_of_reach_of_scripts_and_other_sites(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse")
    cookies = {cookie["name"]: cookie for cookie in await nurse.context.cookies()}
    session = cookies["helsevev_session"]
    assert (session["httpOnly"], session["sameSite"], session["path"]) == (True, "Lax", "/")
    assert await nurse.page.evaluate("document.cookie") == ""


async def test_after_signing_out_the_back_button_shows_nothing(sign_in: SignIn) -> None:
    nurse = await sign_in("ward-nurse", fresh=True)
    await nurse.goto("/patient/demo-kare")
    await on_the_chart_of(nurse.page, "Kåre Brattli")
    old = {cookie["name"]: cookie["value"] for cookie in await nurse.context.cookies()}
    await nurse.page.get_by_role("button", name="Magnus Tverdal").click()
    await named(nurse, "Logg ut").click()
    await expect(nurse.page).to_have_url(re.compile("/sign-in"))
    await nurse.page.go_back()
    await expect(nurse.page).to_have_url(re.compile("/sign-in"))
    await expect(nurse.page.locator("body")).not_to_contain_text("Brattli")
    again = await nurse.context.request.get(
        f"{nurse.address}/patient/demo-kare",
        headers={"cookie": f"helsevev_session={old['helsevev_session']}"},
        max_redirects=0,
    )
    assert again.status == 303
    assert "Brattli" not in await again.text()


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_a_write_without_the_page_s_own_token_stores_nothing(
    sign_in: SignIn, served: ServedDemo, token: str
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto("/patient/demo-aslaug/notes/new")
    form: dict[str, str | float | bool] = {
        "patient": "demo-aslaug", "text": "Uten nøkkel", "type": "outpatient", "key": "x1",
    }  # fmt: skip
    for path in ("notes", "vital-signs", "drafts/note/x1", "../../sign-out"):
        answer = await nurse.context.request.post(
            f"{nurse.address}/patient/demo-aslaug/{path}",
            form=form,
            headers={"x-csrf-token": token} if token else {},
            max_redirects=0,
        )
        assert answer.status == 403, path
    written = await served.ask("Composition?patient=demo-aslaug&_count=500")
    assert "Uten nøkkel" not in written.text
    await nurse.page.reload()
    assert "/sign-in" not in nurse.page.url


@pytest.mark.parametrize(
    "page", ["//evil.example/x", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_signing_in_never_leads_to_another_site(sign_in: SignIn, page: str) -> None:
    nurse = await sign_in("", fresh=True)
    await nurse.goto(f"/sign-in?next={quote(page, safe='')}")
    token = await token_of(nurse)
    answer = await nurse.context.request.post(
        f"{nurse.address}/sign-in",
        form={"persona": "ward-nurse", "next": page},
        headers={"x-csrf-token": token},
        max_redirects=0,
    )
    assert (answer.status, answer.headers["location"]) == (303, "/")
    await named(nurse, "Magnus Tverdal").click()
    await expect(nurse.page).to_have_url(f"{nurse.address}/")


async def test_one_is_sent_back_to_the_page_one_wanted(sign_in: SignIn) -> None:
    nurse = await sign_in("", fresh=True)
    await nurse.goto("/patient/demo-kare/medications")
    await named(nurse, "Magnus Tverdal").click()
    await expect(nurse.page).to_have_url(f"{nurse.address}/patient/demo-kare/medications")


async def test_an_open_chart_says_that_it_is_old_and_then_that_it_is_not(
    sign_in: SignIn, served: ServedDemo
) -> None:
    nurse = await sign_in("ward-nurse")
    await nurse.goto("/patient/demo-kare")
    await on_the_chart_of(nurse.page, "Kåre Brattli")
    stale = nurse.page.locator("[data-stale-bar]")
    await expect(stale).to_be_hidden()
    await served.stop()
    await expect(stale).to_be_visible(timeout=20_000)
    await expect(stale).to_contain_text("kan være utdatert")
    await served.start()
    await expect(stale).to_be_hidden(timeout=20_000)
    await on_the_chart_of(nurse.page, "Kåre Brattli")
