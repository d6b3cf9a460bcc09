"""Who has asked too often for searches that would cost too much: told to come again later."""

from __future__ import annotations

from typing import Final, NoReturn

from helsevev.access.actor import Actor
from helsevev.access.audit.refused_login import note_unless_flooded
from helsevev.access.gate import Gate
from helsevev.access.limits import Limits
from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.fhir_api.interaction import Interaction
from helsevev.fhir_api.problem import CHALLENGE, Problem

_LIMIT: Final = "costly-search"


def refuse_waiting(limits: Limits, interaction: Interaction, actor: Actor) -> None:
    """Raises `Problem` 429 for a search by one who has to wait; all else is answered as ever."""
    if interaction.code.startswith("search") and (seconds := limits.waits(_LIMIT, _who(actor))):
        text = "Too many searches that cost too much, one after the other. Wait, and ask for less."
        headers = ((b"retry-after", b"%d" % seconds),)
        raise Problem(429, error("throttled", text), headers=headers)


async def refuse_stranger(gate: Gate, limits: Limits, *, has_token: bool) -> NoReturn:
    """Raises `Problem` 401, or 429 for one whose tokens are wrong time after time.

    A token that opens nothing is noted in the trail; to come without one is no try to come in.
    """
    told = "A bearer token that opens nothing."
    if has_token and (wait := await note_unless_flooded(gate, limits, told)):
        text = "Too many tokens that open nothing. Wait, and come with one that is valid."
        headers = ((b"retry-after", b"%d" % wait),)
        raise Problem(429, error("throttled", text), headers=headers)
    raise Problem(401, error("login", "A valid bearer token is needed."), headers=(CHALLENGE,))


def is_costly(failure: Exception) -> bool:
    """Whether a search was refused for what it would cost."""
    return isinstance(failure, SearchError) and any(
        issue.code == "too-costly" for issue in failure.issues
    )


async def count(limits: Limits, actor: Actor | None) -> None:
    """Remember of the one who asked that a search was refused for what it would cost."""
    if actor is not None:
        await limits.knock(_LIMIT, _who(actor))


def _who(actor: Actor) -> str:
    return f"{actor.client} {actor.id}"
