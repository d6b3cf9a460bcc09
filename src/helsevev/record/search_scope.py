"""Whose records a search may look into, as data and as a condition in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from helsevev.record import keys
from helsevev.record.search_values import Arguments


@dataclass(frozen=True, slots=True)
class Level:
    """Labels (hashes) whose entries only near ties show: these grantees', or stated ones.

    `rank` is the nearness asked for: 1 the person, 2 the unit, 3 what it is part of. `of_family`
    says that the labels of those close to an inhabitant count, too.
    """

    labels: tuple[int, ...]
    grantees: tuple[str, ...] = ()
    stated: bool = False
    emergency: bool = False
    rank: int = 3
    of_family: bool = False


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of the records in a scope is left out.

    `levels` are about entries by their own labels, `addresses` about inhabitants whose protected
    address a search looks at, by the Patient's. `patients` are whole records, `labels`
    (inhabitant, label's hash) and `entries` (inhabitant, type, id) what inhabitants have blocked.
    """

    levels: tuple[Level, ...] = ()
    addresses: tuple[Level, ...] = ()
    patients: tuple[int, ...] = ()
    labels: tuple[tuple[int, int], ...] = ()
    entries: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records a search may look into: those tied to the actor now, and reference data.

    `own` is the inhabitant's key of the actor's own record; `only` narrows all of it to one
    inhabitant and reference data; `withheld` is left out of it. A search without scope sees all.
    """

    actor: str
    grantees: tuple[str, ...]
    now: datetime
    own: int | None = None
    only: int | None = None
    withheld: Withheld | None = None


def scope_sql(scope: Scope, arguments: Arguments) -> str:
    """The condition that a row named `r` is kept with someone whom the scope shows."""
    if scope.withheld is not None:
        shown = scope_sql(replace(scope, withheld=None), arguments)
        return " AND ".join([shown, *_kept(scope, scope.withheld, arguments)])
    if scope.only is not None:
        only = arguments.add(max(scope.only, keys.REFERENCE), "bigint")
        narrow = f"r.patient IN ({keys.REFERENCE}, {only})"
        return f"({narrow} AND {scope_sql(replace(scope, only=None), arguments)})"
    if scope.own is not None:
        own = max(scope.own, keys.REFERENCE)
        return f"r.patient IN ({keys.REFERENCE}, {arguments.add(own, 'bigint')})"
    every = Level((), scope.grantees, stated=True, emergency=True)
    return f"(r.patient = {keys.REFERENCE} OR r.patient > 0 AND {_tied(scope, every, arguments)})"


def _tied(scope: Scope, level: Level, arguments: Arguments) -> str:
    """The condition that the actor is tied to the inhabitant of `r` as nearly as a level asks."""
    ties = []
    if level.grantees:
        now = arguments.add(int(scope.now.timestamp() * 1_000_000), "bigint")
        grantees = arguments.add(list(level.grantees), "text[]")
        ties.append(
            f"SELECT t.patient FROM treatment_relation t WHERE t.grantee = ANY ({grantees})"
            f" AND t.start_at <= {now} AND t.end_at > {now}"
            # One's own word is no nearer than what others have said (migration 0029).
            f" AND (t.maker <> {arguments.add(scope.actor, 'text')}"
            f" OR t.others_until > {now} OR t.cap <= {level.rank:d})"
        )
    tables = [("emergency_access", level.emergency), ("stated_relation", level.stated)]
    for table, opens in tables:
        if opens:
            ties.append(
                f"SELECT e.patient FROM {table} e"
                f" WHERE e.actor = {arguments.add(scope.actor, 'text')}"
                f" AND e.expires_at > {arguments.add(scope.now, 'timestamptz')}"
            )
    return f"r.patient IN ({' UNION ALL '.join(ties)})" if ties else "false"


def _kept(scope: Scope, withheld: Withheld, arguments: Arguments) -> Iterator[str]:
    """Conditions that `r` is nothing that is withheld."""
    for level in withheld.levels:
        labels = arguments.add(list(level.labels), "bigint[]")
        tied = _tied(scope, level, arguments)
        free = f"NOT (r.keys && {labels})"
        yield free if tied == "false" else f"({free} OR {tied})"
    for level in withheld.addresses:
        labels = arguments.add(list(level.labels), "bigint[]")
        persons = "'Patient', 'RelatedPerson'" if level.of_family else "'Patient'"
        protected = (
            f"SELECT p.patient FROM resource p WHERE p.type IN ({persons}) AND p.keys && {labels}"
        )
        free = f"NOT (r.keys && {labels}) AND r.patient NOT IN ({protected})"
        yield f"({free} OR {_tied(scope, level, arguments)})"
    if withheld.patients:
        yield f"r.patient <> ALL ({arguments.add(list(withheld.patients), 'bigint[]')})"
    for patient, label in withheld.labels:
        yield (
            f"NOT (r.patient = {arguments.add(patient, 'bigint')}"
            f" AND r.keys && {arguments.add([label], 'bigint[]')})"
        )
    if withheld.entries:
        patients, types, ids = zip(*withheld.entries, strict=True)
        yield (
            "(r.patient, r.type::text, r.id) NOT IN (SELECT * FROM unnest("
            f"{arguments.add(list(patients), 'bigint[]')}, {arguments.add(list(types), 'text[]')},"
            f" {arguments.add(list(ids), 'text[]')}))"
        )
