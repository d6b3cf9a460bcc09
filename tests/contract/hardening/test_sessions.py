"""Signing in, staying in and getting out: what a thief, a colleague or a stranger may try."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from litestar.exceptions import LitestarDeprecationWarning

from helsevev.access.actor import SYSTEM
from helsevev.access.identity.devices import Devices
from helsevev.access.session import SHIFT, SignIn
from helsevev.kit import clock
from helsevev.main import build_app

from .conftest import Site

SESSION = "helsevev_session"
WAYS_IN = ("/me/pin", "/me/passkey/question", "/me/passkey", "/me/codes")


class Later:
    """The program's clock, which a test may move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + self.ahead)

    def passes(self, **span: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**span)


async def form_of(browser: httpx.AsyncClient) -> dict[str, str]:
    """The header that a form of the browser's own page sends."""
    await browser.get("/")
    return {"x-csrf-token": browser.cookies["csrftoken"]}


async def test_a_screen_left_open_does_not_change_how_one_signs_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Later(monkeypatch)
    nurse = await site.signed_in("ward-nurse")
    pin = {"new-pin": "2580", "again": "2580"}
    assert (await nurse.post("/me/pin", headers=await form_of(nurse), data=pin)).status_code == 303
    for _ in range(2):
        later.passes(minutes=8)
        assert (await nurse.get("/")).status_code == 200, "used now and then, so not locked"
    for path in WAYS_IN:
        answer = await nurse.post(path, headers=await form_of(nurse), data={**pin, "remove": "1"})
        assert answer.status_code == 403, path
    shown = (await nurse.get("/me/sign-in")).text
    assert 'href="/sign-in?next=/me/sign-in"' in shown
    assert 'name="new-pin"' not in shown
    await nurse.get("/sign-in/ward-nurse", params={"key": site.pages.state["demo_key"]})
    assert (await nurse.post("/me/pin", headers=await form_of(nurse), data=pin)).status_code == 303


async def test_another_role_or_a_pin_is_no_fresh_proof(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Later(monkeypatch)
    nurse = await site.signed_in("ward-nurse")
    pin = {"new-pin": "2580", "again": "2580"}
    await nurse.post("/me/pin", headers=await form_of(nurse), data=pin)
    later.passes(minutes=14)
    await nurse.post("/lock", headers=await form_of(nurse))
    person = site.pages.state["personas"]["ward-nurse"].id
    again = await nurse.post(
        "/unlock", headers={"x-csrf-token": nurse.cookies["csrftoken"]},
        data={"person": person, "pin": "2580", "next": "/"},
    )  # fmt: skip
    assert again.status_code == 303
    answer = await nurse.post("/me/pin", headers=await form_of(nurse), data=pin)
    assert answer.status_code == 403
    credentials = site.services.credentials
    session = await credentials.session(nurse.cookies[SESSION])
    assert session is not None
    assert session.expires_at - clock.now() < SHIFT - timedelta(minutes=13), (
        "no longer shift either"
    )


async def test_a_cookie_ends_with_the_shift(site: Site) -> None:
    key = site.pages.state["demo_key"]
    answer = await site.browser().get("/sign-in/secretary", params={"key": key})
    told = {c.partition("=")[0]: c for c in answer.headers.get_list("set-cookie")}
    found = re.search(r"max-age=(\d+)", told[SESSION].lower())
    assert found is not None
    assert 12 * 3600 - 60 < int(found[1]) <= 12 * 3600


async def test_a_cookie_that_was_changed_is_nobody_s(site: Site) -> None:
    browser = await site.signed_in("secretary")
    token, device = browser.cookies[SESSION], browser.cookies["helsevev_device"]
    forged = [
        token[:-1], token + "A", token[:-1] + ("A" if token[-1] != "A" else "B"), token.upper(),
        token[::-1], "", "null", "0", "'or'1'='1", "../" + token, token.encode().hex(),
    ]  # fmt: skip
    for cookie in forged:
        answer = await site.browser(cookie=f"{SESSION}={cookie}").get("/")
        assert answer.status_code == 303, cookie
    assert (await site.browser(cookie=f"{SESSION}={token}").get("/")).status_code == 200
    named, _, signature = device.partition(".")
    for cookie in (f"{named}0.{signature}", f"{named}.{signature[::-1]}", f"{named}.", named):
        page = await site.browser(cookie=f"helsevev_device={cookie}").get("/sign-in")
        assert "/locked/Practitioner" not in page.text


async def test_a_session_s_token_opens_nothing_but_as_a_cookie(site: Site) -> None:
    browser = await site.signed_in("hospital-doctor")
    token = browser.cookies[SESSION]
    bearer = await site.services.credentials.issue_token(SYSTEM)
    stranger = site.browser()
    for params in ({SESSION: token}, {"token": token}, {"session": token}, {"sid": token}):
        assert (await stranger.get("/", params=params)).status_code == 303
    for name in ("authorization", "x-session", "x-auth-token", SESSION):
        assert (await stranger.get("/", headers={name: f"Bearer {token}"})).status_code == 303
    read = "/fhir/Patient?_count=1"
    assert (await site.browser(authorization=f"Bearer {token}").get(read)).status_code == 401
    assert (await site.browser(cookie=f"{SESSION}={bearer}").get("/")).status_code == 303
    assert (await stranger.get(read, params={"access_token": bearer})).status_code in (400, 401)
    for path in ("/", "/me/sign-in", f"/patient/{site.patient}"):
        answer = await browser.get(path)
        assert token not in answer.text + str(answer.headers), path


async def test_tokens_are_long_random_and_never_the_same(site: Site) -> None:
    nurse = site.pages.state["personas"]["ward-nurse"]
    credentials = site.services.credentials
    tokens = [await credentials.start_session(nurse) for _ in range(20)]
    tokens += [await credentials.issue_token(nurse) for _ in range(20)]
    assert len(set(tokens)) == len(tokens)
    assert {len(token) for token in tokens} == {43}, "256 bits, in base64"
    assert len({token[n] for token in tokens for n in range(42)}) > 60


async def test_after_signing_out_neither_the_cookie_nor_the_back_button_shows_anything(
    site: Site,
) -> None:
    browser = await site.signed_in("hospital-doctor")
    chart = await browser.get("/patient/demo-kare")
    assert chart.status_code == 200
    assert chart.headers["cache-control"] == "no-store", "a browser that goes back asks again"
    token, headers = browser.cookies[SESSION], await form_of(browser)
    out = await browser.post("/sign-out", headers=headers)
    assert out.status_code == 303
    kept = site.browser(cookie=f"{SESSION}={token}")
    for path in ("/", "/patient/demo-kare", "/patient/demo-kare/live", "/me/sign-in"):
        assert (await kept.get(path)).status_code == 303, path


async def test_one_sees_where_one_is_signed_in_and_ends_it_all(site: Site) -> None:
    here, there = await site.signed_in("legevakt-doctor"), await site.signed_in("legevakt-doctor")
    session = await site.services.credentials.session(here.cookies[SESSION])
    assert session is not None
    known = await site.services.credentials.sessions_of(session.actor.id)
    shown = (await here.get("/me/sign-in")).text
    assert len(known) >= 2
    assert shown.count(session.actor.unit_name) >= len(known)
    out = await here.post("/sign-out", headers=await form_of(here), data={"everywhere": "1"})
    assert out.status_code == 303
    assert (await there.get("/")).status_code == 303


async def test_without_the_demo_nobody_is_let_in_without_having_proved_who_they_are(
    site: Site,
) -> None:
    with warnings.catch_warnings():
        # How path parameters are declared is about to change in the framework.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app: Any = build_app(replace(site.settings, demo=False), site.services)
    stranger = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
    page = await stranger.get("/sign-in")
    headers = {"x-csrf-token": stranger.cookies["csrftoken"]}
    assert "persona" not in page.text
    for key in ("", site.pages.state["demo_key"]):
        answer = await stranger.get("/sign-in/hospital-doctor", params={"key": key})
        assert answer.status_code == 404
    for persona in ("hospital-doctor", "administrator", "admin", "root", ""):
        answer = await stranger.post("/sign-in", headers=headers, data={"persona": persona})
        assert answer.status_code == 404, persona
    assert SESSION not in stranger.cookies


async def test_a_pin_is_hashed_by_argon2_with_a_salt_and_a_secret_kept_elsewhere(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database, folder = site.services.gate.store.roles.owner, tmp_path_factory.mktemp("pins")
    nurse = site.pages.state["personas"]["ward-nurse"]
    here, stolen = Devices(database, folder), Devices(database, tmp_path_factory.mktemp("thief"))
    hashes = []
    for person in ("Practitioner/pin-a", "Practitioner/pin-b"):
        who = replace(nurse, id=person)
        await here.set_pin(person, "2580")
        await here.remember("pin-device", who, SignIn(ends_at=clock.now() + SHIFT))
        (colleague,) = await here.colleagues("pin-device", person)
        hashes.append(colleague.pin_hash)
        assert await here.pin_fits("pin-device", colleague, "2580")
        assert not await stolen.pin_fits("pin-device", colleague, "2580")
    assert len(set(hashes)) == 2, "the same PIN, and nobody sees it"
    for kept in hashes:
        assert kept is not None
        found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$", kept)
        assert found is not None
        assert (int(found[1]), int(found[2])) >= (19 * 1024, 2), "OWASP's least"


async def test_a_way_in_that_was_taken_back_is_none(site: Site) -> None:
    nurse = await site.signed_in("home-care-nurse")
    person = site.pages.state["personas"]["home-care-nurse"].id
    pin = {"new-pin": "9173", "again": "9173"}
    await nurse.post("/me/pin", headers=await form_of(nurse), data=pin)
    await nurse.post("/me/pin", headers=await form_of(nurse), data={"remove": "1"})
    await nurse.post("/lock", headers=await form_of(nurse))
    headers = {"x-csrf-token": nurse.cookies["csrftoken"]}
    answer = await nurse.post("/unlock", headers=headers, data={"person": person, "pin": "9173"})
    assert answer.status_code == 403
    assert (await nurse.get("/")).status_code == 303


async def test_how_long_a_refusal_takes_does_not_tell_who_is_known(site: Site) -> None:
    key = "k" * 43
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    browsers = {name: site.browser(f"10.9.{n}.1") for n, name in enumerate(("known", "unknown"))}
    paths = {"known": "/sign-in/hospital-doctor", "unknown": "/sign-in/no-such-person"}
    said: dict[str, set[str]] = {name: set() for name in paths}
    for _ in range(60):
        for name, path in paths.items():
            begun = time.process_time()
            answer = await browsers[name].get(path, params={"key": key})
            took[name].append(time.process_time() - begun)
            said[name].add(f"{answer.status_code} {answer.headers.get('location')}")
    assert said["known"] == said["unknown"]
    slow, quick = sorted((statistics.median(each) for each in took.values()), reverse=True)
    assert slow < 1.5 * quick


async def test_of_many_who_unlock_with_a_guess_at_once_only_five_are_looked_at(site: Site) -> None:
    nurse = await site.signed_in("health-station-nurse")
    person = site.pages.state["personas"]["health-station-nurse"].id
    pin = {"new-pin": "8264", "again": "8264"}
    await nurse.post("/me/pin", headers=await form_of(nurse), data=pin)
    await nurse.post("/lock", headers=await form_of(nurse))
    headers = {"x-csrf-token": nurse.cookies["csrftoken"]}

    async def guess(pin: str) -> int:
        form = {"person": person, "pin": pin}
        return (await nurse.post("/unlock", headers=headers, data=form)).status_code

    told = await asyncio.gather(*(guess(f"{7000 + n}") for n in range(12)))
    assert set(told) == {403}
    assert await guess("8264") == 403, "too late, also for the right one"
