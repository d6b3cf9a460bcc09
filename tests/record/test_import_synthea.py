"""Records that a public generator made are loaded without loss, to the last digit."""

from __future__ import annotations

import bz2
import gzip
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helsevev.fhir import serialization
from helsevev.record.database import Database

from .importing import Outcome, contents, counts, kept, run_import, trace

STAFF = "0-"
"""How the files begin that patient bundles refer to by identifier; they create on a condition."""

_LINK = re.compile(rb'"reference":"[^"]*"')


@dataclass(frozen=True)
class Loaded:
    """A sample of the folder, and what importing it came to."""

    files: list[Path]
    resources: list[dict[str, Any]]
    outcome: Outcome
    url: str


def read(path: Path) -> dict[str, Any]:
    """The Bundle in a packed file."""
    unpack = gzip.decompress if path.suffix == ".gz" else bz2.decompress
    return serialization.decode(unpack(path.read_bytes()))


@pytest.fixture(scope="module")
def sample(shared: Path) -> list[Path]:
    """Some bundles of each folder: the smallest, a few at random, and the staff they name."""
    folders = [p for p in sorted((shared / "data" / "synthea").iterdir()) if p.is_dir()]
    found: list[Path] = []
    for folder in folders:
        files = sorted(folder.glob("*.json.*"))
        people = [path for path in files if not path.name.startswith(STAFF)]
        smallest = sorted(people, key=lambda path: path.stat().st_size)[:3]
        found += sorted({*smallest, *people[::30]})
        # Last, so that what refers to them has to wait.
        found += [path for path in files if path.name.startswith(STAFF)]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def loaded(sample: list[Path], database_url: str) -> AsyncIterator[Loaded]:
    """The sample, imported once for this module."""
    resources = [entry["resource"] for path in sample for entry in read(path)["entry"]]
    yield Loaded(sample, resources, run_import(*sample, database_url=database_url), database_url)


def test_counts_by_type_equal_the_inputs(loaded: Loaded) -> None:
    assert loaded.outcome.status == 0, loaded.outcome.told
    summary = loaded.outcome.summary
    expected = Counter(resource["resourceType"] for resource in loaded.resources)
    assert summary["by_type"] == dict(sorted(expected.items()))
    assert summary["resources"] == len(loaded.resources)
    assert (summary["failed"], summary["errors"]) == (0, [])
    assert summary["resources_per_second"] > 0


async def test_the_record_holds_what_the_files_hold(loaded: Loaded, database: Database) -> None:
    expected = Counter(resource["resourceType"] for resource in loaded.resources)
    found = await counts(database)
    merged = {"Organization", "Location", "Practitioner", "PractitionerRole"}
    assert {k: n for k, n in found.items() if k not in merged} == {
        k: n for k, n in expected.items() if k not in merged
    }
    # What is created on a condition may have been there under the same identifier.
    assert all(found[name] <= expected[name] for name in merged & expected.keys())


async def test_every_resource_reads_back_as_it_was_sent(loaded: Loaded, database: Database) -> None:
    sent = Counter(_unlinked(text) for text in contents(loaded.resources).elements())
    found: Counter[bytes] = Counter()
    for name in await counts(database):
        resources = [stored.resource for stored in await kept(database, name)]
        found.update(_unlinked(text) for text in contents(resources).elements())
    assert not found - sent
    # Only what was created on a condition may be there once for several times sent.
    for text in sent - found:
        assert re.search(rb'"resourceType":"(Organization|Location|Practitioner)', text), text[:200]


async def test_every_link_leads_to_a_resource_of_the_record(
    loaded: Loaded, database: Database
) -> None:
    there: set[str] = set()
    named: set[str] = set()
    for name in await counts(database):
        for stored in await kept(database, name):
            there.add(stored.reference)
            named |= {link[13:-1].decode() for link in _LINK.findall(stored.json)}
    assert not {link for link in named if not link.startswith("#")} - there


async def test_given_again_it_changes_nothing(loaded: Loaded, database: Database) -> None:
    before = await trace(database)
    again = run_import(*loaded.files, database_url=loaded.url)
    assert again.status == 0
    assert again.summary["by_type"] == loaded.outcome.summary["by_type"]
    assert again.summary["unchanged"] == again.summary["resources"]
    assert await trace(database) == before


def test_norwegian_examples_are_imported_whomever_they_are_about(
    shared: Path, database_url: str
) -> None:
    folder = shared / "data" / "norway" / "instances" / "json"
    broken = ("questionnaire-response", "VKP.Samples")  # empty strings, which R4 forbids
    files = [path for path in sorted(folder.iterdir()) if not any(b in path.name for b in broken)]
    done = run_import(*files, database_url=database_url)
    assert done.status == 0, done.told
    assert done.summary["resources"] >= len(files)


def _unlinked(text: bytes) -> bytes:
    """The content without where its links lead: in transactions those are rewritten."""
    return _LINK.sub(b'"reference":""', text)
