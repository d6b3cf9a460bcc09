"""Whose records a search may look into, as data and as a condition in SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from helsevev.record import keys
from helsevev.record.search_values import Arguments


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records a search may look into: those tied to the actor now, and reference data.

    `own` is the inhabitant's key of the actor's own record; `only` narrows all of it to one
    inhabitant and reference data. A search without scope sees all.
    """

    actor: str
    grantees: tuple[str, ...]
    now: datetime
    own: int | None = None
    only: int | None = None


def scope_sql(scope: Scope, arguments: Arguments) -> str:
    """The condition that a row named `r` is kept with someone whom the scope shows."""
    if scope.only is not None:
        only = arguments.add(max(scope.only, keys.REFERENCE), "bigint")
        narrow = f"r.patient IN ({keys.REFERENCE}, {only})"
        return f"({narrow} AND {scope_sql(replace(scope, only=None), arguments)})"
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
