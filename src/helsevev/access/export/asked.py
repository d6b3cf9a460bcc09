"""What an export is asked to hold, checked, and in a form that a job remembers over a restart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import msgspec

from helsevev.access.errors import Invalid
from helsevev.fhir import search_query
from helsevev.fhir.dates import bounds, moment
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import Query, SearchError

Format = Literal["ndjson", "parquet", "csv", "json"]
Level = Literal["system", "patient", "group"]

FORMATS: Final[dict[str, Format]] = {
    "": "ndjson", "application/fhir+ndjson": "ndjson", "application/ndjson": "ndjson",
    "ndjson": "ndjson", "application/x-ndjson": "ndjson",
    "application/vnd.apache.parquet": "parquet", "application/x-parquet": "parquet",
    "parquet": "parquet", "csv": "csv", "text/csv": "csv", "json": "json",
    "application/json": "json",
}  # fmt: skip
_MOST_FILTERS: Final = 50


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One export. `patients` are ids of Patient resources (None: everyone); `filters` are searches
    `(type, query)` of which a resource of that type matches one; `views` are ViewDefinitions, and
    then rows are written in place of resources.
    """

    level: Level = "system"
    format: Format = "ndjson"
    types: tuple[str, ...] = ()
    patients: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    elements: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    views: tuple[dict[str, Any], ...] = ()
    header: bool = True

    def encoded(self) -> str:
        """As JSON, for `asked_of`."""
        return msgspec.json.encode(self).decode()


def asked_of(text: str) -> Asked:
    """What `encoded` wrote."""
    return msgspec.json.decode(text, type=Asked)


def format_of(text: str, allowed: Iterable[Format]) -> Format:
    """The format that a parameter names. Raises `Invalid` when it is not among the allowed."""
    found = FORMATS.get(text.strip().lower().replace(" ", "+"))
    if found is None or found not in allowed:
        names = ", ".join(allowed)
        raise Invalid([error("not-supported", f"The format is one of {names}, not {text[:80]!r}.")])
    return found


def types_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Resource types of comma-separated lists. Raises `Invalid` naming what is none."""
    found = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if wrong := [part for part in found if part not in RESOURCE_TYPES]:
        names = ", ".join(wrong)[:200]
        raise Invalid([error("value", f"R4 has no resource type {names}.", "_type")])
    return tuple(dict.fromkeys(found))


def moment_of(text: str, name: str) -> datetime | None:
    """The first moment that an instant or a date may mean, None for "". Raises `Invalid`."""
    if not text:
        return None
    # In a URL that was not escaped, the plus sign of a zone has become a space.
    found = bounds(text.replace(" ", "+"))
    if found is None:
        raise Invalid([error("value", f"{name} is a date or an instant, not {text[:80]!r}.", name)])
    return moment(found[0]).astimezone(UTC)


def filters_of(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`Type?query` as the Bulk Data guide's `_typeFilter` has them. Raises `Invalid`."""
    found = tuple(_filter(text) for text in texts if text)
    if len(found) > _MOST_FILTERS:
        text = f"At most {_MOST_FILTERS} type filters."
        raise Invalid([error("too-costly", text, "_typeFilter")])
    for kind, query in found:
        query_of(kind, query)
    return found


def _filter(text: str) -> tuple[str, str]:
    kind, mark, query = text.partition("?")
    if not mark or kind not in RESOURCE_TYPES:
        said = f"_typeFilter is a type and a search (Observation?code=…), not {text[:80]!r}."
        raise Invalid([error("value", said, "_typeFilter")])
    return kind, query


def query_of(kind: str, text: str) -> Query:
    """The search of a type filter. Raises `Invalid` for what a filter cannot ask."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
        if ordering := [name for name, _ in pairs if name in _PRESENTING]:
            text = f"{', '.join(ordering)} says nothing about which resources are exported."
            raise Invalid([error("not-supported", text, "_typeFilter")])
        return search_query.parse(kind, pairs, strict=True, base="")
    except SearchError as problem:
        raise Invalid(problem.issues) from problem
    except ValueError:
        raise Invalid([error("value", "A type filter cannot be read.", "_typeFilter")]) from None


_PRESENTING: Final = frozenset(
    {"_sort", "_count", "_include", "_revinclude", "_total", "_summary", "_elements", "_cursor"}
)
