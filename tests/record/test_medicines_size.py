"""FEST's size: the whole register loaded in little memory, and a medicine found as one types."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helsevev.kit.settings import Settings
from helsevev.main import open_services
from helsevev.medication.catalogue.look_up import catalogue_of

from .synthetic_fest import Fest

pytestmark = pytest.mark.soak
MOST_MEGABYTES = 400
MOST_MILLISECONDS = 10
LOAD = """
import resource, sys
from helsevev.main import cli
status = cli(["medicines", "load", sys.argv[1]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
raise SystemExit(status)
"""


def typed(chance: random.Random, fest: Fest) -> str:
    """What somebody types on the way to a medicine, with a slip now and then."""
    brand = chance.randrange(fest.count("brand"))
    trade, substance = fest.trade(brand // 3), fest.substance(brand % fest.count("strength"))
    at = chance.randrange(1, len(trade))
    return chance.choice([
        trade[:1], trade[:2], trade[:3], trade, substance[:4], substance,
        fest.atc(brand % fest.count("strength")), f"{trade} {5 * (brand % 40 + 1)} mg",
        f"{substance[:5]} tab", trade[:at] + chance.choice("aeiou") + trade[at + 1 :],
    ])  # fmt: skip


def test_the_whole_register_is_loaded_in_little_memory_and_found_in_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fest = Fest()
    path = fest.write(tmp_path / "fest.xml")
    assert path.stat().st_size > 110_000_000
    monkeypatch.setenv("HELSEVEV_DATA", str(tmp_path / "data"))
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(path)], env=dict(os.environ), text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    megabytes = int(done.stdout.splitlines()[-1])
    times = asyncio.run(_asked(fest))
    p95 = times[int(len(times) * 0.95)]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {"seconds": round(seconds, 1), "megabytes": megabytes, "find_p95_ms": round(p95, 2)}
    sys.stdout.write(json.dumps(told | {"reader_megabytes": grown}) + "\n")
    assert megabytes < MOST_MEGABYTES
    assert p95 < MOST_MILLISECONDS


async def _asked(fest: Fest) -> list[float]:
    """The processor's milliseconds of each of many questions, the shortest first."""
    chance = random.Random(7)
    async with open_services(Settings.from_environment()) as services:
        catalogue = catalogue_of(services)
        assert await catalogue.find(fest.trade(1))
        times = []
        for _ in range(3000):
            text = typed(chance, fest)
            begun = time.process_time()
            await catalogue.find(text, 12)
            times.append((time.process_time() - begun) * 1000)
    return sorted(times)
