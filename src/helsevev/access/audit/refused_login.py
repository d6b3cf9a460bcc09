"""A row in the trail for each try to come in by what opens nothing: a token, a link, a passkey."""

from __future__ import annotations

from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate, author_of
from helsevev.access.limits import Limits, network_of
from helsevev.kit import clock
from helsevev.kit.caller import CALLER
from helsevev.record import keys
from helsevev.record.audit import audit_row

STRANGER: Final = Actor(
    kind="system", id="Device/unknown", name="Unknown", profession="", role="unknown"
)
"""Who has not shown who they are."""

_LIMIT: Final = "wrong-key"


async def note(gate: Gate, told: str, actor: Actor = STRANGER) -> None:
    """That somebody was not let in, and why; about nobody's record. Raises `DatabaseError`."""
    author = author_of(actor, "login-refused", reason=told)
    row = audit_row(keys.UNASSIGNED, 0, clock.now(), author, actor.id, action="login", outcome=8)
    await gate.trail.keep(row)


async def note_unless_flooded(gate: Gate, limits: Limits, told: str) -> int:
    """The same for what anybody can send without end: 0, or for how many seconds none is noted.

    What one address sends is counted, so that a flood fills no disk.
    """
    wait = await limits.knock(_LIMIT, network_of(CALLER.get().address))
    if not wait:
        await note(gate, told)
    return wait
