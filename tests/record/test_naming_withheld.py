"""What is withheld is not told by what names it: one case a row, by every door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import NotFound, Refused
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.search_query import parse
from helsevev.record.everything import Part

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("naming_withheld.json").read_text("utf-8")
)
ICD10 = "http://hl7.org/fhir/sid/icd-10-no"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PLACES = {
    "PERSON": "runa", "HIDDEN": "runa-hidden", "PLAIN": "runa-plain", "CONTACT": "runa-clinic"
}  # fmt: skip


def placed(resource: dict[str, Any], number: int) -> dict[str, Any]:
    text = json.dumps(resource)
    for word, name in PLACES.items():
        text = text.replace(f"/{word}", f"/{name}")
    found: dict[str, Any] = json.loads(text)
    return found | {"id": f"runa-{number}"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runa(services: Services, patient: Any, stay: Any) -> None:
    """Runa, whose genetic risk those who are not her own physician do not see."""
    about = {"subject": {"reference": "Patient/runa"}}
    risk = {"code": {"coding": [{"system": ICD10, "code": "Z80.3"}], "text": "SECRET"}}
    marked = {"meta": {"security": [{"system": ACT, "code": "GDIS"}]}}
    made: list[dict[str, Any]] = [
        patient("runa"), stay("runa"),
        {"resourceType": "Condition", "id": "runa-hidden", **about, **risk},
        {"resourceType": "Condition", "id": "runa-plain", "code": {"text": "Asthma"}, **about},
        stay("runa", "runa-clinic") | marked,
    ]  # fmt: skip
    made += [placed(case["resource"], number) for number, case in enumerate(CASES)]
    for resource in made:
        await services.writer.write(SYSTEM, resource)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["says"] for case in CASES])
async def test_what_is_withheld_is_told_by_nothing_that_names_it(
    services: Services, runa: None, nurse: Actor, number: int
) -> None:
    case = CASES[number]
    kind, name = case["resource"]["resourceType"], f"runa-{number}"
    permit = await services.gate.open_chart(nurse, "runa")
    sliced = await services.gate.open_slices(permit, [Slice(kind, 100)])
    found = {each["id"]: json.dumps(each) for each in sliced[kind]}
    query = parse(kind, [("patient", "Patient/runa"), ("_id", name)], base="")
    rows = (await services.searcher.search(nurse, query)).matches
    rows += [s for s in (await services.history.of_patient(nurse, "runa")).versions if s.id == name]
    whole = await services.everything.of_patient(nurse, "runa", Part(), count=None, cursor="")
    rows += [stored for stored in whole.matches if stored.id == name]
    if not case["shown"]:
        assert (rows, name in found) == ([], False)
        with pytest.raises(NotFound):
            await services.gate.open_resource(nurse, kind, name)
        return
    rows.append(await services.gate.open_resource(nurse, kind, name))
    assert len(rows) == 4
    for said in [found[name], *(stored.json.decode() for stored in rows)]:
        assert "SECRET" not in said
        assert "runa-hidden" not in said
        for left in case["left"]:
            assert left.replace("PLAIN", "runa-plain") in said
        assert ("REDACTED" in said) is not case.get("whole", False)
    own = (await services.gate.open_resource(SYSTEM, kind, name)).json
    assert b"REDACTED" not in own


async def test_no_search_by_a_withheld_entry_finds_what_names_it(
    services: Services, runa: None, nurse: Actor
) -> None:
    for kind, parameter in (
        ("Encounter", "diagnosis"), ("List", "item"), ("Task", "focus"), ("Provenance", "target"),
        ("DocumentReference", "related"), ("Composition", "entry"),
    ):  # fmt: skip
        for name, found in (("runa-hidden", False), ("runa-plain", kind != "DocumentReference")):
            asked = [(parameter, f"Condition/{name}"), ("_total", "accurate")]
            page = await services.searcher.search(nurse, parse(kind, asked, base=""))
            assert bool(page.matches) is found, (kind, name)
            assert bool(page.total) is found, (kind, name)
    for only in (("_total", "accurate"), ("_summary", "count")):
        asked = [("patient", "Patient/runa"), only]
        page = await services.searcher.search(nurse, parse("Provenance", asked, base=""))
        assert page.total == 1


async def test_nobody_writes_over_what_names_more_than_they_see(
    services: Services, runa: None, nurse: Actor
) -> None:
    number = next(n for n, case in enumerate(CASES) if case["says"] == "a list of problems")
    seen = (await services.gate.open_resource(nurse, "List", f"runa-{number}")).resource
    with pytest.raises(Refused):
        await services.writer.write(nurse, seen, if_match=1)
