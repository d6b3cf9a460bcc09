"""What a newcomer finds at the top is true: licence, commands, locks and the door to them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from .source_files import REPOSITORY

# Where a package is fetched from is the machine's own setting, not the project's.
_ADDRESS = re.compile(r"://|--(?:extra-)?index-url|\"resolved\"")


def test_the_licence_is_the_one_the_package_names() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "EUPL-1.2"
    text = (REPOSITORY / "LICENSE").read_text("utf-8")
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in text
    assert "15.Applicable Law" in text
    assert "Compatible Licences" in text


def test_every_command_of_the_readme_is_in_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    there = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    told = set(re.findall(r"\bmake ([a-z-]+)", readme))
    assert {"demo", "test"} <= told <= there


def test_the_locks_hold_every_dependency_with_its_hash_and_no_address() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {_name(text) for text in project["dependencies"]}
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock"):
        text = (REPOSITORY / lock).read_text("utf-8")
        assert not _ADDRESS.search(text), lock
        entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
        assert wanted <= {_name(entry) for entry in entries}


def test_the_node_lock_names_no_address() -> None:
    packages = json.loads((REPOSITORY / "package-lock.json").read_text("utf-8"))["packages"]
    assert {name for name, package in packages.items() if "resolved" in package} == set()


def test_every_decision_has_its_five_parts() -> None:
    for path in sorted((REPOSITORY / "docs" / "decisions").glob("[0-9]*.md")):
        headings = re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)
        wanted = ["Context", "Decision", "Status", "Consequences", "Alternatives rejected"]
        assert headings == wanted, path.name


def test_every_decision_has_a_number_of_its_own_and_stands_in_the_list() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    rows = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$", _list(folder), re.MULTILINE)
    assert [name for _, name, _ in rows] == files
    for number, name, title in rows:
        assert name.startswith(number)
        assert (folder / name).read_text("utf-8").startswith(f"# {title}\n")


def _list(folder: Path) -> str:
    return (folder / "README.md").read_text("utf-8")


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return match[0].lower()
