"""With the gate's decisions forced open, and with a route that forgot to ask, nothing comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.access import app_bounds, gate, permit, searching
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.export.asked import Asked
from helsevev.access.export.exports import Exports
from helsevev.access.gate import Gate
from helsevev.access.permit import Permit, Permits, Verdict
from helsevev.access.policy import Decision
from helsevev.access.search_bounds import SearchBounds
from helsevev.access.sight import WHOLE
from helsevev.access.slices import Slice
from helsevev.access.views import Run, compiled
from helsevev.access.walled import behind
from helsevev.fhir import subscription_asked
from helsevev.fhir_api.answer import Answer
from helsevev.kit import clock
from helsevev.record import keys, store, wall
from helsevev.record.changes import Place
from helsevev.record.connection import DatabaseError
from helsevev.record.store import Stored
from helsevev.record.subscriptions import Event, Standing

from .conftest import NURSE, Api

SECRET = "Zebrafink"
"""Stands in every resource about the one whom the nurse is not tied to, and nowhere else."""

MINE, OTHER = "wall-mine", "wall-other"
YES = Decision(True, "relation", "forced")
Resource = dict[str, Any]


def record_of(patient: str, unit: str, word: str) -> list[Resource]:
    about = {"reference": f"Patient/{patient}"}
    note = [{"text": word}]
    return [
        {"resourceType": "Patient", "id": patient, "name": [{"family": word}],
         "birthDate": "1950-11-21"},
        {"resourceType": "Encounter", "id": f"{patient}-stay", "status": "in-progress",
         "class": {"code": "IMP", "display": word}, "subject": about,
         "period": {"start": "2026-01-01"},
         "serviceProvider": {"reference": f"Organization/{unit}"}},
        {"resourceType": "Condition", "id": f"{patient}-ill", "subject": about, "note": note,
         "code": {"text": word, "coding": [{"system": "urn:x", "code": "wall-ill"}]}},
        {"resourceType": "Observation", "id": f"{patient}-pulse", "status": "final",
         "subject": about, "note": note, "effectiveDateTime": "2026-01-02T10:00:00Z",
         "code": {"coding": [{"system": "urn:x", "code": "wall-pulse"}]},
         "encounter": {"reference": f"Encounter/{patient}-stay"},
         "performer": [{"reference": "Practitioner/wall-nurse"}],
         "valueQuantity": {"value": 72, "unit": "/min"}},
        {"resourceType": "Composition", "id": f"{patient}-note", "status": "final",
         "subject": about, "type": {"text": word}, "date": "2026-01-02", "title": word,
         "author": [{"reference": "Practitioner/wall-nurse"}],
         "section": [{"entry": [{"reference": f"Observation/{patient}-pulse"}]}]},
    ]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(api: Api) -> AsyncIterator[Api]:
    """One inhabitant on the nurse's ward and one elsewhere, who was changed, and a note deleted."""
    staff = {"resourceType": "Practitioner", "id": "wall-nurse", "name": [{"family": "Nurse"}]}
    writer = api.services.writer
    await writer.write(SYSTEM, staff)
    made = record_of(MINE, "ward", "Mine") + record_of(OTHER, "elsewhere", SECRET)
    names_other = {
        "resourceType": "Flag", "id": "wall-flag", "status": "active", "code": {"text": "flag"},
        "subject": {"reference": f"Patient/{MINE}"}, "author": {"reference": f"Patient/{OTHER}"},
    }  # fmt: skip
    for resource in [*made, names_other]:
        await writer.write(SYSTEM, resource)
    again = dict(made[-2], id=f"{OTHER}-pulse")
    await writer.write(SYSTEM, {**again, "status": "amended"}, if_match=1)
    await writer.write(SYSTEM, dict(made[-3], id=f"{OTHER}-gone"))
    await writer.delete(SYSTEM, "Condition", f"{OTHER}-gone")
    yield api


async def allow_all(_self: Permits, _actor: Actor, patients: Any, *_more: Any) -> Any:
    return {p: Verdict(YES, "TREAT", clock.now() + permit.HOLDS, "", WHOLE) for p in patients}


async def let_in(
    _self: Gate, actor: Actor, patient_id: str, *, interaction: str = "open"
) -> Permit:
    until = clock.now() + permit.HOLDS
    return Permit(actor, keys.patient_key(patient_id), patient_id, "relation", "TREAT", until)


async def show_all(_self: Gate, _actor: Actor, rows: Any, *_more: Any) -> list[Stored]:
    return list(rows)


async def no_bounds(_self: SearchBounds, _actor: Actor, _query: Any) -> None:
    return None


HOLES: dict[str, list[tuple[Any, str, Any]]] = {
    "the policy": [(permit, "decide", lambda *_a, **_k: YES)],
    "every verdict": [(Permits, "verdicts", allow_all)],
    "the gate": [
        (Gate, "open_chart", let_in), (Gate, "allow_read", show_all), (Gate, "visible", show_all),
        (Gate, "as_seen", show_all), (app_bounds, "bars", lambda *_a: False),
    ],
    "search": [(SearchBounds, "of", no_bounds), (searching, "named_patients", lambda _q: [])],
}  # fmt: skip
HOLES["everything"] = [hole for holes in HOLES.values() for hole in holes]


@pytest.fixture(params=HOLES)
def hole(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What of the first wall is torn down."""
    for place, name, instead in HOLES[request.param]:
        monkeypatch.setattr(place, name, instead)
    return str(request.param)


TYPES = ("Patient", "Observation", "Condition", "Encounter", "Composition", "Flag")
ASKED = [
    *(f"{kind}/{OTHER}{tail}" for kind, tail in (
        ("Patient", ""), ("Observation", "-pulse"), ("Condition", "-ill"), ("Condition", "-gone"),
        ("Encounter", "-stay"), ("Composition", "-note"), ("Patient", "/_history"),
        ("Observation", "-pulse/_history"), ("Observation", "-pulse/_history/1"),
        ("Condition", "-gone/_history/1"), ("Patient", "/$everything"),
        ("Patient", "/Observation"), ("Patient", "/*"), ("Encounter", "-stay/$everything"),
        ("Composition", "-note/$document"), ("Patient", "/$summary"),
    )),
    *(f"{kind}?_count=200" for kind in TYPES),
    *(f"{kind}/_history?_count=200" for kind in TYPES),
    "_history?_count=500",
    f"Observation?patient={OTHER}",
    f"Observation?subject=Patient/{OTHER}&_include=*",
    "Observation?code=wall-pulse&_include=Observation:subject&_include=Observation:encounter",
    "Observation?code=wall-pulse&_summary=count",
    "Observation?code=wall-pulse&_total=accurate&_sort=-date",
    f"Observation?patient.name={SECRET}",
    "Observation?patient.birthdate=1950-11-21",
    "Observation?encounter.status=in-progress&_include=Observation:encounter",
    "Patient?_has:Observation:patient:code=wall-pulse",
    "Patient?birthdate=1950-11-21&_revinclude=Observation:subject&_revinclude=Encounter:subject",
    f"Patient?name={SECRET}",
    f"Patient?_id={OTHER},{MINE}",
    f"Condition?_text={SECRET}",
    f"Composition?_content={SECRET}",
    "Flag?_include=Flag:author&_include:iterate=*",
    "Flag?author:Patient.birthdate=1950-11-21&_include=Flag:author",
    "Practitioner?_revinclude=Observation:performer&_revinclude:iterate=Composition:author",
    f"Observation/$lastn?patient={OTHER}&max=2",
    f"Observation/$stats?patient={OTHER}&code=urn:x|wall-pulse&statistic=count",
]  # fmt: skip
"""What a nurse may try, to get at the other one."""


TELL_NO_WORD = ("Flag?_count", "Flag/", "Observation/$stats")
"""Questions whose answers hold no word of what is secret."""


def bundle_of(asked: list[str]) -> Resource:
    entry = [{"request": {"method": "GET", "url": each}} for each in asked]
    return {"resourceType": "Bundle", "type": "batch", "entry": entry}


@pytest.mark.parametrize("asked", ASKED)
async def test_with_the_gate_torn_and_no_wall_the_nurse_would_get_it(
    world: Api, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, name, instead in HOLES["everything"]:
        monkeypatch.setattr(place, name, instead)
    for module in (wall, store, gate, permit):
        monkeypatch.setattr(module, "asking", lambda: None)
    answer = await world.clients["nurse"].get(asked)
    if "_summary=count" in asked:
        assert answer.json()["total"] == 2
    elif answer.status_code == 200 and not asked.startswith(TELL_NO_WORD):
        assert SECRET in answer.text, asked


async def test_a_torn_gate_shows_nothing_of_another_inhabitant(world: Api, hole: str) -> None:
    nurse = world.clients["nurse"]
    for asked in ASKED:
        answer = await nurse.get(asked)
        # What was asked for may be said again: links, and words of refusal.
        told = answer.text.replace(asked, "").replace(f"name={SECRET}", "")
        told = told.replace(f"={SECRET}", "")
        assert SECRET not in told, (hole, asked)
        if "_summary=count" in asked:
            assert answer.json()["total"] == 1, (hole, asked)
    answer = await nurse.post("", json=bundle_of([a for a in ASKED if SECRET not in a]))
    assert SECRET not in answer.text, hole


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_whatever_is_asked_through_a_torn_gate_stays_with_whom_one_is_tied_to(
    world: Api, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    includes = st.sampled_from([
        "_include=*", "_include=Observation:subject", "_include=Composition:entry",
        "_include:iterate=Encounter:subject", "_revinclude=Observation:subject",
        "_revinclude=Composition:subject", "_revinclude:iterate=*", "_sort=-_lastUpdated",
        "_total=accurate", "_elements=subject", "_count=1", f"_id={OTHER}",
        f"subject=Patient/{OTHER}", f"patient=Patient/{OTHER}",
        "_has:Condition:subject:code=wall-ill",
        "subject:Patient.birthdate=1950-11-21", "_lastUpdated=gt2020-01-01",
    ])  # fmt: skip
    asked = f"{kind}?" + "&".join(data.draw(st.lists(includes, max_size=4, unique=True)))
    with pytest.MonkeyPatch.context() as patch:
        for place, name, instead in HOLES["everything"]:
            patch.setattr(place, name, instead)
        answer = await world.clients["nurse"].get(asked, headers={"prefer": "handling=lenient"})
    assert SECRET not in answer.text, asked


async def test_a_route_that_forgot_the_gate_finds_nothing(
    world: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgetful(doors: Any, request: Any) -> Answer:
        stored = await doors.gate.store.read(*request.segments)
        found = await doors.gate.store.read_many([tuple(request.segments)])
        version = await doors.gate.store.read_version(*request.segments, 1)
        chart = await doors.gate.store.slices(keys.patient_key(OTHER), {"Observation": 9})
        rows = [stored, version, *found.values(), *(s for each in chart.values() for s in each)]
        return Answer(200, b"[" + b",".join(s.json for s in rows if s is not None) + b"]")

    class Route:
        public = False
        code = "read"
        answer = staticmethod(forgetful)

    monkeypatch.setattr("helsevev.fhir_api.application.find", lambda *_: Route)
    monkeypatch.setattr("helsevev.fhir_api.app_scopes.refuse_outside", lambda *_: None)
    for place in (f"Patient/{OTHER}", f"Observation/{OTHER}-pulse"):
        assert SECRET in (await world.system.get(place)).text
        for who in ("nurse", "secretary", "inhabitant"):
            answer = await world.clients[who].get(place)
            assert (answer.status_code, answer.text) == (200, "[]")


async def test_an_export_a_view_and_live_updates_that_nobody_decided_hold_nothing(
    world: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def decided(_self: Exports, _actor: Actor) -> None:
        return None

    for place, name, instead in [*HOLES["everything"], (Exports, "decide", decided)]:
        monkeypatch.setattr(place, name, instead)
    services, other = world.services, keys.patient_key(OTHER)

    async def tell(_read: int) -> bool:
        return True

    with behind():
        await services.exports.export_to(NURSE, Asked(), tmp_path, tell)
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert SECRET.encode() not in written
        view = {
            "resourceType": "ViewDefinition", "resource": "Condition", "status": "active",
            "select": [{"column": [{"name": "word", "path": "code.text"}]}],
        }  # fmt: skip
        for run in (Run(), Run(patients=(OTHER,))):
            rows = [page async for page in services.views.rows(NURSE, compiled(view), run)]
            assert SECRET not in str(rows)
        forged = await let_in(services.gate, NURSE, OTHER)
        assert [c async for c in services.live.changes(forged, Place(0, 0))] == []
        assert await services.gate.who_has_read(forged) == []
        assert await services.gate.open_slices(forged, [Slice("Condition", 9)]) == {"Condition": []}
    assert await services.feed.between(other, Place(0, 0)) != []


def attempts() -> list[tuple[str, str, Any, dict[str, str]]]:
    """What a nurse may try to do to the other one's record: method, path, body, headers."""
    entries = record_of(OTHER, "ward", "Forged")
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    json_patch = {"content-type": "application/json-patch+json", "if-match": 'W/"2"'}
    first, second = {"if-match": 'W/"1"'}, {"if-match": 'W/"2"'}
    found: list[tuple[str, str, Any, dict[str, str]]] = [
        ("PUT", f"{kind}/{each['id']}", each, second if kind == "Observation" else first)
        for each in entries
        for kind in [each["resourceType"]]
    ]
    found += [("POST", each["resourceType"], each, {}) for each in entries[1:]]
    found += [("DELETE", f"{each['resourceType']}/{each['id']}", None, {}) for each in entries]
    found.append(("PATCH", f"Observation/{OTHER}-pulse", patch, json_patch))
    for kind in ("transaction", "batch"):
        entry = [
            {"resource": each, "request": {"method": "POST", "url": each["resourceType"]}}
            for each in entries[1:]
        ]
        found.append(("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entry}, {}))
    found.append(("POST", f"Encounter?subject=Patient/{OTHER}", entries[1], {
        "if-none-exist": f"subject=Patient/{OTHER}",
    }))  # fmt: skip
    return found


async def test_a_torn_gate_lets_nothing_be_written_about_another_inhabitant(
    world: Api, hole: str
) -> None:
    whole = world.services.gate.store.roles.owner
    kept = (
        "SELECT (SELECT count(*) || ' ' || sum(version) FROM resource WHERE patient = $1),"
        " (SELECT count(*) FROM resource_history WHERE patient = $1),"
        " (SELECT count(*) FROM change WHERE patient = $1),"
        " (SELECT count(*) FROM treatment_relation WHERE patient = $1)"
    )
    before = await whole.fetchrow(kept, keys.patient_key(OTHER))
    for method, path, body, headers in attempts():
        answer = await world.clients["nurse"].request(method, path, json=body, headers=headers)
        assert SECRET not in answer.text, (hole, method, path)
        if (body or {} if isinstance(body, dict) else {}).get("type") != "batch":
            assert answer.status_code >= 400, (hole, method, path, answer.text)
    assert await whole.fetchrow(kept, keys.patient_key(OTHER)) == before, hole


async def test_a_route_that_takes_the_connections_themselves_finds_nothing(world: Api) -> None:
    roles, other = world.services.gate.store.roles, keys.patient_key(OTHER)
    tables = (
        "resource", "resource_history", "search_string", "search_text", "search_date", "change",
        "draft", "audit_event", "last_look",
    )  # fmt: skip
    with behind():
        for table in tables:
            for reach in (roles.shown, roles.changed, roles.program, roles.people):
                statement = f"SELECT * FROM {table} WHERE patient = {other}"
                try:
                    found = await reach.fetch(statement)
                except DatabaseError as problem:
                    if problem.sqlstate != "42501":
                        raise
                    continue
                if reach is roles.people:
                    # Whoever may list people sees what identifies them, and nothing of the rest.
                    assert {row["type"] for row in found if "type" in row.keys()} <= {"Patient"}  # noqa: SIM118
                else:
                    assert found == [], table


async def test_a_notice_that_was_wrongly_decided_tells_nothing(world: Api, hole: str) -> None:
    asked = subscription_asked.Asked("http://helsevev.no/topic", "rest-hook", "full-resource")
    owner = msgspec.json.encode(NURSE.as_data()).decode()
    standing = Standing(
        id="wall", from_xid=0, last_event=2, delivered=0, created_at=clock.now(),
        next_attempt_at=None, failing_since=None, last_sent_at=None, attempts=0, status="active",
        shown_status="active", error="", topic=asked.topic, owner_id=NURSE.id, owner=owner,
        asked=msgspec.json.encode(asked).decode(),
    )  # fmt: skip
    events = [
        Event(n, keys.patient_key(whose), "Observation", f"{whose}-pulse", 1, "C", clock.now())
        for n, whose in enumerate((MINE, OTHER), 1)
    ]
    for content in ("id-only", "full-resource"):
        told = await world.services.notifier._notices.of_events(standing, events, content)
        assert SECRET.encode() not in told, hole
        assert f"{OTHER}-pulse".encode() not in told, hole
        if hole == "the policy":
            assert f"{MINE}-pulse".encode() in told


async def test_with_the_gate_torn_and_no_wall_the_nurse_would_write_it(
    world: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, name, instead in HOLES["everything"]:
        monkeypatch.setattr(place, name, instead)
    for module in (wall, store, gate, permit):
        monkeypatch.setattr(module, "asking", lambda: None)
    condition = record_of(OTHER, "ward", "Forged")[2]
    assert (await world.clients["nurse"].post("Condition", json=condition)).status_code == 201
