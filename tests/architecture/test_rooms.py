"""A line of code knows its room, and a room knows what it may touch."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

from .source_files import PACKAGE, REPOSITORY, name_of, sources, tree

_OWN_CHAPTER_ONLY = {"pages", "chapter"}


def test_the_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_is_a_room_of_the_contract_and_every_room_a_folder() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(REPOSITORY / ".importlinter")
    rooms = set(re.findall(r"\w+", contracts["importlinter:contract:rooms"]["layers"]))
    inside = [path for path in PACKAGE.iterdir() if not path.name.startswith(".")]
    folders = {path.name for path in inside if path.is_dir() or path.suffix == ".py"}
    there = {name.removesuffix(".py") for name in folders} - {"__init__", "__pycache__"}
    assert there == rooms


def test_pages_are_imported_by_the_chapter_they_belong_to() -> None:
    strangers = {
        f"{name_of(path)} imports {module}"
        for path in sources(".py")
        if path.is_relative_to(PACKAGE)
        for module in _imported(tree(path))
        if module.startswith("helsevev.") and module.endswith(".pages")
        if path != PACKAGE / module.split(".")[1] / "chapter.py"
    }
    assert strangers == set()


def test_the_driver_is_known_to_the_database_s_door_alone() -> None:
    knowing = {
        path.relative_to(PACKAGE).as_posix()
        for path in sources(".py")
        if path.is_relative_to(PACKAGE) and "asyncpg" in _imported(tree(path))
    }
    assert knowing == {"record/connection.py", "record/database.py"}


def _imported(module: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found
