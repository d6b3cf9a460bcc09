"""Search: a query becomes one statement over the rows that writes leave; pages are keysets."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import Include, Query, SearchError, Sort
from helsevev.fhir.search_terms import TokenTerm
from helsevev.record import keys, leading
from helsevev.record.rows import ABOUT, ELSEWHERE, kept_as, reference_hash
from helsevev.record.search_conditions import Arguments, Codings, ConditionSql
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

DEFAULT_COUNT: Final = 50
LARGEST_COUNT: Final = 1000
MOST_REFERRING: Final = 5000
_SQL: Final = load("search")
_LAST: Final = chr(0x10FFFF)
_LARGEST_EXPONENT: Final = 2000


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records a search may look into: those tied to the actor now, and reference data.

    `own` is the inhabitant's key of the actor's own record. A search without scope sees all.
    """

    actor: str
    grantees: tuple[str, ...]
    now: datetime
    own: int | None = None


@dataclass(frozen=True, slots=True)
class Matches:
    """One page of matches; `next_cursor` goes on after it, `total` counts all when known."""

    rows: list[Stored]
    next_cursor: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of the order: its SQL, its SQL type, and its direction."""

    sql: str
    type: str
    descending: bool


class Search:
    """Runs queries over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self, query: Query, scope: Scope | None = None) -> Matches:
        """The page of `query` within `scope`. Raises `SearchError` for what cannot be searched."""
        for name, value in query.applied:
            if "\0" in value or _is_torn(value):
                raise SearchError([error("value", f"{name} holds what no text holds.", name)])
        arguments = Arguments()
        where, conditions = await self._where(query, scope, arguments)
        if query.only_count:
            total = await self._store.database.fetchval(
                f"SELECT count(*) FROM resource r WHERE {where}", *arguments.values
            )
            return Matches([], None, total)
        counted = len(arguments.values)
        order = _order(query, conditions, arguments)
        count = min(query.count or DEFAULT_COUNT, LARGEST_COUNT)
        after = f" AND {_after(query.cursor, order, arguments)}" if query.cursor else ""
        keys_sql = ", ".join(f"{key.sql} AS k{n}" for n, key in enumerate(order))
        inner = f"SELECT r.*, {keys_sql} FROM resource r WHERE {where}{after}"
        if conditions.narrows:
            # Find the few first, then order them; the planner would rather walk the order.
            inner += " OFFSET 0"
        directions = ", ".join(
            f"k{n} {'DESC' if k.descending else 'ASC'}" for n, k in enumerate(order)
        )
        keys_out = ", ".join(f"k{n}" for n in range(len(order)))
        statement = (
            "SELECT patient, type, id, version, last_updated, false AS deleted, body,"
            f" {keys_out} FROM ({inner}) AS r ORDER BY {directions} LIMIT {count + 1}"
        )
        rows = await self._store.database.fetch(statement, *arguments.values)
        page = [Stored(*row[:7]) for row in rows[:count]]
        following = _cursor(rows[count - 1][7:]) if len(rows) > count else None
        total = len(page) if following is None and not query.cursor else None
        if total is None and query.total in ("accurate", "estimate"):
            total = await self._store.database.fetchval(
                f"SELECT count(*) FROM resource r WHERE {where}", *arguments.values[:counted]
            )
        return Matches(page, following, total)

    async def referring(self, include: Include, found: Sequence[Stored]) -> list[Stored]:
        """What refers to `found` by a parameter (`_revinclude`); `SearchError` when too much."""
        hashes = [reference_hash(include.parameter, stored.reference) for stored in found]
        own = include.parameter in ABOUT and include.target == "Patient"
        patients = [stored.patient for stored in found if stored.type == "Patient"] if own else []
        rows = await self._store.database.fetch(
            _SQL["referring"], include.source, hashes, patients, MOST_REFERRING + 1, [ELSEWHERE]
        )
        if len(rows) > MOST_REFERRING:
            text = (
                f"_revinclude={include.source}:{include.parameter} finds more than"
                f" {MOST_REFERRING} resources; ask for fewer at once with _count."
            )
            raise SearchError([error("too-costly", text, "_revinclude")])
        return [Stored(*row) for row in rows]

    async def _where(
        self, query: Query, scope: Scope | None, arguments: Arguments
    ) -> tuple[str, ConditionSql]:
        ids = [
            (query.resource_type, term.code)
            for condition in query.conditions if condition.name == "_id"
            for term in condition.terms if isinstance(term, TokenTerm) and term.code
        ]  # fmt: skip
        places = await self._store.places_of(ids) if ids else {}
        codings = await self._codings(query)
        conditions = ConditionSql(query.resource_type, arguments, places, codings)
        parts = [f"r.type = {arguments.add(query.resource_type, 'resource_type')}"]
        parts += [conditions.write(condition) for condition in query.conditions]
        if scope is not None:
            parts.append(_scope_sql(scope, arguments))
        return " AND ".join(parts), conditions

    async def _codings(self, query: Query) -> Codings:
        name = leading.code_parameter(query.resource_type)
        asked = {
            term.code
            for condition in query.conditions if condition.name in (name, f"combo-{name}")
            for term in condition.terms if isinstance(term, TokenTerm) and term.code
        }  # fmt: skip
        hashes: dict[str, list[int]] = {}
        among_keys: set[str] = set()
        if asked:
            rows = await self._store.database.fetch(_SQL["codings"], sorted(asked))
            for code, value, is_leading in rows:
                if is_leading:
                    hashes.setdefault(code, []).append(value)
                else:
                    among_keys.add(code)
        return Codings(hashes, among_keys)


def _is_torn(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def _scope_sql(scope: Scope, arguments: Arguments) -> str:
    if scope.own is not None:
        own = max(scope.own, keys.REFERENCE)
        return f"r.patient IN ({keys.REFERENCE}, {arguments.add(own, 'bigint')})"
    now = arguments.add(int(scope.now.timestamp() * 1_000_000), "bigint")
    grantees = arguments.add(list(scope.grantees), "text[]")
    return (
        f"(r.patient = {keys.REFERENCE} OR r.patient > 0 AND r.patient IN ("
        f"SELECT t.patient FROM treatment_relation t WHERE t.grantee = ANY ({grantees})"
        f" AND t.start_at <= {now} AND t.end_at > {now} UNION ALL "
        "SELECT e.patient FROM emergency_access e"
        f" WHERE e.actor = {arguments.add(scope.actor, 'text')}"
        f" AND e.expires_at > {arguments.add(scope.now, 'timestamptz')}))"
    )


def _order(query: Query, conditions: ConditionSql, arguments: Arguments) -> list[_Key]:
    order = [_sort_key(sort, query.resource_type, arguments) for sort in query.sort]
    if not order:
        order = [_Key("r.date_low", "bigint", True)]
        if not (conditions.pins_patient or conditions.pins_code or conditions.narrows):
            order.insert(0, _Key("r.code", "bigint", True))
    descending = order[-1].descending
    return [*order, _Key("r.patient", "bigint", descending), _Key("r.id", "text", descending)]


def _sort_key(sort: Sort, resource_type: str, arguments: Arguments) -> _Key:
    if sort.name == "_id":
        return _Key("r.id", "text", sort.descending)
    if sort.name == "_lastUpdated":
        return _Key("r.last_updated", "timestamptz", sort.descending)
    if sort.name == leading.date_parameter(resource_type):
        return _Key("r.date_low", "bigint", sort.descending)
    tables = {
        "date": ("search_date", "low", "bigint", "-4611686018427387904", "4611686018427387904"),
        "string": ("search_string", "value", "text", "''", f"'{_LAST}'"),
        "number": ("search_quantity", "value", "numeric", "'-Infinity'", "'Infinity'"),
        "quantity": ("search_quantity", "value", "numeric", "'-Infinity'", "'Infinity'"),
    }
    if sort.kind not in tables:
        text = f"{resource_type} cannot be sorted by {sort.name}, a {sort.kind} parameter"
        raise SearchError([error("not-supported", text, "_sort")])
    table, column, sql_type, first, last = tables[sort.kind]
    # What has no value comes last, whichever way the others go (a leading date: as the earliest).
    name = arguments.add(kept_as(resource_type, sort.name)[0], "text")
    value = (
        f"coalesce((SELECT {'max' if sort.descending else 'min'}(s.{column}) FROM {table} s"
        f" WHERE s.patient = r.patient AND s.type = r.type AND s.id = r.id"
        f" AND s.name = {name}), {first if sort.descending else last})"
    )
    return _Key(value, sql_type, sort.descending)


def _after(cursor: str, order: Sequence[_Key], arguments: Arguments) -> str:
    values = _read_cursor(cursor, order)
    placeholders = [arguments.add(v, k.type) for v, k in zip(values, order, strict=True)]
    alternatives = []
    for n, key in enumerate(order):
        equal = [f"{k.sql} = {p}" for k, p in zip(order[:n], placeholders[:n], strict=True)]
        beyond = f"{key.sql} {'<' if key.descending else '>'} {placeholders[n]}"
        alternatives.append(" AND ".join([*equal, beyond]))
    # Said once more of the first key alone, as a bound that an index can start from.
    first = f"{order[0].sql} {'<=' if order[0].descending else '>='} {placeholders[0]}"
    return f"{first} AND (({') OR ('.join(alternatives)}))"


def _cursor(values: Sequence[Any]) -> str:
    plain = [str(v) if isinstance(v, Decimal | datetime) else v for v in values]
    return base64.urlsafe_b64encode(msgspec.json.encode(plain)).decode().rstrip("=")


def _whole(value: int | str) -> int:
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError("not a number that a row has")
    return value


def _text(value: int | str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not a text that a row has")
    return value


def _number(value: int | str) -> Decimal:
    number = Decimal(_text(value))
    if number.is_nan() or (number.is_finite() and abs(number.adjusted()) > _LARGEST_EXPONENT):
        raise ValueError("not a number that a row has")
    return number


def _moment(value: int | str) -> datetime:
    return datetime.fromisoformat(_text(value)).astimezone(UTC)


_READERS: Final[dict[str, Any]] = {
    "bigint": _whole, "text": _text, "numeric": _number, "timestamptz": _moment,
}  # fmt: skip


def _read_cursor(cursor: str, order: Sequence[_Key]) -> list[Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[int | str])
        return [_READERS[key.type](value) for key, value in zip(order, values, strict=True)]
    except (ValueError, ArithmeticError, msgspec.DecodeError) as problem:
        text = "This link to a page was not made for this search."
        raise SearchError([error("value", text, "_cursor")]) from problem
