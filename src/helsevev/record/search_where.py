"""Conditions on rows as SQL, what is known of how they are found, and how several become one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from helsevev.fhir.search_filters import AnyOf, Condition
from helsevev.record.about import may_be_about_nobody
from helsevev.record.rows import ELSEWHERE
from helsevev.record.search_checks import Place
from helsevev.record.search_strings import Texts
from helsevev.record.search_tokens import Held
from helsevev.record.search_values import Arguments, holding
from helsevev.record.store import Stored

_PLACEHOLDER: Final = re.compile(r"\$(\d+)::")

Check = Callable[[Sequence[Stored]], Awaitable[set[Place]]]


@dataclass(frozen=True, slots=True)
class Naming:
    """Only resources that name one of these: by key, or by being kept with the inhabitant."""

    hashes: list[int]
    patients: list[int]


@dataclass(frozen=True, slots=True)
class Walk:
    """The one condition that finds rows, when that is a range of the index of texts; and `rest`,
    which the few that are looked at have to fulfil besides."""

    texts: Texts
    rest: str


@dataclass(slots=True)
class Where:
    """A condition on rows named `r`, its arguments, and what is known of how it is found."""

    sql: str
    arguments: Arguments
    pins_patient: bool = False
    pins_code: bool = False
    narrows: bool = False
    walk: Walk | None = None
    held: Held = ()
    """Of common values what every row holds."""
    varies: bool = False
    """Whether the values that are asked for decide how it is best found."""
    checks: list[Check] = field(default_factory=list)


def exactly(kind: str, places: Sequence[Place]) -> Where:
    """These resources and no others."""
    arguments = Arguments()
    type_ = arguments.add(kind, "resource_type")
    patients = arguments.add([patient for patient, _ in places], "bigint[]")
    ids = arguments.add([i for _, i in places], "text[]")
    sql = f"r.type = {type_} AND (r.patient, r.id) IN (SELECT * FROM unnest({patients}, {ids}))"
    return Where(sql, arguments, narrows=True)


def beyond(where: Where, found: Sequence[Stored]) -> Where:
    """What a condition finds besides some that were found otherwise."""
    if not found:
        return where
    arguments = Arguments()
    arguments.values += where.arguments.values
    patients = arguments.add([stored.patient for stored in found], "bigint[]")
    places = [arguments.add([each.type for each in found], "text[]")]
    places.append(arguments.add([stored.id for stored in found], "text[]"))
    listed = f"SELECT * FROM unnest({patients}, {', '.join(places)})"
    sql = f"{where.sql} AND (r.patient, r.type::text, r.id) NOT IN ({listed})"
    return replace(where, sql=sql, arguments=arguments, walk=None)


def naming_sql(naming: Naming, arguments: Arguments) -> str:
    """The condition that a row names one of these."""
    by_key = f"r.keys && {arguments.add(naming.hashes, 'bigint[]')}"
    if not naming.patients:
        return by_key
    return f"({by_key} OR r.patient = ANY ({arguments.add(naming.patients, 'bigint[]')}))"


def about(kind: str, inner: Where) -> Where:
    """Resources about the inhabitants whose Patient the inner condition finds."""
    arguments = Arguments()
    found = embedded(inner, arguments)
    sql = f"r.patient IN (SELECT r.patient FROM resource r WHERE {found})"
    if may_be_about_nobody(kind):
        sql += f" AND NOT {holding([ELSEWHERE], arguments)}"
    return Where(sql, arguments, narrows=inner.narrows)


def patients_of(source: str, inner: Where) -> Where:
    """Patients about whom the inner condition finds something."""
    arguments = Arguments()
    found = embedded(inner, arguments)
    if may_be_about_nobody(source):
        found += f" AND NOT {holding([ELSEWHERE], arguments)}"
    sql = f"r.patient IN (SELECT r.patient FROM resource r WHERE r.patient > 0 AND {found})"
    return Where(sql, arguments, narrows=inner.narrows)


def is_light(condition: Condition | AnyOf) -> bool:
    """Whether it only tells, of a row that was found, whether it fits: no index finds it."""
    return isinstance(condition, Condition) and condition.kind == "token"


def met(strings: Sequence[Texts]) -> list[str]:
    """The conditions on texts in SQL. Of a Patient all at once, where the indexes alone tell."""
    if len(strings) > 1 and strings[0].of_patients:
        return [f"r.patient IN ({' INTERSECT '.join(each.found for each in strings)})"]
    return [each.sql for each in strings]


def embedded(inner: Where, arguments: Arguments) -> str:
    """The inner condition with its arguments moved behind those of another statement."""
    before = len(arguments.values)
    arguments.values += inner.arguments.values
    moved = _PLACEHOLDER.sub(lambda found: f"${int(found[1]) + before}::", inner.sql)
    return f"({moved})"


def any_where(alternatives: Sequence[Where]) -> Where:
    """What one of the alternatives finds."""
    if len(alternatives) == 1:
        return alternatives[0]
    arguments = Arguments()
    sql = " OR ".join(embedded(each, arguments) for each in alternatives)
    return Where(sql, arguments, narrows=all(each.narrows for each in alternatives))


def negated(inner: Where) -> Where:
    """What the inner condition does not find."""
    arguments = Arguments()
    return Where(f"NOT {embedded(inner, arguments)}", arguments)
