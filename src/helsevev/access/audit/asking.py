"""An inhabitant asks about a reading: a task for the privacy officer, and a line on their list."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from helsevev.access.actor import SYSTEM
from helsevev.access.audit.proving import row_of
from helsevev.access.errors import Invalid, NotFound, Refused
from helsevev.access.permit import Permit
from helsevev.access.policy import Decision
from helsevev.access.touch import touch_of
from helsevev.access.writing import Writer
from helsevev.fhir.outcome import Issue
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.statements import load

_SQL: Final = load("audit")
ANSWERED_WITHIN: Final = timedelta(days=30)
"""Personvernforordningen (GDPR) article 12(3): one month."""

RULE: Final = "question"
_SHORTEST: Final = 5
_LONGEST: Final = 2000


async def ask(writer: Writer, permit: Permit, number: str, words: str) -> str:
    """Ask about the touch `number` of one's own record; the reference of the Task.

    Raises `Refused` for another's record, `NotFound`, or `Invalid` without words.
    """
    if permit.basis != "own":
        text = "Only the inhabitant can ask about readings of the record."
        raise Refused(Decision(False, "none", text), permit.patient_id)
    words = words.strip()[:_LONGEST]
    if len(words) < _SHORTEST:
        raise Invalid([Issue("error", "required", "Say what you wonder about.", "words")])
    roles = writer.gate.store.roles
    try:
        patient, row = row_of(number)
    except ValueError:
        raise NotFound(f"AuditEvent/{number[:40]}") from None
    found = await roles.shown.fetchrow(_SQL["event"], patient, row)
    if found is None or patient != permit.patient:
        raise NotFound(f"AuditEvent/{number[:40]}")
    touch = touch_of(found)
    now = clock.now()
    due = now + ANSWERED_WITHIN
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"text": "Question about a reading of the record"},
        "description": words,
        "focus": {"reference": f"AuditEvent/{number}"},
        "for": {"reference": f"Patient/{permit.patient_id}"},
        "requester": {"reference": permit.actor.id, "display": permit.actor.name},
        "performerType": [{"text": "Privacy officer"}],
        "authoredOn": now.strftime(stamp),
        "restriction": {"period": {"end": due.strftime(stamp)}},
    }
    written = await writer.write(SYSTEM, task, create=True)
    await roles.changed.execute(_SQL["ask_about"], patient, row, now, written.stored.reference)
    told = msgspec.json.encode({"words": words, "task": written.stored.reference}).decode()
    await roles.officer.execute(
        _SQL["find"], [patient], [keys.next_key()], [now], [touch.at], [due], [1], [RULE],
        [touch.actor], [touch.name], [touch.unit_name or touch.organisation], [number], [told],
    )  # fmt: skip
    return written.stored.reference
