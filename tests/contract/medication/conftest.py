"""A ward over the demo's record, and somebody who lies there."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from litestar.exceptions import LitestarDeprecationWarning

from helsevev.access import demo
from helsevev.access.services import services_over
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import CHAPTERS, build_app, build_pages, rules, rules_beside
from helsevev.record.database import Database

from .ward_and_phones import WARD, Ward, order


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ward(database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ward]:
    folder = tmp_path_factory.mktemp("ward")
    settings = Settings(data=folder, demo=True, address="http://127.0.0.1:8000")
    projections = tuple(p for chapter in CHAPTERS for p in chapter.projections)
    services = services_over(
        database, rules(), projections, exports=folder / "exports", keys_folder=folder,
        beside=rules_beside(),
    )  # fmt: skip
    await demo.load(services, clock.now())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        pages = build_pages(settings, services)
        app = build_app(settings, services)
    yield Ward(app, services, pages.state["demo_key"])


@pytest_asyncio.fixture(loop_scope="session")
async def runa(ward: Ward) -> str:
    """Somebody on the ward, with three medicines and one as needed."""
    family = f"Rundehaug{uuid4().hex[:6]}"
    patient = await ward.keep({
        "resourceType": "Patient", "name": [{"family": family, "given": ["Runa"]}],
        "gender": "female", "birthDate": "1951-02-03",
        "address": [{"line": ["Lønnegata 4"], "city": "Steinkjer"}],
    })  # fmt: skip
    await ward.keep({
        "resourceType": "Encounter", "status": "in-progress", "id": f"stay-{patient}"[:64],
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"}, "serviceProvider": {"reference": WARD},
        "period": {"start": "2026-01-01"},
    })  # fmt: skip
    for name in ("Albyl-E", "Furix", "Selo-Zok"):
        await ward.keep(order(patient, name))
    needed = {
        "asNeededCodeableConcept": {"text": "smerter"},
        "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
        "maxDosePerPeriod": {
            "numerator": {"value": 3, "unit": "tablett"},
            "denominator": {"value": 24, "unit": "h", "code": "h",
                            "system": "http://unitsofmeasure.org"},
        },
    }  # fmt: skip
    await ward.keep(order(patient, "Paracet", dosage=needed))
    return patient
