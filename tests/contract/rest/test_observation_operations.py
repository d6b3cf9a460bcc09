"""The newest of each kind of observation, and statistics that do not round in secret."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from .conftest import Api

LOINC = "http://loinc.org"
PULSE = [{"system": LOINC, "code": "8867-4"}]
PRESSURE = [{"system": LOINC, "code": "85354-9"}]
SYSTOLIC = [{"system": LOINC, "code": "8480-6"}]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def measured(api: Api) -> None:
    """Four pulses, one of them in error, and two pressures."""
    await api.system.put("Patient/tor", json={"resourceType": "Patient", "id": "tor"})
    category = [{"coding": [{"code": "vital-signs"}]}]

    async def add(day: int, coding: Any, status: str = "final", **content: Any) -> None:
        made = {
            "resourceType": "Observation", "status": status, "category": category,
            "code": {"coding": coding}, "subject": {"reference": "Patient/tor"},
            "effectiveDateTime": f"2026-01-{day:02}", **content,
        }  # fmt: skip
        assert (await api.system.post("Observation", json=made)).status_code == 201

    for day, value in ((3, 70.1), (1, 80.2), (2, 60.3)):
        await add(day, PULSE, valueQuantity={"value": value, "unit": "/min"})
    await add(4, PULSE, "entered-in-error", valueQuantity={"value": 700, "unit": "/min"})
    for day, value in ((5, 120), (6, 130)):
        part = {"code": {"coding": SYSTOLIC}, "valueQuantity": {"value": value, "unit": "mmHg"}}
        await add(day, PRESSURE, component=[part])


async def test_the_newest_of_each_kind_come_together(api: Api) -> None:
    asked = "Observation/$lastn?patient=Patient/tor&category=vital-signs"
    found = (await api.system.get(asked)).json()
    days = [entry["resource"]["effectiveDateTime"] for entry in found["entry"]]
    assert sorted(days) == ["2026-01-04", "2026-01-06"]
    two = (await api.system.get(f"{asked}&max=2&status:not=entered-in-error")).json()
    assert [
        entry["resource"]["effectiveDateTime"]
        for entry in two["entry"]
        if entry["resource"]["code"]["coding"] == PULSE
    ] == ["2026-01-03", "2026-01-02"]
    assert (await api.clients["nurse"].get(asked)).status_code == 403


@pytest.mark.parametrize(
    "query", ["patient=Patient/tor", "category=vital-signs", "patient=Patient/tor&code=1&max=0",
              "patient=Patient/tor&code=1&_sort=date", "patient=Patient/tor&code=1&colour=red"],
)  # fmt: skip
async def test_a_question_without_what_it_needs_is_refused(api: Api, query: str) -> None:
    assert (await api.system.get(f"Observation/$lastn?{query}")).status_code == 400


async def statistics(api: Api, query: str) -> dict[str, str]:
    """The figures of the one answer, as they were written."""
    answer = await api.system.get(f"Observation/$stats?subject=Patient/tor&{query}")
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["parameter"]
    return {
        component["code"]["coding"][0]["code"]: str(component["valueQuantity"]["value"])
        for component in found["resource"]["component"]
    }


async def test_statistics_are_of_what_was_measured(api: Api) -> None:
    kinds = "average,minimum,maximum,count,median,sum,20-percent,std-dev,variance"
    assert await statistics(api, f"code=8867-4&system={LOINC}&statistic={kinds}") == {
        "average": "70.2", "minimum": "60.3", "maximum": "80.2", "count": "3", "median": "70.1",
        "sum": "210.6", "20-percent": "64.22", "std-dev": "9.95037688", "variance": "99.01",
    }  # fmt: skip
    assert await statistics(api, "code=8480-6&statistic=average") == {"average": "125"}


@pytest.mark.parametrize(
    "query", ["code=8867-4", "statistic=average", "code=8867-4&statistic=mood",
              "code=8867-4&statistic=average&duration=3"],
)  # fmt: skip
async def test_statistics_that_are_not_offered_are_refused(api: Api, query: str) -> None:
    answer = await api.system.get(f"Observation/$stats?subject=Patient/tor&{query}")
    assert answer.status_code == 400


async def test_of_nothing_there_are_no_statistics(api: Api) -> None:
    query = "subject=Patient/tor&code=none&statistic=average"
    answer = await api.system.get(f"Observation/$stats?{query}")
    assert answer.json() == {"resourceType": "Parameters"}
    assert (await api.clients["nurse"].get(f"Observation/$stats?{query}")).status_code == 403
