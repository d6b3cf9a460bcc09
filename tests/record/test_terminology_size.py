"""SNOMED CT's size: half a million concepts' worth of questions, each within its time."""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from helsevev.access.expansion import Asked
from helsevev.access.services import Services
from helsevev.access.terminology import Coded
from helsevev.terminology.distributions import read

from .synthetic_snomed import Edition

pytestmark = pytest.mark.soak
SNOMED = "http://snomed.info/sct"
CONCEPTS = int(os.environ.get("HELSEVEV_TEST_CONCEPTS", "350000"))
NAMES = 4


async def timed(times: int, ask: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken), sorted(taken)[int(times * 0.95)]


async def test_questions_about_a_system_of_snomed_s_size_are_answered_at_once(
    services: Services, tmp_path: Path
) -> None:
    edition = Edition(CONCEPTS, NAMES)
    folder = edition.write(tmp_path)
    told: dict[str, Any] = {"concepts": CONCEPTS, "names": CONCEPTS * NAMES}
    begun = time.perf_counter()
    await services.terminology.load(
        read("snomed", folder), "size", progress=lambda _what, _count: None
    )
    told["load s"] = round(time.perf_counter() - begun, 1)
    told["memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    database = services.gate.store.roles.owner
    for table in ("terminology_concept", "terminology_designation"):
        size = await database.fetchval(f"SELECT pg_total_relation_size('{table}')")
        told[f"{table} MB"] = size // 2**20
    chance = random.Random(2)
    terminology = services.terminology

    def code() -> str:
        return edition.code(chance.randrange(CONCEPTS))

    def typed() -> str:
        return " ".join(part[: chance.randint(2, 5)] for part in edition.term().split()[:3])

    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "lookup": lambda: terminology.lookup(SNOMED, code()),
        "subsumes": lambda: terminology.subsumes(SNOMED, code(), code()),
        "validate in": lambda: terminology.validate_in(
            f"{SNOMED}?fhir_vs=isa/{edition.code(chance.randrange(50))}", Coded(SNOMED, code())
        ),
        "expand page": lambda: terminology.expand(
            f"{SNOMED}?fhir_vs=isa/{edition.code(chance.randrange(50))}",
            Asked(offset=chance.randrange(100), count=20),
        ),
        "type ahead": lambda: terminology.expand(
            f"{SNOMED}?fhir_vs", Asked(filter=typed(), count=20)
        ),
        "type ahead, one letter": lambda: terminology.expand(
            f"{SNOMED}?fhir_vs", Asked(filter=chance.choice("abhknsø"), count=20)
        ),
        "type ahead, common word": lambda: terminology.expand(
            f"{SNOMED}?fhir_vs", Asked(filter=chance.choice(("beten", "funn", "i")), count=20)
        ),
        "type ahead below": lambda: terminology.expand(
            f"{SNOMED}?fhir_vs=isa/{edition.code(chance.randrange(1, 200))}",
            Asked(filter=typed(), count=20),
        ),
    }
    for name, ask in questions.items():
        await timed(20, ask)
        median, late = await timed(300, ask)
        told[name] = [round(median, 2), round(late, 2)]
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    # Goals on quiet cores, four times over: machines that run tests do other things too.
    limits = {"lookup": 4, "subsumes": 4, "validate in": 8, "expand page": 20, "type ahead": 20,
              "type ahead, common word": 20}  # fmt: skip
    assert {name: told[name] for name, limit in limits.items() if told[name][1] > 4 * limit} == {}
