"""Pages that order look medicines up as one types; others read the same products over FHIR."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar.exceptions import LitestarDeprecationWarning

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import services_over
from helsevev.kit.secret import secret
from helsevev.kit.settings import Settings
from helsevev.main import build_app
from helsevev.medication.catalogue.choices import choices
from helsevev.medication.catalogue.loading import load_catalogue
from helsevev.medication.catalogue.sentences import usual
from helsevev.record.database import Database

PARACET = "demo-b-paracet-tab-500-mg"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """The application with the catalogue of the content: a doctor, nobody, and a system's token."""
    folder = tmp_path_factory.mktemp("site")
    settings = Settings(data=folder, demo=True, address="http://127.0.0.1:8000")
    services = services_over(database, {}, keys_folder=folder)
    loaded = await load_catalogue(services)
    assert loaded is not None
    assert loaded.written > 300
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        made: Any = build_app(settings, services)
    token = await services.credentials.issue_token(SYSTEM)
    headers = {"doctor": {}, "": {}, "system": {"authorization": f"Bearer {token}"}}
    clients = {
        name: httpx.AsyncClient(
            transport=httpx.ASGITransport(made), base_url="http://127.0.0.1:8000", headers=more
        )
        for name, more in headers.items()
    }
    key = secret(folder, "demo-login")
    answer = await clients["doctor"].get("/sign-in/hospital-doctor", params={"key": key})
    assert answer.status_code == 303
    yield clients
    for client in clients.values():
        await client.aclose()


async def test_what_is_typed_becomes_options_to_choose_from(
    app: dict[str, httpx.AsyncClient],
) -> None:
    answer = await app["doctor"].get("/medicines/find", params={"q": "paracet 500"})
    assert answer.status_code == 200
    assert f'data-reference="Medication/{PARACET}"' in answer.text
    assert 'role="option"' in answer.text
    assert "Paracet tab 500 mg" in answer.text
    nothing = await app["doctor"].get("/medicines/find", params={"q": "<b>qqq"})
    assert "<b>qqq" not in nothing.text
    assert 'aria-disabled="true"' in nothing.text


async def test_a_program_is_told_the_same_as_json(app: dict[str, httpx.AsyncClient]) -> None:
    answer = await app["doctor"].get(
        "/medicines/find", params={"q": "N02BE01", "limit": "3"},
        headers={"accept": "application/json"},
    )  # fmt: skip
    found = answer.json()
    assert len(found) == 3
    assert {each["atc"] for each in found} == {"N02BE01"}
    assert found[0]["reference"].startswith("Medication/")


async def test_a_products_usual_orders_are_told_as_dosages(
    app: dict[str, httpx.AsyncClient],
) -> None:
    told = (await app["doctor"].get(f"/medicines/{PARACET}/sentences")).json()
    assert told
    assert all(each["source"] == "content" and each["text"] for each in told)
    assert told[0]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 1
    assert (await app["doctor"].get("/medicines/none/sentences")).status_code == 404


@pytest.mark.parametrize("limit", ["0", "51", "-1", "x", "", "9999999", "²"])
async def test_a_limit_that_is_none_is_refused(
    app: dict[str, httpx.AsyncClient], limit: str
) -> None:
    answer = await app["doctor"].get("/medicines/find", params={"q": "a", "limit": limit})
    assert answer.status_code == 400


async def test_nobody_looks_up_without_signing_in(app: dict[str, httpx.AsyncClient]) -> None:
    for path in ("/medicines/find?q=para", f"/medicines/{PARACET}/sentences"):
        answer = await app[""].get(path)
        assert answer.status_code == 303
        assert "/sign-in" in answer.headers["location"]


async def test_the_products_are_read_and_searched_over_fhir(
    app: dict[str, httpx.AsyncClient],
) -> None:
    medication = await app["system"].get(f"/fhir/Medication/{PARACET}")
    assert medication.json()["code"]["text"] == "Paracet tab 500 mg"
    found = await app["system"].get(
        "/fhir/MedicationKnowledge",
        params={"code": "http://www.whocc.no/atc|N02BE01", "status": "active"},
    )
    assert found.status_code == 200
    names = [entry["resource"]["code"]["text"] for entry in found.json()["entry"]]
    assert "Paracet tab 500 mg" in names
    assert (await app[""].get(f"/fhir/Medication/{PARACET}")).status_code == 401


async def test_what_is_offered_to_prescribe_is_in_use_and_first_as_it_is_ordered_here(
    database: Database,
) -> None:
    services = services_over(database, {})
    await load_catalogue(services)
    doctor = Actor(
        "practitioner", "Practitioner/doctor", "Dahl, Dina", "physician", "physician",
        "Organization/ward", "Ward", "Ward", ("Organization/ward",),
    )  # fmt: skip
    dosage = usual([
        {
            "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 2.5, "unit": "mg"}}],
        }
    ])  # fmt: skip
    assert dosage is not None
    product = "demo-b-imovane-tab-3-75-mg"
    await services.medicines.learn([(product, dosage, 5), (product, "[]", 4)])
    offered = await choices(services, doctor).find("imovan", 5, date(2026, 11, 22))
    assert [each.name for each in offered] == ["Imovane tab 3,75 mg", "Imovane tab 7,5 mg"]
    assert "2,5 mg" in offered[0].sentences[0].words
    assert offered[0].sentences[0].form["amount"].replace(".", ",") == "2,5"
    assert offered[0].medicine["coding"][0]["code"] == product
