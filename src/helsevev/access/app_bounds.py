"""What an app that acts for an actor may touch: within its scopes, and never more than the policy.

An actor without scopes is not an app, and passes everywhere here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Refused
from helsevev.access.policy import Decision
from helsevev.access.scopes import Grant, Letter, grant_of, is_within
from helsevev.fhir.search_filters import AnyOf, Chain, Condition, Filter, Formula, Has
from helsevev.fhir.search_query import Query
from helsevev.record import keys
from helsevev.record.store import Stored

REFUSED_SCOPE: Final = "The app has not been granted this."
REFUSED_PATIENT: Final = "The app was opened for another inhabitant."

_LETTERS: Final[Mapping[str, tuple[Letter, ...]]] = {
    "search-type": ("s",), "match": ("s",), "search-compartment": ("s",),
    "history-type": ("s",), "history-system": ("s",), "history-patient": ("s",),
    "update": ("u",), "patch": ("u",), "transaction": ("u",), "write": ("c", "u"),
}  # fmt: skip
_READ: Final[tuple[Letter, ...]] = ("r",)


def grant(actor: Actor) -> Grant | None:
    """What the app was granted; None for an actor whom no scopes limit."""
    return None if actor.scopes is None else grant_of(actor.scopes)


def bars(actor: Actor, patient: int) -> bool:
    """Whether the app was opened for one inhabitant alone, and this is another's record."""
    if actor.scopes is None or not grant_of(actor.scopes).is_of_patient_alone():
        return False
    return not _of_launch(actor, patient)


def covers(
    actor: Actor,
    letters: Iterable[Letter],
    resource_type: str,
    patient: int,
    resource: Mapping[str, Any] | None,
) -> bool:
    """Whether one of the acts on a resource kept under `patient` is within the scopes."""
    granted = grant(actor)
    return granted is None or any(
        granted.covers(letter, resource_type, resource, of_patient=_of_launch(actor, patient))
        for letter in letters
    )


def shows(actor: Actor, stored: Stored, interaction: str = "read") -> bool:
    """Whether the scopes let the app see this version by an interaction."""
    granted = grant(actor)
    if granted is None:
        return True
    letters = _LETTERS.get(interaction, _READ)
    narrow = not stored.deleted and any(granted.narrows(each, stored.type) for each in letters)
    # Decoded only where the content decides.
    resource = stored.resource if narrow else None
    return covers(actor, letters, stored.type, stored.patient, resource)


def shown(actor: Actor, rows: Sequence[Stored], interaction: str = "read") -> list[Stored]:
    """Those of `rows` that the scopes let the app see."""
    if actor.scopes is None:
        return list(rows)
    return [stored for stored in rows if shows(actor, stored, interaction)]


def lets_write(
    actor: Actor,
    resource: Mapping[str, Any],
    patient: int,
    current: Stored | None,
    letter: Letter | None = None,
) -> bool:
    """Whether the scopes reach a write: what comes, and what it takes the place of.

    Without `letter` it is a creation or an update.
    """
    if actor.scopes is None:
        return True
    there = None if current is None or current.deleted else current
    letter = letter or ("c" if there is None else "u")
    bodies = [resource] if there is None else [resource, there.resource]
    kind = resource["resourceType"]
    return all(covers(actor, (letter,), kind, patient, each) for each in bodies)


def outside(reason: str = REFUSED_SCOPE) -> Decision:
    """The refusal of what is outside the scopes."""
    return Decision(False, "none", reason)


def narrowed(actor: Actor, query: Query) -> tuple[Query, int | None]:
    """The search as far as the scopes reach, and the one inhabitant it is about, if it is.

    Every type that a chain or a reverse chain leads over has to be searchable as a whole, since
    what is found tells of it. Raises `Refused`.
    """
    granted = grant(actor)
    if granted is None:
        return query, None
    within = granted.of_search(query.resource_type)
    if within is None:
        raise Refused(outside(), None)
    for join in query.joins:
        for kind in _led_over(join):
            reached = granted.of_search(kind)
            if (
                reached is None
                or reached.joins
                or (reached.only_patient and not within.only_patient)
            ):
                raise Refused(outside(f"{REFUSED_SCOPE[:-1]}: {kind}.s"), None)
    only = _launch_key(actor) if within.only_patient else None
    return replace(query, joins=(*query.joins, *within.joins)), only


def may_use(actor: Actor, owner: Actor) -> bool:
    """Whether the app may use what `owner` left here: its own, made with no more than it has now.

    For exports and subscriptions, whose content was decided by the scopes of who asked for them.
    """
    if actor.scopes is None:
        return True
    same = (actor.client, actor.launch_patient) == (owner.client, owner.launch_patient)
    return same and owner.scopes is not None and is_within(owner.scopes, actor.scopes)


def lasts(actor: Actor) -> bool:
    """Whether what the app leaves here may go on when nobody uses it: by consent, or a system."""
    return actor.scopes is None or actor.kind == "system" or "offline_access" in actor.scopes


def reading(actor: Actor, types: Iterable[str]) -> tuple[str, ...]:
    """Those of the types of which the app may read something."""
    granted = grant(actor)
    return tuple(kind for kind in types if granted is None or granted.reaches("r", kind))


def reads_whole(actor: Actor, resource_type: str) -> bool:
    """Whether the app may read all of the type that the policy shows."""
    granted = grant(actor)
    return granted is None or granted.covers("r", resource_type, of_patient=False)


def _of_launch(actor: Actor, patient: int) -> bool:
    return patient in (keys.REFERENCE, _launch_key(actor))


def _launch_key(actor: Actor) -> int:
    launched = actor.launch_patient
    return keys.REFERENCE if launched is None else keys.patient_key(launched[len("Patient/") :])


def _led_over(join: Filter) -> Iterable[str]:
    """The types whose content tells whether the join holds."""
    match join:
        case Chain(within=within):
            for kind, asked in within:
                yield kind
                yield from _led_over(asked)
        case Has(source=source, asked=asked):
            yield source
            yield from _led_over(asked)
        case Formula(parts=parts):
            for part in parts:
                yield from _led_over(part)
        case Condition() | AnyOf():
            return
