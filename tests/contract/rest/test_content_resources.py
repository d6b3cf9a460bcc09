"""Every version of content that was released is read through the API by its url and version."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.rest.conftest import Api

from helsevev.access.actor import SYSTEM
from helsevev.access.content_releases import ContentReleases, Signed
from helsevev.access.packs import today
from helsevev.authoring.publishing import publish, resources
from helsevev.content.packs.shelf import built_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

URL = "https://helsevev.no/fhir/ValueSet/trial-skin"
ITEM = """
title = "Hudtyper"
version = "{version}"
status = "approved"
source = ["Prøve"]

[[include]]
system = "http://snomed.info/sct"
code = [{{code = "{code}", display = "Hud"}}]
"""


async def found(api: Api, kind: str, **words: str) -> list[dict[str, Any]]:
    """What a search of a nurse's app gives."""
    answer = await api.clients["nurse"].get(kind, params=words)
    assert answer.status_code == 200
    return [each["resource"] for each in answer.json().get("entry", ())]


async def release(api: Api, text: str) -> None:
    """Put a value set in force in the nurses' pack, and write it for systems."""
    releases = ContentReleases(api.services.gate, api.services.packs)
    standing = await api.services.packs.standing()
    pack = next(each for each in standing.packs(today()) if each.key == "nursing")
    files = {**pack.files, "value_sets/trial-skin.toml": text}
    signed = Signed("", "Aud Aas", "Ny", "", "Siv Sund")
    await releases.release(SYSTEM, "nursing", "", files, signed)
    await publish(api.services)


async def test_an_old_version_stays_readable_beside_the_one_in_force(api: Api) -> None:
    await api.services.packs.keep_built_in()
    await release(api, ITEM.format(version="1.0.0", code="1"))
    await release(api, ITEM.format(version="1.1.0", code="2"))
    (old,) = await found(api, "ValueSet", url=URL, version="1.0.0")
    (new,) = await found(api, "ValueSet", url=URL, version="1.1.0")
    assert (old["status"], new["status"]) == ("retired", "active")
    assert old["compose"]["include"][0]["concept"][0]["code"] == "1"
    assert [each["version"] for each in await found(api, "ValueSet", url=URL, status="active")] == [
        "1.1.0"
    ]
    assert (await api.clients["nurse"].get("ValueSet/trial-skin-1.0.0")).status_code == 200


async def test_all_that_comes_with_the_program_is_there_once_and_nothing_is_written_twice(
    api: Api,
) -> None:
    standing = await api.services.packs.standing()
    wanted = {(each["resourceType"], each["id"]) for each in resources(standing)}
    assert {kind for kind, _ in wanted} >= {"Questionnaire", "PlanDefinition"}
    assert len(wanted) >= sum(bool(i.resources()) for p in built_in() for _, _, i in p.every())
    assert await publish(api.services) == 0
    (score,) = await found(
        api, "Questionnaire", url="https://helsevev.no/fhir/Questionnaire/4at", _count="5"
    )
    assert score["status"] == "draft"
    plans = await found(api, "PlanDefinition", status="draft", _count="200")
    assert {each["url"] for each in plans} >= {"https://helsevev.no/fhir/PlanDefinition/leg_ulcer"}


async def test_what_a_person_writes_there_by_themselves_is_refused(api: Api) -> None:
    answer = await api.clients["nurse"].put(
        "ValueSet/trial-skin-1.1.0", json={"resourceType": "ValueSet", "id": "trial-skin-1.1.0",
                                           "status": "active", "url": URL},
    )  # fmt: skip
    assert answer.status_code == 403
