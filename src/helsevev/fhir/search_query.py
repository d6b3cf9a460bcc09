"""The query string of a search, read into data that the record's SQL is built from.

The grammar is http://hl7.org/fhir/R4/search.html. What is asked of the resources is read by
`search_filters`; here is what is asked of the answer: `_sort`, `_count`, `_include`,
`_revinclude`, `_total`, `_summary`, `_elements`, `_contained`, `_containedType`, `_format`,
`_pretty` and the server's own `_cursor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from helsevev.fhir import search_formula, search_terms
from helsevev.fhir.definitions import RESOURCE_TYPES, elements
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.search_filters import (
    AnyOf,
    Chain,
    Condition,
    Filter,
    Formula,
    Has,
    Parameters,
    Reading,
    UnknownParameter,
    Unsupported,
)
from helsevev.fhir.search_parameters import LEFT_OUT, PARAMETERS
from helsevev.fhir.search_terms import TermError, normalize

__all__ = [
    "Condition",
    "Include",
    "Query",
    "SearchError",
    "Sort",
    "normalize",
    "parse",
    "parse_known",
    "within_any",
]

_SHORT = 400
"""Characters of a query that is worth remembering."""

TOTALS = ("none", "estimate", "accurate")
CONTAINED = ("false", "true", "both")
SUMMARIES = ("true", "text", "data", "count", "false")

# Ignoring one of these would answer another question than was asked, also to a lenient client.
_REFUSED = {
    **LEFT_OUT,
}


NOTHING_PENDING: Mapping[tuple[str, str], str] = MappingProxyType({})


class SearchError(ValueError):
    """The search cannot be carried out as asked; `issues` say which parameters and why."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of `_sort`: a parameter of the type, `_id` or `_lastUpdated`."""

    name: str
    kind: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` and `_revinclude`: references of `source` by a parameter, to one type or any.

    With `iterate` what is included is followed as well.
    """

    source: str
    parameter: str
    target: str | None
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one resource type; all conditions and joins hold together.

    `count` is None when the client did not say, 0 when it wants none but the total. `cursor` is
    the server's own place to go on from. `applied` are the pairs that were understood, for the
    link to self; `ignored` are warnings about those that were not (lenient searches only).
    `contained` says whether what stands within others is searched, `contained_type` which of the
    two is shown then.
    """

    resource_type: str
    conditions: tuple[Condition, ...] = ()
    joins: tuple[Chain | Has | AnyOf | Formula, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    total: str | None = None
    summary: str | None = None
    elements: tuple[str, ...] = ()
    format: str | None = None
    pretty: bool = False
    cursor: str | None = None
    contained: str | None = None
    contained_type: str | None = None
    applied: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Issue, ...] = field(default=(), compare=False)

    @property
    def only_count(self) -> bool:
        """True when the client wants the number of matches and no resource."""
        return self.summary == "count" or self.count == 0


def parse(
    resource_type: str,
    pairs: Iterable[tuple[str, str]],
    *,
    strict: bool = True,
    base: str = "",
    now: int | None = None,
    parameters: Parameters = PARAMETERS,
    pending: Mapping[tuple[str, str], str] = NOTHING_PENDING,
) -> Query:
    """Read the decoded `(name, value)` pairs of a search, or raise SearchError with every fault.

    `strict` refuses parameters the server does not know; otherwise they are left out and named in
    `Query.ignored` (Prefer: handling=lenient). What is known but not supported, and values that
    cannot be read, are refused in both. `base` is the server's address, whose absolute references
    count as local. `now` in µs is what `ap` dates are near to. `parameters` are those known,
    `pending` words about those that cannot be searched yet.
    """
    if resource_type not in RESOURCE_TYPES:
        raise SearchError([error("not-found", f"R4 has no resource type {resource_type}")])
    query = Query(resource_type)
    reading = Reading(base, now, parameters, pending)
    issues: list[Issue] = []
    for name, value in pairs:
        try:
            query = _with(query, name, value, reading)
        except UnknownParameter as problem:
            if strict:
                issues.append(error("not-supported", str(problem), name))
            else:
                warning = Issue("warning", "not-supported", str(problem), name)
                query = replace(query, ignored=(*query.ignored, warning))
        except TermError as problem:
            issues.append(error("value", f"{name}: {problem}", name))
        except Unsupported as problem:
            issues.append(error("not-supported", str(problem), name))
        else:
            query = replace(query, applied=(*query.applied, (name, value)))
    if issues:
        raise SearchError(issues)
    return query


def parse_known(resource_type: str, pairs: Sequence[tuple[str, str]], base: str, now: int) -> Query:
    """Like `parse` by R4's own parameters; what was read lately is not read again.

    Raises `SearchError`.
    """
    # What is near to a date depends on the time ("ap"), and what is long is seldom asked again.
    if sum(len(value) for _, value in pairs) > _SHORT or any("ap" in value for _, value in pairs):
        return parse(resource_type, pairs, base=base, now=now)
    return _parsed_before(resource_type, tuple(pairs), base)


@lru_cache(maxsize=1000)
def _parsed_before(resource_type: str, pairs: tuple[tuple[str, str], ...], base: str) -> Query:
    return parse(resource_type, pairs, base=base)


def within_any(query: Query, pairs: Iterable[tuple[str, str]]) -> Query:
    """The query, narrowed to resources for which one of the conditions `(name, value)` holds."""
    found = [Reading().filter(query.resource_type, name, value) for name, value in pairs]
    conditions = tuple(each for each in found if isinstance(each, Condition))
    return replace(query, joins=(*query.joins, AnyOf(conditions)))


def _with(query: Query, name: str, value: str, reading: Reading) -> Query:
    if name in _RESULTS:
        return _RESULTS[name](query, value)
    plain, _, modifier = name.partition(":")
    if plain in ("_include", "_revinclude"):
        if modifier not in ("", "iterate", "recurse"):
            raise Unsupported(f"{name}: the modifier is :iterate")
        read = _include if plain == "_include" else _revinclude
        return read(query, value, bool(modifier), reading.parameters)
    if plain == "_sort":
        return _sort(query, value, reading.parameters)
    if plain in _REFUSED:
        raise Unsupported(f"{plain} is not supported: {_REFUSED[plain]}")
    if name == "_filter":
        try:
            return _asking(query, search_formula.read(query.resource_type, value, reading))
        except UnknownParameter as problem:
            # Leaving out all of it would answer another question, also for a lenient client.
            raise Unsupported(str(problem)) from problem
    return _asking(query, reading.filter(query.resource_type, name, value))


def _asking(query: Query, found: Filter) -> Query:
    """The query with one filter more; what `and` joins is asked one by one."""
    if isinstance(found, Formula) and found.joined == "and":
        for part in found.parts:
            query = _asking(query, part)
        return query
    if isinstance(found, Condition):
        return replace(query, conditions=(*query.conditions, found))
    return replace(query, joins=(*query.joins, found))


def _count(query: Query, value: str) -> Query:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise TermError("_count is a whole number")
    return replace(query, count=int(value))


def _sort(query: Query, value: str, known: Parameters) -> Query:
    keys = []
    for part in _listed(value):
        name = part.strip().removeprefix("-")
        parameter = known[query.resource_type].get(name)
        if parameter is None or parameter.kind in ("composite", "special"):
            raise Unsupported(f"_sort: {query.resource_type} cannot be sorted by {name}")
        keys.append(Sort(name, parameter.kind, part.strip().startswith("-")))
    return replace(query, sort=(*query.sort, *keys))


def _include(query: Query, value: str, iterate: bool, known: Parameters) -> Query:
    every = f"{query.resource_type}:*"
    parts = [every if part.strip() == "*" else part for part in _listed(value)]
    found = [include for part in parts for include in _read_include(part, iterate, known)]
    for include in found:
        if include.source != query.resource_type and not iterate:
            raise Unsupported(
                f"_include: the search is for {query.resource_type};"
                f" _include:iterate goes on from what is included"
            )
    return replace(query, includes=(*query.includes, *found))


def _revinclude(query: Query, value: str, iterate: bool, known: Parameters) -> Query:
    found = []
    for part in _listed(value):
        named = [f"{source}:*" for source in sorted(known)] if part.strip() == "*" else [part]
        for include in (i for text in named for i in _read_include(text, iterate, known)):
            targets = known[include.source][include.parameter].targets
            if include.target is None and not iterate:
                include = replace(include, target=query.resource_type)
            if iterate or (
                include.target == query.resource_type
                and (not targets or query.resource_type in targets)
            ):
                found.append(include)
            elif not part.strip().endswith("*"):
                raise TermError(f"{part} does not refer to {query.resource_type}")
    return replace(query, revincludes=(*query.revincludes, *found))


def _read_include(text: str, iterate: bool, known: Parameters) -> list[Include]:
    source, _, rest = text.strip().partition(":")
    name, _, target = rest.partition(":")
    if source not in known or not name:
        raise TermError(f"an include is Type:parameter or Type:parameter:Target, not {text}")
    if target and target not in RESOURCE_TYPES:
        raise TermError(f"R4 has no resource type {target}")
    of_source = known[source]
    if name == "*":
        names = [each.name for each in of_source.values() if each.kind == "reference"]
    elif name in of_source and of_source[name].kind == "reference":
        names = [name]
    else:
        raise TermError(f"{source} has no reference parameter {name}")
    return [Include(source, each, target or None, iterate) for each in names]


def _listed(value: str) -> list[str]:
    parts = [part for part in search_terms.split(value, ",") if part.strip()]
    if not parts:
        raise TermError("a value is missing")
    return parts


def _chosen(field_name: str, allowed: tuple[str, ...]) -> Callable[[Query, str], Query]:
    def read(query: Query, value: str) -> Query:
        if value not in allowed:
            raise TermError(f"one of {', '.join(allowed)} is expected")
        return _set(query, field_name, value)

    return read


def _set(query: Query, field_name: str, value: str) -> Query:
    changed: dict[str, object] = {field_name: value}
    return replace(query, **changed)  # type: ignore[arg-type]


def _elements(query: Query, value: str) -> Query:
    known = elements(query.resource_type)
    names = tuple(part.strip() for part in _listed(value))
    for name in names:
        if name not in known and f"{name}[x]" not in known:
            raise TermError(f"{query.resource_type} has no element {name}")
    return replace(query, elements=(*query.elements, *names))


_RESULTS: dict[str, Callable[[Query, str], Query]] = {
    "_count": _count,
    "_total": _chosen("total", TOTALS),
    "_summary": _chosen("summary", SUMMARIES),
    "_elements": _elements,
    "_format": lambda query, value: replace(query, format=value),
    "_pretty": lambda query, value: replace(query, pretty=value != "false"),
    "_contained": _chosen("contained", CONTAINED),
    "_containedType": _chosen("contained_type", ("container", "contained")),
    "_cursor": lambda query, value: replace(query, cursor=value),
}
