"""What is said of security names tests that are there, or says plainly what is not met."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from .test_features import is_there

Row = dict[str, str]


@pytest.fixture(scope="module")
def items(repository: Path) -> list[Row]:
    """The rows of asvs.csv."""
    with (repository / "docs" / "asvs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_item_is_proved_by_a_test_or_says_why_not(items: list[Row], repository: Path) -> None:
    wrong = [
        row["item"]
        for row in items
        if (row["proof"] and not is_there(repository, row["proof"]))
        or (row["state"] == "met" and not row["proof"])
        or (row["state"] != "met" and not row["note"])
    ]
    assert wrong == []
    states = {"met", "partly", "not met", "not ours", "does not apply"}
    assert {row["state"] for row in items} <= states
    numbers = [[int(part) for part in row["item"].split(".")] for row in items]
    assert numbers == sorted(numbers)
    assert len({tuple(number) for number in numbers}) == len(numbers) > 100


def test_every_test_that_the_threat_model_names_is_there(repository: Path) -> None:
    text = (repository / "docs" / "explanation" / "threat-model.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/.]+::\w+)`", text)
    assert len(named) > 25
    assert [test for test in named if not is_there(repository, test)] == []
    assert [line for line in text.splitlines() if re.match(r"\| [STRIDE] \|", line)
            and "`tests/" not in line] == []  # fmt: skip


def test_a_reader_finds_how_to_report_a_flaw(repository: Path) -> None:
    text = (repository / "SECURITY.md").read_text("utf-8")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (repository / link).exists(), link
    assert "SECURITY.md" in (repository / "README.md").read_text("utf-8")
