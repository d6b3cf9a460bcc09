"""features.csv claims nothing that no test proves."""

from __future__ import annotations

import ast
import csv
from functools import cache
from pathlib import Path

import pytest

Feature = dict[str, str]


@pytest.fixture(scope="module")
def features(repository: Path) -> list[Feature]:
    """The rows of features.csv."""
    with (repository / "docs" / "features.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_feature_is_judged(features: list[Feature]) -> None:
    assert len(features) == 177
    assert {row["HV"] for row in features} <= {"y", "p", "n"}
    names = [(row["area"], row["feature"]) for row in features]
    assert len(set(names)) == len(names)


def test_what_is_claimed_names_a_test_that_is_there(
    features: list[Feature], repository: Path
) -> None:
    unproved = [
        f"{row['feature']}: {row['proof'] or 'no proof'}"
        for row in features
        if row["HV"] != "n" and not is_there(repository, row["proof"])
    ]
    assert unproved == []
    assert [row["feature"] for row in features if row["HV"] == "n" and row["proof"]] == []


def test_a_whole_claim_is_proved_through_a_door_and_not_inside_the_house(
    features: list[Feature],
) -> None:
    inside = [
        row["feature"]
        for row in features
        if row["HV"] == "y" and row["proof"].startswith("tests/unit/")
    ]
    assert inside == []


def test_the_features_are_those_that_were_agreed_on(features: list[Feature], shared: Path) -> None:
    with (shared / "features.csv").open(encoding="utf-8", newline="") as file:
        agreed = [(row["area"], row["feature"]) for row in csv.DictReader(file)]
    assert [(row["area"], row["feature"]) for row in features] == agreed


def is_there(repository: Path, proof: str) -> bool:
    """Whether `path::test` names a test function of the repository."""
    path, _, name = proof.partition("::")
    return name in _tests(repository / path) if name.startswith("test_") else False


@cache
def _tests(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
