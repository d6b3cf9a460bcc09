"""PlanDefinition/$apply proposes a plan of the content for somebody, and keeps nothing."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from helsevev.fhir.validation import validate

from .conftest import NURSE, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUBJECT = "Patient/planned-for"
PLAN = "PlanDefinition/heart-failure-at-home"
URL = "https://helsevev.no/fhir/PlanDefinition/heart_failure_at_home"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def somebody(api: Api) -> None:
    """An inhabitant of 84 on the nurse's ward, with heart failure and failing kidneys."""
    about = {"reference": SUBJECT}
    icd = "http://hl7.org/fhir/sid/icd-10-no"
    made: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "planned-for", "birthDate": "1942-03-14",
         "name": [{"family": "Planheim"}], "gender": "female"},
        {"resourceType": "Encounter", "id": "stay-planned", "status": "in-progress",
         "class": {"code": "IMP"}, "subject": about, "period": {"start": "2026-01-01"},
         "serviceProvider": {"reference": NURSE.organisations[0]}},
        {"resourceType": "Patient", "id": "not-mine", "name": [{"family": "Fremmed"}]},
        *({"resourceType": "Condition", "id": f"condition-{code.lower()}".replace(".", "-"),
           "subject": about,
           "code": {"coding": [{"system": icd, "code": code}]}} for code in ("I50.9", "N18.3")),
    ]  # fmt: skip
    for resource in made:
        told = await api.system.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
        assert told.status_code in (200, 201), told.text


async def test_what_is_proposed_follows_the_person_and_nothing_is_kept(api: Api) -> None:
    before = await api.counts()
    answer = await api.clients["nurse"].get(f"{PLAN}/$apply", params={"subject": SUBJECT})
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert [issue for issue in validate(plan) if issue.is_error] == []
    assert (plan["resourceType"], plan["status"]) == ("CarePlan", "draft")
    # Blood tests are proposed for failing kidneys; stockings are left to the professional.
    assert [each["id"] for each in plan["activity"]] == ["weigh", "legs", "teach", "bloods"]
    assert {each["reference"] for each in plan["goal"]} == {
        f"#{goal['id']}" for goal in plan["contained"]
    }
    weigh = plan["activity"][0]["detail"]["scheduledTiming"]["repeat"]
    assert weigh["timeOfDay"] == ["08:00:00"]
    assert await api.counts() == before


async def test_a_plan_is_named_by_its_url_and_version_too(api: Api) -> None:
    nurse = api.clients["nurse"]
    for words in ({"canonical": URL}, {"url": URL, "version": "0.1.0"}):
        answer = await nurse.get("PlanDefinition/$apply", params={"subject": SUBJECT, **words})
        assert answer.status_code == 200, answer.text
        assert answer.json()["instantiatesCanonical"] == [f"{URL}|0.1.0"]
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "subject", "valueString": SUBJECT}, {"name": "url", "valueUri": URL},
    ]}  # fmt: skip
    assert (await nurse.post("PlanDefinition/$apply", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PLAN}/$apply", 400),
        (f"{PLAN}/$apply?subject=Group/1", 400),
        (f"PlanDefinition/$apply?subject={SUBJECT}", 400),
        (f"PlanDefinition/no-such-plan/$apply?subject={SUBJECT}", 404),
        (f"PlanDefinition/$apply?subject={SUBJECT}&canonical={URL}|9.9.9", 404),
        (f"{PLAN}/$apply?subject=Patient/not-mine", 403),
    ],
)
async def test_what_cannot_be_applied_says_why(api: Api, path: str, status: int) -> None:
    answer = await api.clients["nurse"].get(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
