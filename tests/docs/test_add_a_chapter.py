"""Whoever follows "add a chapter" gets a house that still stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

_FILE = re.compile(r"^```python\n# (src/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PARTS = ("tests/architecture", "tests/conftest.py", "pyproject.toml", ".importlinter", "LICENSE",
          "README.md", "Makefile", "docs/decisions", "package-lock.json", "requirements.lock",
          "requirements-dev.lock", "requirements-node.lock", "tools", "bench")  # fmt: skip


def test_the_steps_of_add_a_chapter_leave_the_architecture_whole(
    repository: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(repository / "src", copied / "src", ignore=ignored)
    for part in _PARTS:
        (copied / part).parent.mkdir(parents=True, exist_ok=True)
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, copied / part, ignore=ignored)
        elif source.exists():
            shutil.copy(source, copied / part)
    (copied / "node_modules").symlink_to(repository / "node_modules")
    guide = (repository / "docs" / "how-to" / "add-a-chapter.md").read_text("utf-8")
    for name, text in _FILE.findall(guide):
        (copied / name).parent.mkdir(exist_ok=True)
        (copied / name).write_text(text, "utf-8")
    _insert(
        copied / "src/helsevev/main.py",
        {"import helsevev.patient.chapter\n": "import helsevev.scheduling.chapter\n",
         "    helsevev.patient.chapter.CHAPTER,\n": "    helsevev.scheduling.chapter.CHAPTER,\n"},
    )  # fmt: skip
    contracts = copied / ".importlinter"
    layers = contracts.read_text("utf-8").replace(
        "    medication | documentation | care_plan\n",
        "    medication | documentation | care_plan | scheduling\n",
    )
    contracts.write_text(layers, "utf-8")
    assert "scheduling" in layers
    command = [sys.executable, "-m", "pytest", "tests/architecture", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=copied, env={**os.environ, "PYTHONPATH": str(copied / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    slot = {"start": "2026-11-22T09:00:00Z", "end": "2026-11-22T08:30:00Z"}
    asked = f"from helsevev.main import rules; print(rules()['Slot']({slot}))"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=copied,
        env={**os.environ, "PYTHONPATH": str(copied / "src")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "The time ends before it begins." in said.stdout


def _insert(path: Path, after: dict[str, str]) -> None:
    text = path.read_text("utf-8")
    for before, added in after.items():
        assert before in text
        text = text.replace(before, before + added)
    path.write_text(text, "utf-8")
