"""Files and functions stay small enough to read, and names say what is inside."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .source_files import PACKAGE, name_of, sources, tree

_MOST_LINES = 400
_MOST_FUNCTION_LINES = 60
_SAYS_NOTHING = {
    *("utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "core"),
    *("misc", "service", "handlers"),
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NORWEGIAN = re.compile("[æøåÆØÅ]")
_NORWEGIAN_ROOMS = ("src/helsevev/locale/", "src/helsevev/content/", "src/helsevev/region/")
# A rule about the letters themselves: how names are searched.
_ABOUT_LETTERS = ("src/helsevev/fhir/search_terms.py",)


def test_no_file_is_too_long_to_read() -> None:
    files = sources(".py", ".ts", ".html", ".css", ".sql", ".sh")
    counted = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in counted.items() if lines > _MOST_LINES} == {}


def test_no_function_is_too_long_to_read() -> None:
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines
        for path in sources(".py")
        for node in ast.walk(tree(path))
        if isinstance(node, _FUNCTIONS)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > _MOST_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_is_named_after_what_it_holds() -> None:
    empty = {name_of(path) for path in sources(".py", ".ts") if path.stem in _SAYS_NOTHING}
    assert empty == set()


def test_every_module_opens_with_a_sentence() -> None:
    without = {
        name_of(path)
        for path in sources(".py")
        if not _is_sentence((ast.get_docstring(tree(path)) or "").split("\n\n")[0])
    }
    assert without == set()


def test_every_public_function_and_class_says_what_it_promises() -> None:
    without = {
        f"{name_of(path)}:{node.lineno} {name}"
        for path in sources(".py")
        if path.is_relative_to(PACKAGE)
        for name, node in _public(tree(path).body)
        if not ast.get_docstring(node)
    }
    assert without == set()


def test_norwegian_lives_in_its_own_rooms() -> None:
    found = {
        f"{name_of(path)}:{number}"
        for path in sources(".py", ".ts", ".html", ".css", ".sql")
        if path.is_relative_to(PACKAGE)
        and not name_of(path).startswith(_NORWEGIAN_ROOMS + _ABOUT_LETTERS)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if _NORWEGIAN.search(line)
    }
    assert found == set()


def _is_sentence(text: str) -> bool:
    return bool(text) and text.rstrip().endswith((".", "!", "?", ":"))


def _public(
    body: list[ast.stmt], within: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in body:
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)) or node.name.startswith("_"):
            continue
        yield within + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body, f"{within}{node.name}.")
