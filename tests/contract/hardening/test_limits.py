"""Who knocks too often waits, whichever process they knock at, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from helsevev.access import limits
from helsevev.access.actor import SYSTEM
from helsevev.access.limits import Limit, Limits, network_of
from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.kit import clock
from helsevev.record.database import Database

from .conftest import Site

FEW = 5


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are soon reached, and slowly given back."""
    low = {name: Limit(FEW, 10) for name in limits.LIMITS}
    monkeypatch.setattr(limits, "LIMITS", low)


async def test_processes_count_together_and_at_once(database: Database) -> None:
    processes = [Limits(database) for _ in range(4)]
    told = await asyncio.gather(*(p.knock("token", "address 1") for p in processes * 5))
    assert told.count(0) == FEW
    assert all(0 < seconds <= 120 for seconds in told if seconds)
    assert await processes[0].knock("token", "address 2") == 0
    assert await processes[0].knock("unlock", "address 1") == 0


async def test_time_gives_back_one_after_the_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, now = Limits(database), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    assert [await counted.knock("code", "x") for _ in range(FEW)] == [0] * FEW
    wait = await counted.knock("code", "x")
    assert wait == 120
    monkeypatch.setattr(clock, "now", lambda: now + limits.LIMITS["code"].each)
    assert [bool(await counted.knock("code", "x")) for _ in range(2)] == [False, True]


async def test_a_flood_is_told_when_to_come_again_and_shuts_no_colleague_out(site: Site) -> None:
    flood = site.browser("10.1.1.1")
    told = [await flood.get("/sign-in/with/nobody") for _ in range(FEW + 2)]
    assert [answer.status_code for answer in told] == [400] * FEW + [429] * 2
    assert int(told[-1].headers["retry-after"]) > 0
    assert "for mange" in told[-1].text
    key = {"key": site.pages.state["demo_key"]}
    elsewhere = site.browser("10.1.1.2")
    assert (await elsewhere.get("/sign-in/secretary", params=key)).status_code == 303
    # Behind the same address, on a device where somebody has signed in before.
    device = elsewhere.cookies["helsevev_device"]
    beside = site.browser("10.1.1.1", cookie=f"helsevev_device={device}")
    assert (await beside.get("/sign-in/secretary", params=key)).status_code == 303
    # A device that we have not named is none.
    forged = site.browser("10.1.1.1", cookie="helsevev_device=mine.0000")
    assert (await forged.get("/sign-in/secretary", params=key)).status_code == 429
    assert (await flood.get("/sign-in")).status_code == 200


async def test_a_program_is_told_in_its_own_words(site: Site) -> None:
    program = site.browser("10.1.2.1")
    form: dict[str, str] = {"grant_type": "client_credentials", "client_id": "somebody-else"}
    told = [await program.post("/auth/token", data=form) for _ in range(FEW + 1)]
    assert [answer.status_code for answer in told] == [401] * FEW + [429]
    assert told[-1].json()["error"] == "temporarily_unavailable"
    assert int(told[-1].headers["retry-after"]) > 0
    other = await site.browser("10.1.2.2").post("/auth/token", data=form)
    assert other.status_code == 401


async def test_who_asks_for_too_much_again_and_again_waits_and_still_reads(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise SearchError([error("too-costly", "This would read the whole record.")])

    token = await site.services.credentials.issue_token(replace(SYSTEM, id="Device/greedy"))
    other = await site.services.credentials.issue_token(replace(SYSTEM, id="Device/modest"))
    greedy = site.browser(authorization=f"Bearer {token}")
    with monkeypatch.context() as patch:
        patch.setattr(type(site.services.searcher), "search", refuse)
        told = [(await greedy.get("/fhir/Observation?code=x")).status_code for _ in range(FEW + 2)]
    assert told == [422] * (FEW + 1) + [429]
    answer = await greedy.get("/fhir/Observation?code=x")
    assert answer.status_code == 429
    assert answer.json()["issue"][0]["code"] == "throttled"
    assert int(answer.headers["retry-after"]) > 0
    assert (await greedy.get(f"/fhir/Patient/{site.patient}")).status_code == 200
    modest = site.browser(authorization=f"Bearer {other}")
    assert (await modest.get("/fhir/Observation?code=x")).status_code == 200


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"), ("", ""), ("unix", "unix"),
    ],
)  # fmt: skip
def test_one_customer_s_half_of_an_address_is_one_address(address: str, counted: str) -> None:
    assert network_of(address) == counted
