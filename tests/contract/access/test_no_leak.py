"""Nothing about an inhabitant reaches an actor without a relation, whatever is asked."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.access.conftest import condition, person, reference

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Refused
from helsevev.access.export import asked as export
from helsevev.access.export.exports import Exports
from helsevev.access.services import Services, services_over
from helsevev.access.subscriptions.notices import Notices
from helsevev.access.walled import behind
from helsevev.fhir.subscription_asked import Asked
from helsevev.fhir_api.application import FhirApi
from helsevev.kit import clock
from helsevev.record import keys, wall
from helsevev.record.changes import Place
from helsevev.record.database import Database
from helsevev.record.subscriptions import Event, Standing, Subscriptions

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE: Final = tuple(f"p{n}" for n in range(6))
UNITS: Final = ("red", "green", "blue")
STREETS: Final = {name: f"Lønnveien {n}17" for n, name in enumerate(PEOPLE)}
_LOINC: Final = {"system": "http://loinc.org", "code": "8867-4"}


@dataclass
class Region:
    """A small region: who treats whom, whose address is secret, and a client for each unit."""

    services: Services
    clients: dict[str, httpx.AsyncClient]
    treated: dict[str, set[str]]
    secret: set[str]


def staff_of(unit: str) -> Actor:
    """A nurse at a unit."""
    return Actor(
        "practitioner", f"Practitioner/{unit}", unit, "nurse", "nurse",
        f"Organization/{unit}", unit, unit, (f"Organization/{unit}",),
    )  # fmt: skip


def entries(name: str, units: list[str], chance: random.Random) -> list[dict[str, Any]]:
    """What is kept with one inhabitant; every text and id holds a word that is theirs alone."""
    about = {"subject": reference(f"Patient/{name}")}
    found: list[dict[str, Any]] = [
        {"resourceType": "Encounter", "id": f"{name}-at-{unit}", "status": "in-progress",
         "class": {"code": "IMP"}, "serviceProvider": reference(f"Organization/{unit}")} | about
        for unit in units
    ]  # fmt: skip
    found += [
        {
            "resourceType": "Observation", "id": f"{name}-o{n}", "status": "final",
            "code": {"coding": [_LOINC]}, "valueString": f"secret of {name}",
            "effectiveDateTime": f"2026-0{n + 1}-01",
            "note": [{"text": f"Lives at {STREETS[name].upper()}, alone."}],
            "performer": [reference(f"Practitioner/{chance.choice(UNITS)}")],
        } | about
        for n in range(chance.randint(1, 4))
    ]  # fmt: skip
    found.append(condition(name, "plain"))
    found.append({
        "resourceType": "Task", "id": f"{name}-t", "status": "requested", "intent": "order",
        "for": reference(f"Patient/{name}"), "description": f"secret of {name}",
        "focus": reference(f"Observation/{name}-o0"),
    })  # fmt: skip
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def region(database: Database) -> AsyncIterator[Region]:
    """One region by chance; each unit treats some, and nobody treats all."""
    chance = random.Random(20261122)
    services = services_over(database, {})
    made = Region(services, {}, {unit: set() for unit in UNITS}, {PEOPLE[0], PEOPLE[3]})
    app = FhirApi(services)
    for name in PEOPLE:
        units = chance.sample(UNITS, chance.randint(0, 2))
        grade = {"system": "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"}
        mark = {"meta": {"security": [grade | {"code": "strengtFortrolig"}]}}
        who = person(name, address=[{"line": [STREETS[name]], "city": "Levanger"}])
        who["telecom"] = [{"system": "phone", "value": f"+471008{name[1]}{name[1]}"}]
        for unit in units:
            made.treated[unit].add(name)
        for resource in (
            who | (mark if name in made.secret else {}),
            *entries(name, units, chance),
        ):
            await services.writer.write(SYSTEM, resource)
    for unit in UNITS:
        token = await services.credentials.issue_token(staff_of(unit))
        made.clients[unit] = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://record.example/fhir/",
            headers={"authorization": f"Bearer {token}", "content-type": "application/fhir+json"},
        )  # fmt: skip
    yield made
    for client in made.clients.values():
        await client.aclose()


_TYPES: Final = ("Patient", "Observation", "Condition", "Encounter", "Task")
_CONDITIONS: Final = {
    "Patient": (
        "name=berg", "address=Lønnveien", "address-city=Levanger",
        "_has:Observation:patient:code=8867-4",
        "_has:Condition:subject:code=J45", "birthdate=2012-02-02", "phone:missing=false",
        "_has:Task:patient:status=requested", "_content=secret", "_text=Lønnveien",
        "_sort=address-city", "_revinclude=Observation:subject", "_revinclude=Task:patient",
        "_revinclude=Encounter:patient",
    ),
    "Observation": (
        "code=8867-4", "subject:Patient.name=berg", "patient.address=Lønnveien", "_content=secret",
        "_include=Observation:subject", "_revinclude=Task:focus", "value-string=secret",
        "_include:iterate=Patient:general-practitioner", "_sort=-date",
        "subject:Patient._has:Condition:patient:code=J45", "performer=Practitioner/red",
    ),
    "Condition": ("code=J45", "subject:Patient.phone:missing=false", "_include=Condition:subject"),
    "Encounter": (
        "service-provider=Organization/red", "_include=Encounter:subject", "status=in-progress"
    ),
    "Task": ("status=requested", "_include=Task:focus", "_include:iterate=Observation:subject",
             "focus:Observation.code=8867-4"),
}  # fmt: skip
_ALSO: Final = ("_total=accurate", "_summary=count", "_count=2", "_elements=id", "_format=xml")


@st.composite
def asked(draw: st.DrawFn) -> str:
    """Something to GET."""
    name = draw(st.sampled_from(PEOPLE))
    kind = draw(st.sampled_from(_TYPES))
    entry = name if kind == "Patient" else f"{name}-{draw(st.sampled_from(('o0', 'plain', 't')))}"
    parts = draw(st.lists(st.sampled_from(_CONDITIONS[kind]), max_size=3, unique=True))
    parts += draw(st.lists(st.sampled_from(_ALSO), max_size=2, unique=True))
    if draw(st.booleans()):
        parts.append(f"_id={entry}")
    return draw(st.sampled_from((
        f"{kind}?{'&'.join(parts)}", f"{kind}?{'&'.join(parts)}", f"{kind}?{'&'.join(parts)}",
        f"{kind}/{entry}", f"{kind}/{entry}/_history", f"{kind}/{entry}/_history/1",
        f"{kind}/_history", "_history", f"Patient/{name}/$everything",
        f"Patient/{name}/Observation",
        f"?_type={kind},Task", "$export", f"Patient/{name}/$everything?_type=Observation",
        f"Observation/$lastn?code=8867-4&patient=Patient/{name}",
        f"Subscription?criteria={kind}", f"AuditEvent?patient=Patient/{name}",
    )))  # fmt: skip


@settings(
    max_examples=120, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(unit=st.sampled_from(UNITS), urls=st.lists(asked(), min_size=1, max_size=4))
async def test_no_request_tells_of_those_whom_one_does_not_treat(
    region: Region, unit: str, urls: list[str]
) -> None:
    client, treated = region.clients[unit], region.treated[unit]
    answers = [(url, await client.get(url)) for url in urls]
    batch = {
        "resourceType": "Bundle", "type": "batch",
        "entry": [{"request": {"method": "GET", "url": url}} for url in urls],
    }  # fmt: skip
    answers.append(("batch", await client.post("", content=json.dumps(batch))))
    for url, answer in answers:
        assert answer.status_code < 500, (url, answer.text)
        # What was asked is said again in links and in what is not found; it tells nothing.
        said = answer.text if url == "batch" else answer.text.replace(url, "")
        for name in set(PEOPLE) - treated:
            assert f"secret of {name}" not in said, (url, said)
            assert f"Said {name} " not in said, (url, said)
            assert f'"family":"Berg","given":["{name}"]' not in said, (url, said)
        for name in PEOPLE:
            if name in region.secret or name not in treated:
                assert STREETS[name].lower() not in said.lower(), (url, said)


async def test_counts_and_totals_are_of_those_whom_one_treats(region: Region) -> None:
    for unit, client in region.clients.items():
        for kind in _TYPES:
            for only in ("_summary=count", "_total=accurate"):
                said = (await client.get(f"{kind}?{only}")).json()["total"]
                every = (await client.get(f"{kind}?_count=1000")).json().get("entry", [])
                whose = {
                    each["resource"]
                    .get("subject", each["resource"].get("for", {}))
                    .get("reference", f"Patient/{each['resource']['id']}")
                    for each in every
                }
                assert said == len(every)
                assert whose == {f"Patient/{name}" for name in region.treated[unit]}


def tells(said: str, region: Region, unit: str) -> list[str]:
    """Those whom the unit does not treat, of whom something is said all the same."""
    return [
        name
        for name in set(PEOPLE) - region.treated[unit]
        if f"secret of {name}" in said or f"{name}-" in said or f"Patient/{name}" in said
    ]


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    unit=st.sampled_from(UNITS),
    content=st.sampled_from(("empty", "id-only", "full-resource")),
    touched=st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(("o0", "t", "plain")),
                  st.sampled_from("CUD")), min_size=1, max_size=8),
)  # fmt: skip
async def test_no_notice_tells_of_those_whom_its_receiver_does_not_treat(
    region: Region, unit: str, content: str, touched: list[tuple[str, str, str]]
) -> None:
    kinds = {"o0": "Observation", "t": "Task", "plain": "Condition"}
    asked = Asked("http://helsevev.no/topic", "rest-hook", content=content)
    standing = Standing(
        id="s", from_xid=0, last_event=0, delivered=0, created_at=clock.now(),
        next_attempt_at=None, failing_since=None, last_sent_at=None, attempts=0, status="active",
        shown_status="active", error="", topic=asked.topic, owner_id=f"Practitioner/{unit}",
        owner=msgspec.json.encode(staff_of(unit).as_data()).decode(),
        asked=msgspec.json.encode(asked).decode(),
    )  # fmt: skip
    events = [
        Event(n, keys.patient_key(who), kinds[what], f"{who}-{what}", 1, verb, clock.now())
        for n, (who, what, verb) in enumerate(touched, 1)
    ]
    notices = Notices(
        region.services.gate, Subscriptions(region.services.gate.store.shown), "http://x/fhir"
    )
    said = (await notices.of_events(standing, events, content)).decode()
    assert tells(said, region, unit) == []
    if content == "id-only":
        theirs = {f"{who}-{what}" for who, what, verb in touched if who in region.treated[unit]}
        assert all(each in said for each in theirs)


async def test_no_export_holds_those_whom_one_does_not_treat(
    region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def decided(_self: Exports, _actor: Actor) -> None:
        """Exports are for systems; this one has slipped through."""

    async def tell(_read: int) -> bool:
        return True

    monkeypatch.setattr(Exports, "decide", decided)
    for unit in UNITS:
        for asked_types in ((), ("Observation", "Task"), ("Patient",)):
            folder = tmp_path / unit / "-".join(asked_types)
            folder.mkdir(parents=True)
            with behind():
                await region.services.gate.permits.reach_all(staff_of(unit))
                await region.services.exports.export_to(
                    staff_of(unit), export.Asked(types=asked_types), folder, tell
                )
            said = "".join(each.read_text() for each in folder.rglob("*") if each.is_file())
            assert tells(said, region, unit) == []
            if region.treated[unit] and not asked_types:
                assert "secret of" in said


async def test_live_updates_tell_only_those_who_treat(region: Region) -> None:
    services = region.services
    for unit in UNITS:
        for name in PEOPLE:
            with behind():
                try:
                    permit = await services.gate.open_chart(staff_of(unit), name)
                except Refused:
                    assert name not in region.treated[unit]
                    continue
                assert name in region.treated[unit]
                async with aclosing(services.live.changes(permit, Place(0, 0))) as changes:
                    told = await anext(changes)
                    assert told.patient == keys.patient_key(name)
                # The relation ends while the page is open.
                asking = wall.asking()
                assert asking is not None
                asking.drop(permit.patient)
                assert [each async for each in services.live.changes(permit, Place(0, 0))] == []
