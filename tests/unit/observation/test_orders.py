"""What can be ordered, by what it is found, and what an order must say."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from helsevev.content.packs.orders import Orders
from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.observation.orders.catalogue import Catalogue
from helsevev.observation.orders.coding import CATALOGUE, SIDES, SNOMED
from helsevev.observation.orders.request import Line, Requisition, as_entries, faults
from helsevev.observation.orders.rules import check
from helsevev.observation.results_compared import compared
from helsevev.observation.results_due import key_of, need_of, rows


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Shelf(built_in(), date(2026, 11, 22)))


def requisition(catalogue: Catalogue, *chosen: tuple[str, str], **more: Any) -> Requisition:
    made: dict[str, Any] = {
        "patient_id": "kari", "key": "k", "by": Who("Practitioner/d", "Dorte"),
        "lines": [Line(catalogue.orders[key], side) for key, side in chosen],
        "profession": "physician", "unit": Who("Organization/ward", "Sengepost"),
        "performers": {"imaging": Who("Organization/x-ray", "Radiologisk")},
        "why": "Fall", "note": "", "is_urgent": False, "wanted": clock.now(), "encounter": None,
    }  # fmt: skip
    return Requisition(**(made | more))


def test_every_case_of_the_catalogues_comes_out_and_every_set_is_of_what_can_be_ordered(
    catalogue: Catalogue,
) -> None:
    every = [each for pack in built_in() for each in pack.of(Orders).values()]
    assert [problem for each in every for problem in each.faults()] == []
    assert list(catalogue.unknown()) == []
    assert len(catalogue.orders) > 150
    assert len(catalogue.sets) > 20


def test_laboratory_codes_are_in_use_in_the_norwegian_code_system(
    catalogue: Catalogue, shared: Path
) -> None:
    files = sorted((shared / "data" / "norway" / "terminology" / "nlk").glob("*.csv"))
    if not files:
        pytest.skip("The Norwegian laboratory code system is not here to compare with.")
    with files[0].open(encoding="utf-8") as file:
        in_use = {row["kode"] for row in csv.DictReader(file) if not row["gyldig_til"]}
    codes = {each.what.nlk for each in catalogue.orders.values() if each.what.nlk}
    assert codes - in_use == set()
    assert len(codes) > 80


@pytest.mark.parametrize(
    ("typed", "first"),
    [("rtg kne", "xr-knee"), ("innkomst", "set-admission"), ("NPU03230", "k"), ("hjerte", "ecg"),
     ("uvi", "set-uti"), ("finnes ikke", None), ("", None)],
)  # fmt: skip
def test_what_is_typed_finds_the_closest_first(
    catalogue: Catalogue, typed: str, first: str | None
) -> None:
    found = [each.key for each in catalogue.find(typed, 40)]
    assert (first in found) if first else found == []


def test_an_order_says_what_is_missing_and_where(catalogue: Catalogue) -> None:
    now = clock.now()
    knee = ("xr-knee", "")
    said = {
        "side.xr-knee": requisition(catalogue, knee),
        "why": requisition(catalogue, ("xr-chest", ""), why=" "),
        "item.xr-chest": requisition(catalogue, ("xr-chest", ""), profession="nurse"),
        "performer.imaging": requisition(catalogue, ("xr-chest", ""), performers={}),
        "wanted": requisition(catalogue, ("hb", ""), wanted=now - timedelta(days=3)),
        "words": requisition(catalogue),
    }
    for field, asked in said.items():
        assert field in {issue.expression for issue in faults(asked, now)}, field
    assert faults(requisition(catalogue, ("xr-knee", "left"), ("hb", "")), now) == []


def test_samples_share_a_task_and_an_examination_has_its_own(catalogue: Catalogue) -> None:
    asked = requisition(catalogue, ("hb", ""), ("crp", ""), ("xr-knee", "both"))
    made = [entry["resource"] for entry in as_entries(asked, clock.now())]
    orders = [each for each in made if each["resourceType"] == "ServiceRequest"]
    tasks = [each for each in made if each["resourceType"] == "Task"]
    assert len(orders) == 3
    assert [len(task["basedOn"]) for task in tasks] == [2, 1]
    assert tasks[0]["owner"]["reference"] == "Organization/ward"
    assert tasks[1]["owner"]["reference"] == "Organization/x-ray"
    assert orders[2]["code"]["text"] == "Røntgen kne, begge sider"
    assert all(check(order) == [] for order in orders)


def test_a_paired_part_needs_its_side() -> None:
    order: dict[str, Any] = {"code": {"coding": [{"system": CATALOGUE, "code": "xr-hip"}]}}
    assert [issue.expression for issue in check(order)] == ["ServiceRequest.bodySite"]
    side = {"coding": [{"system": SNOMED, "code": SIDES["left"]}]}
    assert check({**order, "bodySite": [side]}) == []
    assert check({**order, "status": "revoked"}) == []


def test_each_edition_of_a_result_is_a_need_of_its_own() -> None:
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final"}
    corrected = {**report, "status": "corrected", "issued": "2026-11-22T10:00:00Z"}
    assert key_of(report) != key_of(corrected)
    assert key_of({**report, "status": "preliminary"}) == ""
    assert list(rows(report)) == [("result/r/final", "due")]
    asked = {"resourceType": "Task", "status": "completed", "identifier": [
        {"system": "http://helsevev.no/fhir/follow-up", "value": "result/r/final/2"}]}  # fmt: skip
    assert need_of(asked) == "result/r/final"
    assert list(rows({**asked, "owner": {"reference": "Organization/ward"}})) == []
    by_name = {**asked, "owner": {"reference": "Practitioner/d"}}
    assert list(rows(by_name)) == [("result/r/final", "acknowledged")]


def test_results_stand_in_columns_of_time_with_the_newest_first() -> None:
    def lab(day: int, value: str, code: str = "718-7") -> dict[str, Any]:
        return {
            "resourceType": "Observation", "id": f"{code}{day}", "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}], "valueString": value,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "effectiveDateTime": f"2026-11-{day:02}T08:00:00Z",
        }  # fmt: skip

    table = compared([lab(1, "a"), lab(2, "b"), lab(3, "c", "1988-5")])
    assert [at[:10] for at in table.columns] == ["2026-11-03", "2026-11-02", "2026-11-01"]
    assert [row.name for row in table.rows] == ["Hemoglobin", "CRP"]
    assert [cell.parts[0].words if cell else "" for cell in table.rows[0].cells] == ["", "b", "a"]
