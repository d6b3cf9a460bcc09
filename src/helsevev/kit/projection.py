"""Read models that chapters keep beside the record: a pure function from a resource to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Projection:
    """A table derived from the record, written in the same transaction as what it derives from.

    The table begins with `patient`, `source_type` and `source_id`; `columns` names the others
    with their SQL types. `rows` gives the values of `columns` for one resource. What is in the
    table can always be made again from the record.
    """

    table: str
    sources: frozenset[str]
    columns: Mapping[str, str]
    rows: Callable[[dict[str, Any]], Iterable[tuple[Any, ...]]]

    @property
    def forget(self) -> str:
        """Drops what some resources said ($1 patients, $2 types, $3 ids)."""
        return (
            f"DELETE FROM {self.table} WHERE (patient, source_type, source_id) IN"
            " (SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]))"
        )

    @property
    def add(self) -> str:
        """Adds rows, one array per column."""
        types = ("bigint", "text", "text", *self.columns.values())
        arrays = ", ".join(f"${n}::{sql_type}[]" for n, sql_type in enumerate(types, 1))
        names = ", ".join(("patient", "source_type", "source_id", *self.columns))
        return f"INSERT INTO {self.table} ({names}) SELECT * FROM unnest({arrays})"
