"""Who has asked too often for searches that would cost too much: told to come again later."""

from __future__ import annotations

from helsevev.access.actor import Actor
from helsevev.access.limits import Limits
from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.fhir_api.interaction import Interaction
from helsevev.fhir_api.problem import Problem

_LIMIT = "costly-search"


def refuse_waiting(limits: Limits, interaction: Interaction, actor: Actor) -> None:
    """Raises `Problem` 429 for a search by one who has to wait; all else is answered as ever."""
    if interaction.code.startswith("search") and (seconds := limits.waits(_LIMIT, _who(actor))):
        text = "Too many searches that cost too much, one after the other. Wait, and ask for less."
        headers = ((b"retry-after", b"%d" % seconds),)
        raise Problem(429, error("throttled", text), headers=headers)


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
