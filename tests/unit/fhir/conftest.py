"""HL7's definitions and examples, and records from a generator, where they are at hand."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization


@pytest.fixture(scope="session")
def definitions_folder(repository: Path) -> Path:
    """HL7's R4 definitions, as npm brings them."""
    folder = repository / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
    if not (folder / "profiles-resources.json").is_file():
        pytest.skip("The R4 definitions are not installed: npm ci brings them.")
    return folder


@pytest.fixture(scope="session")
def examples(shared: Path) -> list[dict[str, str]]:
    """The official R4 examples at hand: each with its `file`, its `type` and its JSON `text`."""
    path = shared / "data" / "fhir" / "r4-examples.ndjson.gz"
    if not path.is_file():
        pytest.skip(f"There are no official examples in {path}.")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def generated_bundles(shared: Path) -> Callable[[], Iterator[tuple[Path, dict[str, Any]]]]:
    """Every tenth bundle of the public generator, decoded one at a time.

    The record's own tests import them all.
    """
    folder = shared / "data" / "synthea"
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".gz", ".bz2"))[::10]
    if not paths:
        pytest.skip(f"There are no generated records in {folder}.")

    def read() -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in paths:
            unpack = gzip.decompress if path.suffix == ".gz" else bz2.decompress
            yield path, serialization.decode(unpack(path.read_bytes()))

    return read
