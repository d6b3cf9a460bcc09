"""A protected address is found in no byte that leaves the server in a replayed day."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import pytest

from helsevev.access.actor import SYSTEM
from helsevev.access.demo import personas
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.kit.settings import Settings
from helsevev.main import open_services

from .address_scan import forms_of, found_in
from .hidden_people import NEAR_HOME, PEOPLE, STRICT, WORDS
from .hidden_questions import posted, urls
from .receiver import receiving
from .subscribing import result_of, subscription
from .watched_record import STRICT_ID, Watched, replay, until, walk, watched, whole

__all__ = ["watched"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR: Final = "--day --hours 9-10 --speed 1800 --inhabitants 1500 --staff 12"
DAY: Final = "--day --hours 7-23 --speed 480 --inhabitants 4000 --staff 60"
REGION: Final = "--scale 0.0005 --years 0.2 --dose-days 2 --until today"
FEW: Final = 15
EVERY: Final = 1
"""Of so many questions each actor asks one: together all of them, by somebody."""

SAYS_WHERE: Final = ("address", "address-city", "address-country", "address-postalcode",
                     "address-state", "address-use", "phone", "email", "telecom")  # fmt: skip


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


FAMILY: Final = (
    "Patient/vern-barn", "Patient/vern-barn/$everything", "Observation/vern-barn-puls",
    "Observation/vern-barn-puls/_history", "Encounter?patient=Patient/vern-barn",
    "DocumentReference/vern-barn-brev", "RelatedPerson?patient=Patient/vern-barn",
    "Observation?patient=Patient/vern-barn&_format=xml",
)  # fmt: skip


async def test_no_text_of_a_child_tells_where_the_hidden_mother_lives(watched: Watched) -> None:
    for who in ("ward-nurse", "app of all", "father"):
        headers = {"authorization": f"Bearer {watched.tokens[who]}"}
        async with httpx.AsyncClient(base_url=f"{watched.url}/fhir/", headers=headers) as client:
            said = {}
            for url in FAMILY:
                answer = await client.get(url)
                assert answer.status_code == 200, (who, url, answer.text)
                watched.take(f"{who}: {url}", whole(answer), url)
                said[url] = answer.text
            pulse, letter = (json.loads(said[FAMILY[n]]) for n in (2, 5))
            assert pulse["valueQuantity"]["value"] == 72
            note = pulse["note"][0]["text"]
            assert note.startswith("Mor bor i [skjermet adresse]"), note
            assert note.endswith("helst før klokken åtte."), note
            attached = letter["content"][0]["attachment"]
            assert (attached["title"], "data" in attached) == ("Innkalling", False)
            # Nor is the child found by where the mother lives.
            for asked in ("_content=gnistrel*", "_content=Gnistrel%C3%B8kka"):
                found = await client.get(f"Observation?{asked}&_total=accurate")
                if found.status_code == 200:
                    assert "vern-barn" not in found.text, (who, asked)
    assert watched.hits == []


async def test_no_receiver_of_notices_is_told_an_address(watched: Watched) -> None:
    headers = {"authorization": f"Bearer {watched.tokens['ward-nurse']}"}
    async with (
        receiving() as receiver,
        httpx.AsyncClient(base_url=f"{watched.url}/fhir/", headers=headers) as client,
    ):
        asked = subscription(
            receiver.url, content="full-resource",
            filters=[f"Observation?patient=Patient/{STRICT_ID}"],
        )  # fmt: skip
        answer = await client.post("Subscription", json=asked)
        assert answer.status_code == 201, answer.text
        await until(lambda: receiver.of_kind("handshake"))
        async with open_services(Settings(data=watched.data)) as services:
            noted = result_of(STRICT_ID, note=[{"text": f"Tatt hjemme i {STRICT['line']}."}])
            await services.writer.write(SYSTEM, noted)
        await until(lambda: receiver.of_kind("event-notification"))
        said = json.dumps(receiver.bundles, ensure_ascii=False)
        watched.take("a notice", said.encode())
        assert "Tatt hjemme i [skjermet adresse]." in said
        assert (await client.delete(f"Subscription/{answer.json()['id']}")).status_code < 300
    assert watched.hits == []


async def test_staff_export_nothing_in_bulk(watched: Watched) -> None:
    for who in ("ward-nurse", "hospital-doctor", "app of all", "father"):
        headers = {
            "authorization": f"Bearer {watched.tokens[who]}", "prefer": "respond-async",
            "accept": "application/fhir+json",
        }  # fmt: skip
        async with httpx.AsyncClient(base_url=f"{watched.url}/fhir/", headers=headers) as client:
            for url in ("$export", "Patient/$export"):
                assert (await client.get(url)).status_code == 403, (who, url)


async def test_no_page_for_printing_tells_an_address(watched: Watched) -> None:
    printed = 0
    for persona, link in watched.links.items():
        async with httpx.AsyncClient(
            base_url=watched.url, timeout=60, follow_redirects=True
        ) as browser:
            await browser.get(link)
            for name in (*PEOPLE, "vern-barn"):
                for page in ("medications/print", "access/print"):
                    answer = await browser.get(f"/patient/{name}/{page}")
                    assert answer.status_code < 500, (persona, name, page)
                    printed += answer.status_code == 200
                    watched.take(f"{persona}: {name} {page}", whole(answer))
    assert printed > 0
    assert watched.hits == []


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
