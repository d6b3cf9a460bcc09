"""The matrix: every role, relation, label, purpose and action, by the API and on pages."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import pytest
from tests.contract.access.conftest import ENTRIES, STREET, World, block

from helsevev.access.policy_rules import rule_book
from helsevev.fhir_api.operations import registry
from helsevev.fhir_api.routing import ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="session")

Row = dict[str, str]
TABLE: Final = Path(__file__).parent / "matrix.csv"
ROWS: Final = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
WHO: Final = list(dict.fromkeys((row["role"], row["relation"]) for row in ROWS))
_ANSWERS: Final = {200: "yes", 201: "yes", 403: "refused", 404: "no", 303: "glass"}


@pytest.mark.parametrize("who", WHO, ids="-".join)
async def test_every_cell_of_the_matrix_is_as_the_table_says(
    world: World, who: tuple[str, str]
) -> None:
    wrong = []
    for row in (row for row in ROWS if (row["role"], row["relation"]) == who):
        for action, found in (await _asked(world, row)).items():
            if found != row[action]:
                wrong.append(f"{row['label']}, {action}: {found}, the table says {row[action]}")
    assert not wrong, wrong


async def _asked(world: World, row: Row) -> Row:
    label = row["label"]
    # `child/psychiatry`: that entry of that record.
    named, _, kind = label.partition("/")
    patient = "open" if label in ENTRIES else named
    entry = f"{patient}-{kind or (label if label in ENTRIES else 'plain')}"
    relation = row["relation"]
    if row["role"] == "inhabitant":
        relation = f"{relation} {patient}"
    api, pages = world.api[row["role"], relation], world.pages[row["role"], relation]
    about = {"reference": f"Patient/{patient}"}
    found = await api.get(
        "/fhir/Condition",
        params={"patient": f"Patient/{patient}", "_id": entry, "_total": "accurate"},
    )
    written = await api.post(
        "/fhir/Condition", json={"resourceType": "Condition", "subject": about}
    )
    booked = await api.post("/fhir/Appointment", json={
        "resourceType": "Appointment", "status": "proposed",
        "participant": [{"actor": about, "status": "needs-action"}],
    })  # fmt: skip
    # Of a Consent that is over, which keeps nobody out.
    blocked = await api.post("/fhir/Consent", json=block(patient, []) | {"status": "inactive"})
    person = await api.get(f"/fhir/Patient/{patient}")
    if person.status_code == 200:
        address = "yes" if STREET in person.text else "masked"
    else:
        address = _ANSWERS[person.status_code]
    return {
        "read": _ANSWERS[(await api.get(f"/fhir/Condition/{entry}")).status_code],
        "search": _total(found),
        "write": _ANSWERS[written.status_code],
        "book": _ANSWERS[booked.status_code],
        "block": _ANSWERS[blocked.status_code],
        "page": await _page(pages, row, patient, entry),
        "address": address,
    }


def _total(answer: Any) -> str:
    if answer.status_code != 200:
        return _ANSWERS[answer.status_code]
    bundle = answer.json()
    assert bundle["total"] == len(bundle.get("entry", ()))
    return "yes" if bundle["total"] else "no"


async def _page(pages: Any, row: Row, patient: str, entry: str) -> str:
    if row["role"] == "system":
        return "-"
    answer = await pages.get(f"/patient/{patient}")
    if answer.status_code != 200:
        return _ANSWERS[answer.status_code]
    if row["address"] == "masked":
        assert STREET not in answer.text
    name = entry.removeprefix(f"{patient}-")
    return "yes" if f"Said {patient} {name}." in answer.text else "no"


async def test_every_rule_is_met_by_a_cell_or_a_case_of_its_own(world: World) -> None:
    elsewhere = {
        "treatment-may-state", "emergency-may-break-glass", "register-keeper-merges",
        "reference-read", "power-of-attorney-reads", "guardian-reads", "parent-of-the-grown",
        "block-of-an-entry-for-a-person", "block-of-an-entry", "own-record-at-work", "own-blocks",
        "block-itself", "administrator-keeps-staff", "system-keeps-staff",
        "administrator-not-oneself", "effective-access-of-staff", "blocks-by-parents",
        "blocks-by-representatives", "blocks-on-request", "privacy-officer-follows-up",
        "alarms-are-answered", "own-power-of-attorney-ends", "apps-are-approved",
        "prescribing-by-profession", "own-power-of-attorney-is-given",
        "unit-times-set-by-the-manager",
        "figures-of-ones-own-unit", "stock-kept-by-those-who-handle-medicines",
        "stock-settled-by-the-manager", "content-kept-by-its-profession",
    }  # fmt: skip
    in_table = {
        "treatment-read", "treats-nobody", "treatment-stated", "documentation-by-profession",
        "documentation-by-secretaries", "emergency-access", "own-record", "parent-reads",
        "representation-and-protected-address", "system", "entry-of-an-open-record",
        "block-of-a-person", "block-of-a-unit", "sensitive-near-unit", "sensitive-near-person",
        "marked-record", "hidden-from-parents", "sensitive-hidden-from-parents",
        "only-for-parents", "withheld-from-patient", "address-unprotected",
        "address-confidential", "address-strictly-confidential",
    }  # fmt: skip
    assert {rule.id for rule in rule_book().rules.values()} == elsewhere | in_table


async def test_no_interaction_and_no_operation_answers_without_a_decision(world: World) -> None:
    nobody = world.client()
    places = {
        "[type]": "Patient", "[id]": "open", "[vid]": "1", "[compartment]": "Patient",
        "[job]": "1", "[file]": "1",
    }  # fmt: skip
    for shape, methods in ROUTES.items():
        path = shape
        for name, value in places.items():
            path = path.replace(name, value)
        for method, interaction in methods.items():
            answer = await nobody.request(method, f"/fhir/{path}", content="{}")
            assert interaction.public or answer.status_code == 401, (method, path)
    for each in registry.OPERATIONS:
        if not each.public:
            answer = await nobody.post(f"/fhir/${each.name}", content="{}")
            assert answer.status_code in (401, 404), each.name
    await nobody.aclose()
