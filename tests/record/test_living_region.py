"""The demo opens on a generated region: whole after any interruption, and at once the next time."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from helsevev.access.demo import LoadedRegion
from helsevev.fhir_api.bulk_import.living_region import _plan
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.embedded import embedded
from helsevev.region import demo
from helsevev.region.generate import Plan, bundles

from .importing import command, environment

SCALE = 0.00002
READY = "Stop with Ctrl-C."
LONGEST = 120


class Demo:
    """`helsevev serve --demo --scale` on a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, until: str = READY, scale: float = SCALE) -> str:
        """Start it, and wait until it has said something; returns all it said."""
        words = command("serve", "--demo", "--scale", scale, "--port", 0)
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                words, env=environment(data=self.data), stdout=out, stderr=subprocess.STDOUT
            )
        last = time.monotonic() + LONGEST
        while until not in self.log.read_text():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < last, self.log.read_text()
            time.sleep(0.02)
        return self.log.read_text()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it by a signal."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Demo]:
    """A demo that is not running yet."""
    made = Demo(tmp_path / "data")
    yield made
    made.stop()


async def _counts(data: Path) -> dict[str, int]:
    async with embedded(data) as url:
        database = await Database.open(url, size=1)
        rows = await database.fetch("SELECT type, count(*) FROM resource GROUP BY type")
        await database.close()
    return {row[0]: row[1] for row in rows}


def _expected() -> Counter[str]:
    plan = Plan(SCALE, until=clock.now().date(), dose_days=30)
    told: Counter[str] = Counter()
    for each in bundles(plan, stories=False):
        told.update(each.counts)
    today = clock.now()
    stories = [*demo.bundles(today), *(bundle for _, bundle in demo.history(today))]
    entries = [entry["resource"] for bundle in stories for entry in bundle["entry"]]
    # What the past tells, the stories may tell again.
    told.update(kind for kind, _ in {(each["resourceType"], each["id"]) for each in entries})
    return told


async def test_a_load_that_is_killed_goes_on_at_the_next_start_until_it_is_whole(
    living: Demo,
) -> None:
    living.start(until="Loading resources: ")
    living.stop(signal.SIGKILL)
    said = living.start()
    assert "Loading resources" in said
    living.stop()
    counts = Counter(await _counts(living.data))
    expected = _expected()
    # A start loads the demo's catalogue besides, each product as both, and its packages; the past
    # stops of its scanning; the content as resources; plans and forms that are begun and signed.
    catalogue = counts - expected
    assert set(catalogue) >= {
        "Medication", "MedicationKnowledge", "DetectedIssue", "Questionnaire", "PlanDefinition",
        "CarePlan", "QuestionnaireResponse",
    }  # fmt: skip
    assert catalogue["Medication"] >= catalogue["MedicationKnowledge"] > 0
    assert counts - catalogue == expected
    assert "Loading resources" not in living.start()
    living.stop()
    reset = subprocess.run(
        command("region", "reset", "--yes"), env=environment(data=living.data),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert reset.returncode == 0, reset.stderr
    assert await _counts(living.data) == expected


def test_a_reset_waits_for_nobody_who_cannot_answer(tmp_path: Path) -> None:
    done = subprocess.run(
        command("region", "reset"), env=environment(data=tmp_path), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "--yes" in done.stderr


def test_a_region_that_was_begun_is_told_on_as_it_was_and_may_grow() -> None:
    begun = LoadedRegion(Plan(0.002, until=Plan(1).until, dose_days=30), 0, is_whole=False)
    again = msgspec.json.decode(msgspec.json.encode(begun), type=LoadedRegion)
    assert again == begun
    assert _plan(begun, 0.001) == begun.plan
    assert _plan(begun, 0.01) == Plan(0.01, until=begun.plan.until, dose_days=30)
    assert _plan(None, 0.002).until == clock.now().date()
