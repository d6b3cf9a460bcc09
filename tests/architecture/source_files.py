"""The project's own source files, as the architecture tests look at them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
PACKAGE = REPOSITORY / "src" / "helsevev"

_ROOTS = ("src", "tests", "tools", "bench")
# Made by a script and committed as they are, or made by a build and ignored by git.
_GENERATED = (
    "src/helsevev/fhir/tables/",
    "src/helsevev/screens/static/",
)


def name_of(path: Path) -> str:
    """The path inside the repository."""
    return path.relative_to(REPOSITORY).as_posix()


@cache
def sources(*suffixes: str) -> tuple[Path, ...]:
    """Every hand-written file with one of the suffixes."""
    return tuple(
        path
        for root in _ROOTS
        for path in sorted((REPOSITORY / root).rglob("*"))
        if path.suffix in suffixes and not name_of(path).startswith(_GENERATED)
    )


@cache
def tree(path: Path) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(path.read_text("utf-8"), filename=name_of(path))
