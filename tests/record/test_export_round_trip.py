"""What `helsevev export` writes, `helsevev import` takes: nothing of it is lost on the way."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helsevev.fhir import serialization

from .importing import command, environment, run_import

MakeRecord = Callable[[], Any]


@pytest_asyncio.fixture(loop_scope="session")
async def new_record(made_database: Any, template: str) -> AsyncIterator[MakeRecord]:
    """Makes empty records, and gives their URLs."""
    async with AsyncExitStack() as made:
        yield lambda: made.enter_async_context(made_database(template))


def _export(url: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("export", "--out", folder, *words), env=environment(url),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def _contents(folder: Path) -> dict[str, dict[str, Any]]:
    """Every resource, but for version and time, which a record gives anew."""
    found: dict[str, dict[str, Any]] = {}
    for path in folder.glob("*.ndjson"):
        for line in path.read_bytes().splitlines():
            resource = serialization.decode(line)
            meta = resource["meta"]
            del meta["versionId"], meta["lastUpdated"]
            place = f"{resource['resourceType']}/{resource['id']}"
            assert place not in found
            found[place] = resource
    return found


async def test_a_record_moves_to_an_empty_one_and_is_the_same(
    new_record: MakeRecord, shared: Path, tmp_path: Path
) -> None:
    bundles = sorted(
        (
            path
            for path in (shared / "data" / "synthea").rglob("*")
            if path.suffix in (".gz", ".bz2")
        ),
        key=lambda path: path.stat().st_size,
    )
    if not bundles:
        pytest.skip("There are no generated records.")
    first, second = await new_record(), await new_record()
    begun = run_import(*bundles[:6], database_url=first)
    stored = sum(begun.summary["by_type"].values())
    done = _export(first, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    sums = (tmp_path / "out" / "SHA256SUMS").read_text().splitlines()
    for line in sums:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest
    exported = _contents(tmp_path / "out")
    assert len(exported) == stored > 50

    moved = run_import(tmp_path / "out", database_url=second)
    assert moved.status == 0, moved.told
    assert _export(second, tmp_path / "again").returncode == 0
    again = _contents(tmp_path / "again")
    assert again == exported
    assert all(str(again[place]) == str(exported[place]) for place in exported)


async def test_a_part_of_a_record_can_be_exported(new_record: MakeRecord, tmp_path: Path) -> None:
    url = await new_record()
    people = [{"resourceType": "Patient", "id": name, "active": True} for name in ("anna", "bo")]
    weights = [
        {"resourceType": "Observation", "id": f"{name}-w", "status": "final",
         "code": {"text": "weight"}, "subject": {"reference": f"Patient/{name}"},
         "valueQuantity": {"value": 72, "unit": "kg"}}
        for name in ("anna", "bo")
    ]  # fmt: skip
    lines = "".join(json.dumps(resource) + "\n" for resource in [*people, *weights])
    (tmp_path / "in.ndjson").write_text(lines)
    assert run_import(tmp_path / "in.ndjson", database_url=url).status == 0

    assert _export(url, tmp_path / "anna", "--patient", "anna").returncode == 0
    assert sorted(_contents(tmp_path / "anna")) == ["Observation/anna-w", "Patient/anna"]
    assert _export(url, tmp_path / "types", "--type", "Patient").returncode == 0
    assert sorted(_contents(tmp_path / "types")) == ["Patient/anna", "Patient/bo"]

    view = {
        "resourceType": "ViewDefinition", "name": "weights", "resource": "Observation",
        "select": [{"column": [
            {"name": "patient", "path": "subject.getReferenceKey(Patient)"},
            {"name": "kg", "path": "value.ofType(Quantity).value", "type": "decimal"},
        ]}],
    }  # fmt: skip
    (tmp_path / "view.json").write_text(json.dumps(view))
    words = ("--view", str(tmp_path / "view.json"), "--format", "csv")
    assert _export(url, tmp_path / "rows", *words).returncode == 0
    table = (tmp_path / "rows" / "weights-0001.csv").read_bytes()
    assert table in (
        b"patient,kg\r\nPatient/anna,72\r\nPatient/bo,72\r\n",
        b"patient,kg\r\nPatient/bo,72\r\nPatient/anna,72\r\n",
    )

    refused = _export(url, tmp_path / "types")
    assert (refused.returncode, "not empty" in refused.stderr) == (2, True)
    refused = _export(url, tmp_path / "wrong", "--type", "Banana")
    assert (refused.returncode, "Banana" in refused.stderr) == (2, True)
