"""The query string of a search, read into data that the record's SQL is built from.

The grammar is http://hl7.org/fhir/R4/search.html. What is understood: every parameter in
`extraction.PARAMETERS`; the modifiers :missing, :exact and :contains (string), :not (token),
:identifier and a type (reference); `_sort`, `_count`, `_include`, `_revinclude`, `_total`,
`_summary`, `_elements`, `_format`, `_pretty` and the server's own `_cursor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from helsevev.fhir import search_terms
from helsevev.fhir.definitions import RESOURCE_TYPES, elements
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.search_parameters import LEFT_OUT, PARAMETERS, Parameter, implied_systems
from helsevev.fhir.search_terms import CompositeTerm, Term, TermError, TokenTerm, normalize

__all__ = ["Condition", "Include", "Query", "SearchError", "Sort", "normalize", "parse"]

TOTALS = ("none", "estimate", "accurate")
SUMMARIES = ("true", "text", "data", "count", "false")

MOST_ALTERNATIVES = 1000

_MODIFIERS = {
    "string": {"missing", "exact", "contains"},
    "token": {"missing", "not"},
    "reference": {"missing", "identifier"},
}
# Ignoring one of these would answer another question than was asked, also to a lenient client.
_REFUSED = {
    "_has": "reverse chaining",
    "_filter": "filter expressions",
    "_list": "searches in lists",
    "_contained": "searches in contained resources",
    "_containedType": "searches in contained resources",
    **LEFT_OUT,
}


class SearchError(ValueError):
    """The search cannot be carried out as asked; `issues` say which parameters and why."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter of the query; a resource matches when any of `terms` does.

    `name` is the name in the extracted rows: the parameter's, or `<name>:identifier`. `kind` is
    R4's word for how its rows are read ("token" for an :identifier). `modifier` is None, "exact",
    "contains", "not" or "missing". With "not" a resource matches when none of `terms` does,
    also when it has no value. With "missing" there are no terms, and `missing` says which.
    """

    name: str
    kind: str
    parameter: Parameter
    terms: tuple[Term, ...]
    modifier: str | None = None
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of `_sort`: a parameter of the type, `_id` or `_lastUpdated`."""

    name: str
    kind: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` and `_revinclude`: references of `source` by a parameter, to one type or any."""

    source: str
    parameter: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one resource type; all conditions hold together.

    `count` is None when the client did not say, 0 when it wants none but the total. `cursor` is
    the server's own place to go on from. `applied` are the pairs that were understood, for the
    link to self; `ignored` are warnings about those that were not (lenient searches only).
    """

    resource_type: str
    conditions: tuple[Condition, ...] = ()
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
) -> Query:
    """Read the decoded `(name, value)` pairs of a search, or raise SearchError with every fault.

    `strict` refuses parameters the server does not know; otherwise they are left out and named in
    `Query.ignored` (Prefer: handling=lenient). What is known but not supported, and values that
    cannot be read, are refused in both. `base` is the server's address, whose absolute references
    count as local. `now` in µs is what `ap` dates are near to.
    """
    if resource_type not in RESOURCE_TYPES:
        raise SearchError([error("not-found", f"R4 has no resource type {resource_type}")])
    query = Query(resource_type)
    issues: list[Issue] = []
    for name, value in pairs:
        try:
            query = _with(query, name, value, base, now)
        except _Unknown as problem:
            if strict:
                issues.append(error("not-supported", str(problem), name))
            else:
                warning = Issue("warning", "not-supported", str(problem), name)
                query = replace(query, ignored=(*query.ignored, warning))
        except TermError as problem:
            issues.append(error("value", f"{name}: {problem}", name))
        except _Unsupported as problem:
            issues.append(error("not-supported", str(problem), name))
        else:
            query = replace(query, applied=(*query.applied, (name, value)))
    if issues:
        raise SearchError(issues)
    return query


class _Unknown(ValueError):
    """A parameter that the type does not have."""


class _Unsupported(ValueError):
    """Something of FHIR's that is not understood here."""


def _with(query: Query, name: str, value: str, base: str, now: int | None) -> Query:
    if name in _RESULTS:
        return _RESULTS[name](query, value)
    plain, _, modifier = name.partition(":")
    if plain in ("_include", "_revinclude"):
        raise _Unsupported(f"{name}: only one step of includes is supported, without a modifier")
    if "." in name:
        raise _Unsupported(f"{name}: chained parameters are not supported")
    if plain in _REFUSED:
        raise _Unsupported(f"{plain} is not supported: {_REFUSED[plain]}")
    parameter = PARAMETERS[query.resource_type].get(plain)
    if parameter is None:
        raise _Unknown(f"{query.resource_type} has no search parameter {plain}")
    condition = _condition(query.resource_type, parameter, modifier, value, base, now)
    return replace(query, conditions=(*query.conditions, condition))


def _condition(
    query_type: str, parameter: Parameter, modifier: str, value: str, base: str, now: int | None
) -> Condition:
    name, kind = parameter.name, parameter.kind
    if modifier == "missing":
        if value not in ("true", "false"):
            raise TermError(":missing is true or false")
        return Condition(name, kind, parameter, (), "missing", value == "true")
    if kind == "reference" and modifier in RESOURCE_TYPES:
        if parameter.targets and modifier not in parameter.targets:
            raise TermError(f"the parameter refers to {', '.join(parameter.targets)}")
        found = [search_terms.reference(part, (modifier,), base) for part in _alternatives(value)]
        named = tuple(search_terms.typed(term, modifier) for term in found)
        return Condition(name, kind, parameter, named)
    if modifier and modifier not in _MODIFIERS.get(kind, {"missing"}):
        raise _Unsupported(f"{name}: the modifier :{modifier} is not supported")
    if kind == "token":
        implied = implied_systems(query_type, name)
        tokens = tuple(
            TokenTerm(None, term.code) if term.system in implied and term.code else term
            for term in (search_terms.token(part) for part in _alternatives(value))
        )
        return Condition(name, kind, parameter, tokens, modifier or None)
    if modifier == "identifier":
        named_by = tuple(search_terms.token(part) for part in _alternatives(value))
        return Condition(f"{name}:identifier", "token", parameter, named_by)
    terms = tuple(_term(parameter, kind, part, base, now) for part in _alternatives(value))
    return Condition(name, kind, parameter, terms, modifier or None)


def _alternatives(value: str) -> list[str]:
    parts = [part for part in search_terms.split(value, ",") if part.strip()]
    if not parts:
        raise TermError("a value is missing")
    if len(parts) > MOST_ALTERNATIVES:
        raise TermError(f"at most {MOST_ALTERNATIVES} alternatives are answered at once")
    return parts


def _term(parameter: Parameter, kind: str, text: str, base: str, now: int | None) -> Term:
    if kind == "composite":
        return _composite(parameter, text, base, now)
    if kind == "reference":
        return search_terms.reference(text, parameter.targets, base)
    if kind == "date":
        return search_terms.date(text, now)
    return _READERS[kind](text)


def _composite(parameter: Parameter, text: str, base: str, now: int | None) -> CompositeTerm:
    parts = search_terms.split(text, "$")
    if len(parts) != len(parameter.components):
        names = "$".join(component.parameter for component in parameter.components)
        raise TermError(f"a value is {names}")
    return CompositeTerm(
        tuple(
            _term(parameter, component.kind, part, base, now)
            for component, part in zip(parameter.components, parts, strict=True)
        )
    )


def _count(query: Query, value: str) -> Query:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise TermError("_count is a whole number")
    return replace(query, count=int(value))


def _sort(query: Query, value: str) -> Query:
    keys = []
    for part in _alternatives(value):
        name = part.strip().removeprefix("-")
        parameter = PARAMETERS[query.resource_type].get(name)
        if parameter is None or parameter.kind == "composite":
            raise _Unsupported(f"_sort: {query.resource_type} cannot be sorted by {name}")
        keys.append(Sort(name, parameter.kind, part.strip().startswith("-")))
    return replace(query, sort=(*query.sort, *keys))


def _include(query: Query, value: str) -> Query:
    found = [include for part in _alternatives(value) for include in _read_include(part)]
    for include in found:
        if include.source != query.resource_type:
            raise _Unsupported(f"_include: the search is for {query.resource_type}")
    return replace(query, includes=(*query.includes, *found))


def _revinclude(query: Query, value: str) -> Query:
    found = []
    for part in _alternatives(value):
        for include in _read_include(part):
            targets = PARAMETERS[include.source][include.parameter].targets
            if include.target is None:
                include = replace(include, target=query.resource_type)
            if include.target == query.resource_type and (
                not targets or query.resource_type in targets
            ):
                found.append(include)
            elif not part.endswith(":*"):
                raise TermError(f"{part} does not refer to {query.resource_type}")
    return replace(query, revincludes=(*query.revincludes, *found))


def _read_include(text: str) -> list[Include]:
    source, _, rest = text.strip().partition(":")
    name, _, target = rest.partition(":")
    if source not in PARAMETERS or not name:
        raise TermError(f"an include is Type:parameter or Type:parameter:Target, not {text}")
    if target and target not in RESOURCE_TYPES:
        raise TermError(f"R4 has no resource type {target}")
    known = PARAMETERS[source]
    if name == "*":
        names = [parameter.name for parameter in known.values() if parameter.kind == "reference"]
    elif name in known and known[name].kind == "reference":
        names = [name]
    else:
        raise TermError(f"{source} has no reference parameter {name}")
    return [Include(source, each, target or None) for each in names]


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
    names = tuple(part.strip() for part in _alternatives(value))
    for name in names:
        if name not in known and f"{name}[x]" not in known:
            raise TermError(f"{query.resource_type} has no element {name}")
    return replace(query, elements=(*query.elements, *names))


_RESULTS: dict[str, Callable[[Query, str], Query]] = {
    "_count": _count,
    "_sort": _sort,
    "_include": _include,
    "_revinclude": _revinclude,
    "_total": _chosen("total", TOTALS),
    "_summary": _chosen("summary", SUMMARIES),
    "_elements": _elements,
    "_format": lambda query, value: replace(query, format=value),
    "_pretty": lambda query, value: replace(query, pretty=value != "false"),
    "_cursor": lambda query, value: replace(query, cursor=value),
}

_READERS: dict[str, Callable[[str], Term]] = {
    "token": search_terms.token,
    "string": search_terms.string,
    "number": search_terms.number,
    "quantity": search_terms.quantity,
    "uri": search_terms.uri,
}
