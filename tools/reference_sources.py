"""Reads what only the source text tells: settings read, tables made, words of the audit trail."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CREATE = re.compile(
    r"(?P<comment>(?:^--[^\n]*\n)*)"
    r"^CREATE TABLE (?:IF NOT EXISTS )?(?P<name>\w+) \((?P<body>.*?)^\)",
    re.MULTILINE | re.DOTALL,
)

# For tables that the migrations say nothing of.
TABLES = {
    "resource": "The current version of each resource, with what finds it.",
    "resource_history": "Superseded versions and deletions; nothing is in both tables.",
    "token_set": "Combinations of common values, which rows name by a number.",
    "search_string": "What string parameters are compared with, by prefix.",
    "search_date": "What date parameters are compared with, as ranges of microseconds.",
    "search_quantity": "What number and quantity parameters are compared with.",
    "audit_event": "The audit trail: every opening, search, list, write and refusal.",
    "export_job": "Exports in bulk: what was asked, how far each has come, which files it left.",
    "idempotency_key": "Keys of writes that may come twice, with the first one's result.",
    "emergency_access": "Broken glass: who, whose record, on what ground, until when.",
    "draft": "Unsigned texts, seen by their author alone.",
    "last_look": "When somebody last looked at a chart, for what is new since.",
    "session": "Signed-in browsers; only a hash of the token is kept.",
    "api_token": "Bearer tokens of the API; only a hash is kept.",
    "migration": "Which steps of which migration have been carried out.",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the record."""

    name: str
    about: str
    columns: tuple[tuple[str, str], ...]
    key: str


def tables_of(record: Path) -> Iterator[Table]:
    """Every table that the migrations make, in their order, and the one that keeps their count."""
    sources = [*sorted((record / "migrations").glob("*.sql")), record / "migration.py"]
    for path in sources:
        for match in _CREATE.finditer(path.read_text("utf-8")):
            yield _table(match["name"], match["comment"], match["body"])


def _table(name: str, comment: str, body: str) -> Table:
    about = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
    columns, key = [], ""
    for line in body.strip().splitlines():
        text = line.strip().rstrip(",")
        if found := re.fullmatch(r"PRIMARY KEY \((.*)\)", text):
            key = found[1]
            continue
        column, _, kind = text.partition(" ")
        if kind.endswith("PRIMARY KEY"):
            key = column
        columns.append((column, kind.replace(" PRIMARY KEY", "").replace(" NOT NULL", "")))
    return Table(name, about or TABLES.get(name, ""), tuple(columns), key)


def settings_read(path: Path) -> set[str]:
    """The names of environment variables that a module reads."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"HELSEVEV_[A-Z_]+|PORT", node.value)
    }


def constants_named(package: Path, name: str) -> set[str]:
    """Texts that the gate and the surfaces hand on under a name, or take as its default."""
    found: set[str] = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = _called(node)
                if called == "add_argument":
                    continue
                values = [k.value for k in node.keywords if k.arg == name]
                if name == "interaction" and called == "author_of":
                    values += node.args[1:2]
                found |= set(_texts(values))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                defaults = [d for a, d in named if a.arg == name and d is not None]
                found |= set(_texts(defaults))
    return found


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
