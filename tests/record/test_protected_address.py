"""A protected address is found in no byte that leaves the server in a replayed day."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import httpx
import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.demo import personas
from helsevev.access.policy import decide
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import open_services
from helsevev.record import keys

from .address_scan import forms_of, found_in
from .hidden_people import NEAR_HOME, PEOPLE, STRICT, WORDS, bundles
from .hidden_questions import posted, relations, urls
from .tapping import Tap

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELSEVEV: Final = (
    sys.executable,
    "-c",
    "import sys; from helsevev.main import cli; sys.exit(cli())",
)
HOUR: Final = "--day --hours 9-10 --speed 1800 --inhabitants 1500 --staff 12"
DAY: Final = "--day --hours 7-23 --speed 480 --inhabitants 4000 --staff 60"
REGION: Final = "--scale 0.0005 --years 0.2 --dose-days 2 --until today"
STRICT_ID, CONFIDENTIAL_ID = "vern-streng", "vern-fortrolig"
FEW: Final = 15
EVERY: Final = 1
"""Of so many questions each actor asks one: together all of them, by somebody."""

SAYS_WHERE: Final = ("address", "address-city", "address-country", "address-postalcode",
                     "address-state", "address-use", "phone", "email", "telecom")  # fmt: skip


@dataclass
class Watched:
    """A served record, what it printed, and everything that it answered."""

    url: str
    data: Path
    log: Path
    environment: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    hits: list[tuple[str, set[str]]] = field(default_factory=list)
    answers: int = 0

    def take(self, where: str, data: bytes, asked: str = "") -> None:
        """Scan what came; what was asked is said again in links, and tells nobody anything."""
        self.answers += 1
        if found := found_in(data, WORDS):
            found -= found_in(asked.encode(), WORDS)
        if found:
            self.hits.append((where, found))

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A command beside the server."""
        return subprocess.run(
            [*HELSEVEV, *words], env=self.environment, capture_output=True, check=False
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    """The demo with those who are hidden, served; its output kept to be scanned."""
    folder = tmp_path_factory.mktemp("watched")
    environment = {**os.environ, "HELSEVEV_DATA": str(folder / "data")}
    log = folder / "serve.log"
    with log.open("wb") as out:
        serving = subprocess.Popen(  # noqa: ASYNC220
            [*HELSEVEV, "serve", "--demo", "--port", "0"],
            env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        last = time.monotonic() + 90
        while "Ctrl-C" not in (said := log.read_text("utf-8")):
            assert serving.poll() is None, said
            assert time.monotonic() < last, said
            await asyncio.sleep(0.05)
        url = said.split("answers at ")[1].split()[0]
        made = Watched(url, folder / "data", log, environment)
        made.links = {m[1]: m[0] for m in re.finditer(r"/sign-in/([a-z-]+)\?key=\S+", said)}
        await plant(made)
        yield made
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(60)
    made.take("the server's log", log.read_bytes())
    assert made.hits == []


async def plant(watched: Watched) -> None:
    """Write those who are hidden as a system, and let those who may not see them in."""
    async with open_services(Settings(data=watched.data)) as services:
        for bundle in bundles():
            await services.bundles.transact(SYSTEM, bundle)
        for name, actor in relations().items():
            watched.tokens[name] = await services.credentials.issue_token(actor)
        for name in PEOPLE:
            told = PEOPLE[name][0]
            reason = f"Funnet bevisstløs i {told['line']}, {told['city']}"
            with contextlib.suppress(Exception):
                await services.gate.state_relation(relations()["stated"], name, "DELBEHAN", reason)
            if told is STRICT:
                # An emergency shows a physician the address of the other grade.
                await services.gate.break_glass(relations()["emergency"], name, "BLAALYS", reason)
        watched.tokens["system"] = await services.credentials.issue_token(SYSTEM)


@pytest.mark.parametrize("text", ["Gnistreløkka 41", "Mørkestua", "gnist@dulgt.example"])
async def test_the_scan_finds_an_address_however_it_travels(text: str) -> None:
    for form in forms_of(text):
        assert found_in(form, WORDS), form
    assert not found_in(b"Storgata 1, 7010 Trondheim" * 20, WORDS)


@pytest.mark.parametrize("part", [FEW, pytest.param(EVERY, marks=pytest.mark.soak)])
async def test_no_answer_of_the_api_tells_an_address_to_anybody_who_may_not_see_it(
    watched: Watched, part: int
) -> None:
    codings = ("identity", "gzip", "zstd")
    actors = [(who, token) for who, token in watched.tokens.items() if who != "system"]
    for number, (who, token) in enumerate(actors):
        headers = {"authorization": f"Bearer {token}", "accept-encoding": codings[len(who) % 3]}
        async with httpx.AsyncClient(
            base_url=f"{watched.url}/fhir/", headers=headers, timeout=60
        ) as client:
            for name in PEOPLE:
                for url in urls(name)[number % part :: part]:
                    answer = await client.get(url)
                    watched.take(f"{who}: {url}", whole(answer), url)
                    assert answer.status_code < 500, (who, url, answer.text)
                for url, body in posted(name)[number % min(part, 6) :: min(part, 6)]:
                    answer = await client.post(url, json=body)
                    watched.take(f"{who}: POST {url}", whole(answer), json.dumps(body))
                    assert answer.status_code < 500, (who, url, answer.text)
    assert watched.hits == []
    assert watched.answers > len(actors) * len(PEOPLE) * len(urls(STRICT_ID)) // part


def whole(answer: httpx.Response) -> bytes:
    """Status line, headers with cookies, and the content unpacked."""
    head = b"\n".join(b": ".join(pair) for pair in answer.headers.raw)
    return answer.reason_phrase.encode() + b"\n" + head + b"\n\n" + answer.content


async def test_it_finds_nobody_by_where_they_live_and_no_count_or_order_tells(
    watched: Watched,
) -> None:
    for who in ("ward-nurse", "emergency", "app of all"):
        headers = {"authorization": f"Bearer {watched.tokens[who]}"}
        async with httpx.AsyncClient(
            base_url=f"{watched.url}/fhir/", headers=headers, timeout=60
        ) as client:
            for name in (STRICT_ID, "vern-lukket"):
                told = PEOPLE[name][0]
                asked = {"address": told["line"], "address-city": told["city"],
                         "address-postalcode": told["code"], "phone": told["phone"],
                         "email": told["email"], "address:contains": "nistrel"}  # fmt: skip
                for key, value in asked.items():
                    for chained in (f"Patient?{key}", f"Observation?patient.{key}"):
                        path, _, parameter = chained.partition("?")
                        found = (await client.get(
                            path, params={parameter: value, "_total": "accurate"}
                        )).json()  # fmt: skip
                        assert (found["total"], found.get("entry", [])) == (0, []), (who, key)
            order = (await client.get("Patient?_sort=address-city&_count=1000")).json()
            assert STRICT_ID not in json.dumps(order)
    assert set(SAYS_WHERE) <= PARAMETERS["Patient"].keys()


async def test_nothing_but_the_place_is_lost_of_a_hidden_record(watched: Watched) -> None:
    headers = {"authorization": f"Bearer {watched.tokens['ward-nurse']}"}
    async with httpx.AsyncClient(base_url=f"{watched.url}/fhir/", headers=headers) as client:
        person = (await client.get(f"Patient/{STRICT_ID}")).json()
        pulse = (await client.get(f"Observation/{STRICT_ID}-puls")).json()
        team = (await client.get(f"CareTeam/{STRICT_ID}-lag")).text
        letters = [(await client.get(f"DocumentReference/{STRICT_ID}-brev-{n}")).json()
                   for n in range(3)]  # fmt: skip
        stay = (await client.get(f"Encounter/{STRICT_ID}-0")).json()
        by_place = await client.get(
            f"CareTeam?participant=Organization/{NEAR_HOME}&_total=accurate"
        )
        by_ward = await client.get("Encounter?service-provider=Organization/st-olavs-lunge")
    assert person["name"][0]["family"] == "Vernes"
    assert "masked" in json.dumps(person["address"])
    assert pulse["valueQuantity"]["value"] == 72
    assert "[skjermet adresse]" in json.dumps(pulse)
    assert NEAR_HOME not in team + json.dumps(person)
    assert stay["serviceProvider"]["reference"] == "Organization/st-olavs-lunge"
    assert "data" in letters[0]["content"][0]["attachment"]
    assert not [each for each in letters[1:] if "data" in each["content"][0]["attachment"]]
    found = [each["resource"]["id"] for each in by_place.json()["entry"]]
    assert (found, by_place.json()["total"]) == (["vern-fortrolig-lag"], 1)
    assert STRICT_ID in by_ward.text


async def test_those_who_treat_somebody_themselves_see_where_they_live(watched: Watched) -> None:
    async with open_services(Settings(data=watched.data)) as services:
        near = replace(personas()["ward-nurse"], id="Practitioner/named")
        named = {
            "resourceType": "Encounter", "id": "vern-navngitt", "status": "in-progress",
            "class": {"code": "IMP"}, "subject": {"reference": f"Patient/{STRICT_ID}"},
            "participant": [{"individual": {"reference": near.id}}],
        }  # fmt: skip
        await services.writer.write(SYSTEM, named)
        seen = await services.gate.open_resource(near, "Patient", STRICT_ID)
        note = await services.gate.open_resource(near, "Composition", f"{STRICT_ID}-notat")
    assert STRICT["line"].encode() in seen.json
    assert b"[skjermet" not in note.json


@pytest.mark.parametrize("part", [FEW, pytest.param(EVERY, marks=pytest.mark.soak)])
async def test_no_page_of_anybody_tells_an_address(watched: Watched, part: int) -> None:
    paths = ["/", "/patients", "/find?q=vernes", "/find?q=gnistrel", "/my-patients", "/access-log"]
    for persona, link in watched.links.items():
        async with httpx.AsyncClient(
            base_url=watched.url, timeout=60, follow_redirects=True
        ) as browser:
            answer = await browser.get(link)
            watched.take(f"{persona}: {link}", whole(answer), link)
            for path in paths:
                watched.take(f"{persona}: {path}", whole(await browser.get(path)), path)
            for name in PEOPLE:
                await walk(watched, browser, persona, f"/patient/{name}", 120 // part)
    assert watched.hits == []


_LINK: Final = re.compile(r'(?:href|hx-get|src|data-url|action)="(/[^"#]*)')


async def walk(
    watched: Watched, browser: httpx.AsyncClient, persona: str, start: str, most: int
) -> None:
    """Open a page and what it leads to about the same inhabitant, so many pages at most."""
    waiting, seen = [start], {start}
    for _ in range(most):
        if not waiting:
            return
        path = waiting.pop(0)
        if "/live" in path or path.startswith("/static"):
            continue
        answer = await browser.get(path)
        assert answer.status_code < 500, (persona, path)
        watched.take(f"{persona}: {path}", whole(answer), path)
        for found in _LINK.findall(answer.text):
            found = found.replace("&amp;", "&")
            if found not in seen and start.rpartition("/")[2] in found:
                seen.add(found)
                waiting.append(found)


async def test_nothing_that_is_followed_live_tells_an_address(watched: Watched) -> None:
    async with httpx.AsyncClient(
        base_url=watched.url, timeout=60, follow_redirects=True
    ) as browser:
        await browser.get(watched.links["ward-nurse"])
        heard = bytearray()

        async def listen() -> None:
            async with browser.stream("GET", f"/patient/{STRICT_ID}/live") as stream:
                async for piece in stream.aiter_raw():
                    heard.extend(piece)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.5)
        async with open_services(Settings(data=watched.data)) as services:
            await services.writer.write(SYSTEM, {
                "resourceType": "Observation", "status": "final", "code": {"text": "Puls"},
                "subject": {"reference": f"Patient/{STRICT_ID}"}, "valueString": STRICT["line"],
                "effectiveDateTime": "2026-01-09",
            })  # fmt: skip
        await asyncio.sleep(1.5)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    watched.take("live", bytes(heard))
    assert heard
    assert watched.hits == []


async def test_the_trail_of_what_was_done_holds_no_address(watched: Watched) -> None:
    """Not even to a system that may see addresses: why somebody came in is for many to read."""
    headers = {"authorization": f"Bearer {watched.tokens['system']}"}
    async with httpx.AsyncClient(
        base_url=f"{watched.url}/fhir/", headers=headers, timeout=60
    ) as client:
        url = "AuditEvent?_count=500"
        pages = 0
        while url and pages < 20:
            answer = await client.get(url)
            watched.take(f"the trail: page {pages}", answer.content)
            following = [
                link["url"] for link in answer.json().get("link", ()) if link["relation"] == "next"
            ]
            url, pages = (following[0] if following else ""), pages + 1
    assert watched.hits == []


async def test_an_hour_of_work_at_every_unit_tells_no_address(watched: Watched) -> None:
    await replay(watched, HOUR, at_least=30)


@pytest.mark.soak
async def test_a_day_of_work_in_a_told_region_tells_no_address(
    watched: Watched, tmp_path: Path
) -> None:
    told = await asyncio.to_thread(
        watched.run, "region", "generate", *REGION.split(), "--out", str(tmp_path / "told")
    )
    assert told.returncode == 0, told.stderr
    await asyncio.to_thread(watched.run, "import", str(tmp_path / "told" / "bundles"))
    await replay(watched, DAY, at_least=1000)


async def replay(watched: Watched, what: str, at_least: int) -> None:
    """Play the staff's work through a tap, and scan every byte that the server said."""
    tap = Tap(watched.url)
    async with tap as url:
        done = await asyncio.to_thread(
            watched.run, "region", "replay", *what.split(), "--json", url
        )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["begun"] >= at_least
    assert report["errors"] == 0
    lawful = await may_see(watched, {key for each in tap.heard for key in each.asked})
    said = [
        bytes(answer)
        for each in tap.heard
        for key, answer in zip(each.asked, each.said, strict=False)
        if key not in lawful
    ]
    assert len(said) > at_least
    assert STRICT_ID.encode() in b"".join(said), "nobody opened the hidden records"
    for number, answer in enumerate(said):
        watched.take(f"replay, answer {number}", answer)
    watched.take("the replay's report", done.stdout + done.stderr)
    watched.take("the server's log", watched.log.read_bytes())
    assert watched.hits == []


async def may_see(watched: Watched, keys_used: set[bytes]) -> set[bytes]:
    """Those of some tokens and sessions whose owner the rules let see one of the addresses.

    The system that reads back, and who came to treat one of them personally in the day's work.
    """
    found = set()
    patients = [keys.patient_key(name) for name in PEOPLE]
    async with open_services(Settings(data=watched.data)) as services:
        for key in keys_used - {b""}:
            token = key.decode()
            actor = await services.credentials.token_actor(token)
            actor = actor or await services.credentials.session_actor(token)
            assert actor is not None
            known = await services.gate.permits.known(actor, patients, clock.now())
            ways = (decide(actor, "read-address", each.facts) for each in known.values())
            if any(way.allowed for way in ways):
                found.add(key)
    return found
