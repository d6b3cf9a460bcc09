"""What a task may take only ever goes down."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from .conftest import BUDGETS


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", repository, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"There is no history to compare with: {done.stderr.strip()}")
    return done.stdout


def test_no_budget_is_higher_than_it_has_ever_been(repository: Path) -> None:
    name = BUDGETS.relative_to(repository).as_posix()
    now = tomllib.loads(BUDGETS.read_text("utf-8"))
    for commit in _git(repository, "log", "--format=%H", "--", name).split():
        then = tomllib.loads(_git(repository, "show", f"{commit}:{name}"))
        raised = {
            f"{task}: {what}"
            for task, budget in now.items()
            for what, most in budget.items()
            if task in then and most > then[task].get(what, most)
        }
        assert raised == set(), commit
