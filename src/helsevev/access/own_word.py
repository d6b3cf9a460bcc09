"""Ties that staff write about themselves: their own word, which gives them no more than they had.

An Encounter, CareTeam, Appointment, ServiceRequest, EpisodeOfCare or Task names who treats. Where
the one who writes it names themselves (or a unit they may work at), that is a claim like "I am
treating this person now", and opens nothing that somebody else's word, a stated relation with its
reason and end, or broken glass has not opened. Another's next version vouches for it.
Helsepersonelloven § 25 third paragraph, pasientjournalloven §§ 16 and 22.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from helsevev.access import treatment_relation
from helsevev.access.actor import Actor
from helsevev.record import body
from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("access")
_NOT_AT_ALL: Final = 9
"""Further away than any tie: nothing but the writer's own word says so."""


class Claim(NamedTuple):
    """Whose word a tie is: it holds for them until `others_until`, then as nearly as `cap` says."""

    grantee: str
    maker: str
    others_until: int
    cap: int


class Step(NamedTuple):
    """A write about an inhabitant: what comes, with its id, and what it takes the place of."""

    resource: Mapping[str, Any]
    patient: int
    current: Stored | None


async def note(database: Database, actor: Actor, steps: Iterable[Step], at: datetime) -> None:
    """Keep which ties of what is about to be stored are the writer's own word.

    Before it is stored: whatever breaks off in between, nobody is let in by it.
    """
    for step in steps:
        kind = step.resource["resourceType"]
        if step.patient <= 0 or kind not in treatment_relation.PROJECTION.sources:
            continue
        place = step.patient, kind, step.resource["id"]
        known: dict[str, Claim] = {}
        if step.current is not None:
            rows = await database.fetch(_SQL["own_words"], *place)
            known = {row["grantee"]: Claim(*row) for row in rows}
        elif actor.kind != "practitioner":
            continue
        was = step.current
        before = {} if was is None or was.deleted else _ends(was.resource)
        stamp = step.resource.get("meta", {}) | {"lastUpdated": body.time_text(at)}
        after = _ends({**step.resource, "meta": stamp})
        claims = list(_claims(actor, before, after, known))
        over = known.keys() - {claim.grantee for claim in claims}
        if over:
            await database.execute(_SQL["forget_own_words"], *place, sorted(over))
        if claims:
            columns = [list(column) for column in zip(*claims, strict=True)]
            await database.execute(_SQL["keep_own_words"], *place, at, *columns)


def _ends(resource: dict[str, Any]) -> dict[str, int]:
    return {grantee: end for grantee, _, end in treatment_relation.relations(resource)}


def _claims(
    actor: Actor, before: Mapping[str, int], after: Mapping[str, int], known: Mapping[str, Claim]
) -> Iterable[Claim]:
    """What of the new ties goes further than others have said."""
    if actor.kind != "practitioner":
        return
    own = {grantee: claim for grantee, claim in known.items() if claim.maker == actor.id}
    for grantee, end in after.items():
        if grantee.startswith("Practitioner/") and grantee != actor.id:
            continue
        said = own[grantee].others_until if grantee in own else before.get(grantee, 0)
        if end <= said:
            continue
        near = (
            own[other].cap if other in own else _rank(actor, other)
            for other, until in before.items()
            if until >= end
        )
        cap = min(near, default=_NOT_AT_ALL)
        if cap > _rank(actor, grantee) or grantee not in actor.grantees:
            yield Claim(grantee, actor.id, said, cap)


def _rank(actor: Actor, grantee: str) -> int:
    """How near a tie to `grantee` is to the actor, as statement `ties` ranks it."""
    if grantee in actor.person:
        return 1
    if grantee in actor.unit:
        return 2
    return 3 if grantee in actor.grantees else _NOT_AT_ALL
