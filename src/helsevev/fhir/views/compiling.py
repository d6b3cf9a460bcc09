"""From a view to a function: a resource in, the rows of its table out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from helsevev.fhir.outcome import error
from helsevev.fhir.path import PathError, compile_tree
from helsevev.fhir.path.kinds import type_of
from helsevev.fhir.path.site import Typed
from helsevev.fhir.path.values import Env, Items, Run, plain, plain_all
from helsevev.fhir.views.definition import Expression, Select, View, ViewError, view_of

ROW_INDEX: Final = "rowIndex"
MOST_ROWS: Final = 100_000
"""Most rows of one resource: products of many parts are refused rather than left to run."""

Row = tuple[Any, ...]
_Rows = Callable[[Items, Env], list[Row]]


@dataclass(frozen=True, slots=True)
class ColumnOf:
    """A column of the table: `type` is FHIR's name of its values, "" when nothing tells it."""

    name: str
    type: str
    collection: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A view, ready: `rows` of one resource in the order of `columns`."""

    name: str
    resource: str
    columns: tuple[ColumnOf, ...]
    _view: View
    _where: tuple[tuple[Run, str], ...]
    _rows: _Rows

    def rows(self, resource: dict[str, Any]) -> list[Row]:
        """The rows of one resource, none when it is of another type or `where` leaves it out.

        Raises `ViewError` for what shows only in the data: several values where one is asked for.
        """
        if resource.get("resourceType") != self.resource:
            return []
        env = Env(resource, dict(self._view.constants) | {ROW_INDEX: 0}, None)
        focus = [resource]
        try:
            for run, place in self._where:
                if not _holds(run(focus, env), place):
                    return []
            return self._rows(focus, env)
        except PathError as problem:
            reference = f"{resource.get('resourceType')}/{resource.get('id')}"
            raise ViewError([error("processing", f"{reference}: {problem}")]) from None


def table_of(definition: dict[str, Any]) -> Table:
    """The table of a ViewDefinition. Raises `ViewError` that says what is wrong and where."""
    view = view_of(definition)
    compiler = _Compiler(view)
    where = tuple((compiler.condition(each), each.place) for each in view.where)
    parts = [compiler.select(select, view.resource) for select in view.selects]
    columns = tuple(column for names, _ in parts for column in names)
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            text = f"The column {column.name} stands twice."
            raise ViewError([error("invalid", text, "ViewDefinition.select")])
        seen.add(column.name)
    rows = _joined([rows for _, rows in parts])
    return Table(view.name, view.resource, columns, view, where, rows)


class _Compiler:
    def __init__(self, view: View) -> None:
        self._resource = view.resource
        self._variables: Collection[str] = {*view.constants, ROW_INDEX}

    def path(self, expression: Expression, of: str | None) -> Typed:
        try:
            return compile_tree(
                expression.tree, of, focus=self._resource, strict=True, variables=self._variables
            )
        except PathError as problem:
            raise ViewError([error("invalid", str(problem), expression.place)]) from None

    def condition(self, expression: Expression) -> Run:
        typed = self.path(expression, self._resource)
        if typed.type not in (None, "boolean", "System.Boolean"):
            text = f"where is true or false; {expression.text} is a {typed.type}."
            raise ViewError([error("invalid", text, expression.place)])
        return typed.run

    def select(self, select: Select, of: str | None) -> tuple[tuple[ColumnOf, ...], _Rows]:
        """The columns of a select and the function that makes its rows from its context."""
        if select.for_each is not None:
            each = self.path(select.for_each, of)
            columns, rows = self._inside(select, each.type)
            return columns, _for_each(each.run, rows, select.or_null)
        if select.repeat:
            found = _Repetition(self, select, of)
            return found.columns, found.rows
        return self._inside(select, of)

    def _inside(self, select: Select, of: str | None) -> tuple[tuple[ColumnOf, ...], _Rows]:
        typed = [(column, self.path(column.path, of)) for column in select.columns]
        own = tuple(
            ColumnOf(column.name, column.type or _plain_type(found.type), column.collection)
            for column, found in typed
        )
        runs = [(found.run, column.collection, column.name) for column, found in typed]
        parts: list[tuple[tuple[ColumnOf, ...], _Rows]] = [(own, _one_row(runs))] if own else []
        parts += [self.select(inner, of) for inner in select.selects]
        if select.unions:
            parts.append(self._union(select, of))
        columns = tuple(column for names, _ in parts for column in names)
        return columns, _joined([rows for _, rows in parts])

    def _union(self, select: Select, of: str | None) -> tuple[tuple[ColumnOf, ...], _Rows]:
        branches = [self.select(branch, of) for branch in select.unions]
        first = branches[0][0]
        for n, (columns, _) in enumerate(branches[1:], 1):
            if [c.name for c in columns] != [c.name for c in first]:
                text = "All parts of a unionAll have the same columns in the same order."
                raise ViewError([error("invalid", text, f"{select.place}.unionAll[{n}]")])
        functions = [rows for _, rows in branches]

        def rows_of(focus: Items, env: Env) -> list[Row]:
            return [row for rows in functions for row in rows(focus, env)]

        return first, rows_of

    def inside(self, select: Select, of: str | None) -> tuple[tuple[ColumnOf, ...], _Rows]:
        """What a select makes of one focus of type `of`."""
        return self._inside(select, of)


class _Repetition:
    """`repeat`: everything found by following its paths again and again, depth first."""

    def __init__(self, compiler: _Compiler, select: Select, of: str | None) -> None:
        self._compiler = compiler
        self._select = select
        self._of = of
        # What is found may be of another type than where it was found; each is compiled once.
        self._paths: dict[str | None, list[Typed]] = {}
        self._inner: dict[str | None, _Rows] = {}
        first = next((typed.type for typed in self._of_type(of)), None)
        self.columns, self._inner[first] = compiler.inside(select, first)

    def _of_type(self, of: str | None) -> list[Typed]:
        if of not in self._paths:
            tried = (self._tried(expression, of) for expression in self._select.repeat)
            self._paths[of] = [typed for typed in tried if typed is not None]
        return self._paths[of]

    def _tried(self, expression: Expression, of: str | None) -> Typed | None:
        try:
            return self._compiler.path(expression, of)
        except ViewError:
            # `answer.item` makes sense below an item, not on the resource.
            return None

    def rows(self, focus: Items, env: Env) -> list[Row]:
        """The rows of all that is found below the focus."""
        outer = env.variables[ROW_INDEX]
        found: list[Row] = []
        for place, (item, kind) in enumerate(self._found(focus, self._of, env, 0)):
            inner = self._inner.get(kind)
            if inner is None:
                inner = self._inner[kind] = self._compiler.inside(self._select, kind)[1]
            env.variables[ROW_INDEX] = place  # type: ignore[index]
            found += inner([item], env)
            _limit(found)
        env.variables[ROW_INDEX] = outer  # type: ignore[index]
        return found

    def _found(self, focus: Items, of: str | None, env: Env, depth: int) -> list[tuple[Any, Any]]:
        if depth > 100:
            raise PathError("repeat goes deeper than 100 levels.")
        found: list[tuple[Any, Any]] = []
        for typed in self._of_type(of):
            for item in typed.run(focus, env):
                kind = typed.type or type_of(item, None)
                found.append((item, kind))
                found += self._found([item], kind, env, depth + 1)
        return found


def _for_each(each: Run, rows: _Rows, or_null: bool) -> _Rows:
    def run(focus: Items, env: Env) -> list[Row]:
        items = each(focus, env)
        outer = env.variables[ROW_INDEX]
        found: list[Row] = []
        for place, item in enumerate(items):
            env.variables[ROW_INDEX] = place  # type: ignore[index]
            found += rows([item], env)
            _limit(found)
        if or_null and not items:
            env.variables[ROW_INDEX] = 0  # type: ignore[index]
            found = rows([], env)
        env.variables[ROW_INDEX] = outer  # type: ignore[index]
        return found

    return run


def _one_row(columns: Sequence[tuple[Run, bool, str]]) -> _Rows:
    def run(focus: Items, env: Env) -> list[Row]:
        row: list[Any] = []
        for value, collection, name in columns:
            items = value(focus, env)
            if collection:
                row.append(plain_all(items))
            elif len(items) == 1:
                row.append(plain(items[0]))
            elif not items:
                row.append(None)
            else:
                raise PathError(
                    f"the column {name} finds {len(items)} values; choose one of them"
                    " (first()), or say collection: true."
                )
        return [tuple(row)]

    return run


def _joined(parts: Sequence[_Rows]) -> _Rows:
    """Every row of the first part with every row of the others."""
    if len(parts) == 1:
        return parts[0]

    def run(focus: Items, env: Env) -> list[Row]:
        found = parts[0](focus, env)
        for part in parts[1:]:
            if not found:
                return []
            more = part(focus, env)
            if len(found) * len(more) > MOST_ROWS:
                raise PathError(f"one resource gives more than {MOST_ROWS} rows.")
            found = [one + other for one, other in product(found, more)]
        return found

    return run


def _limit(found: list[Row]) -> None:
    if len(found) > MOST_ROWS:
        raise PathError(f"one resource gives more than {MOST_ROWS} rows.")


def _holds(items: Items, place: str) -> bool:
    if not items:
        return False
    value = plain(items[0])
    if len(items) > 1 or type(value) not in (bool, type(None)):
        raise PathError(f"{place} is neither true nor false.")
    return value is True


def _plain_type(kind: str | None) -> str:
    if kind is None:
        return ""
    if kind.startswith("System."):
        name = kind[7:]
        return name if name == "Quantity" else name[0].lower() + name[1:]
    return kind
