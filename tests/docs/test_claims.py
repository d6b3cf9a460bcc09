"""What features.csv claims and no other test proves through a door that people or programs use."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.fhir_api.application import FhirApi
from helsevev.kit import clock
from helsevev.record.database import Database

from .conftest import Checkout

STRANGER = Actor(
    kind="practitioner", id="Practitioner/stranger", name="Anne", profession="physician",
    role="lege", organisation="Organization/elsewhere", organisations=("Organization/elsewhere",),
)  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """A record with one inhabitant in it."""
    made = services_over(database, {})
    person = {"resourceType": "Patient", "id": "claims", "birthDate": "1950-01-01"}
    await made.writer.write(SYSTEM, person)
    yield made


@contextmanager
def signed_in(checkout: Checkout, persona: str) -> Iterator[httpx.Client]:
    """A browser of a persona of the demo, without a screen."""
    key = (checkout.folder / "data" / "demo-login.secret").read_text("utf-8").strip()
    address = f"http://127.0.0.1:{checkout.port}"
    with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as client:
        client.get(f"/sign-in/{persona}", params={"key": key}).raise_for_status()
        yield client


async def test_broken_glass_closes_again_after_four_hours(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await services.credentials.issue_token(STRANGER)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(FhirApi(services)), base_url="http://record.example/fhir/",
        headers={"authorization": f"Bearer {token}"},
    ) as program:  # fmt: skip
        assert (await program.get("Patient/claims")).status_code == 403
        await services.gate.break_glass(STRANGER, "claims", "BLAALYS", "Found unconscious at home")
        assert (await program.get("Patient/claims")).status_code == 200
        began = clock.now()
        monkeypatch.setattr(clock, "now", lambda: began + timedelta(hours=3, minutes=59))
        assert (await program.get("Patient/claims")).status_code == 200
        monkeypatch.setattr(clock, "now", lambda: began + timedelta(hours=4, seconds=1))
        assert (await program.get("Patient/claims")).status_code == 403


def test_one_page_shows_what_is_dangerous_what_is_wrong_what_is_taken_and_what_was_written(
    checkout: Checkout,
) -> None:
    with signed_in(checkout, "home-care-nurse") as nurse:
        page = nurse.get("/patient/demo-aslaug").text
    for part in ("CAVE", "Penicillin", "Anafylaksi", "Kritisk informasjon", "Legemidler i bruk",
                 "Eliquis", "Hjertesvikt", "NEWS2", "Prøvesvar", "Notater", "Epikrise",
                 "Kontakter"):  # fmt: skip
        assert part in page, part


def test_an_inhabitant_reads_who_has_read_her_record(checkout: Checkout) -> None:
    with signed_in(checkout, "home-care-nurse") as nurse:
        assert nurse.get("/patient/demo-marit").status_code == 200
    with signed_in(checkout, "inhabitant") as marit:
        page = marit.get("/patient/demo-marit/access").text
    assert "Berit Lundamo" in page
    assert "Trondheim kommune" in page
    assert "Åpnet journalen" in page


@pytest.mark.parametrize("typed", [{"saturation": "101"}, {"pulse": "820"}, {"temperature": "370"}])
def test_a_vital_sign_out_of_range_is_refused_and_nothing_recorded(
    checkout: Checkout, typed: dict[str, str]
) -> None:
    with signed_in(checkout, "home-care-nurse") as nurse:
        form = nurse.get("/patient/demo-aslaug/vital-signs").text
        sent: dict[str, Any] = {
            "patient": "demo-aslaug", "_csrf_token": _hidden(form, "_csrf_token"),
            "key": _hidden(form, "key"), "time": "2026-11-20T08:00", "respiration": "16", **typed,
        }  # fmt: skip
        answer = nurse.post("/patient/demo-aslaug/vital-signs", data=sent)
    assert answer.status_code == 422
    (value,) = typed.values()
    assert f'value="{value}"' in answer.text
    assert "2026-11-20T08:00" in answer.text
    assert _count(checkout, "date=2026-11-20T08:00") == 0


def _count(checkout: Checkout, condition: str) -> int:
    token = subprocess.check_output(
        [checkout.folder / ".venv/bin/helsevev", "token", "--system"],
        cwd=checkout.folder, text=True,
    ).strip()  # fmt: skip
    address = f"http://127.0.0.1:{checkout.port}/fhir/Observation?patient=demo-aslaug&{condition}"
    asked = httpx.get(
        f"{address}&_summary=count", headers={"authorization": f"Bearer {token}"}, timeout=30
    )
    found: int = asked.json()["total"]
    return found


def _hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"', maxsplit=1)[0]
