"""Who has read, in lines: an emergency says why it was one, and so does what was read for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from helsevev.access.touch import Touch
from helsevev.chart.audit_lines import lines

NURSE: dict[str, Any] = {
    "name": "Nora Ness", "profession": "nurse", "role": "Sykepleier", "unit": "Organization/ward",
    "unit_name": "Ward", "organisation": "Hospital", "basis": "emergency", "request": "",
    "address": "", "program": "", "app": "", "purpose": "BTG", "refused": False,
}  # fmt: skip


def touch(minute: int, action: str, reason: str = "", who: str = "Practitioner/nora") -> Touch:
    more: dict[str, Any] = {
        "patient": 1, "id": minute, "at": datetime(2026, 1, 1, 12, minute, tzinfo=UTC),
        "action": action, "interaction": "open", "actor": who, "reason": reason,
        "target": "Patient/x",
    }  # fmt: skip
    return Touch(**NURSE, **more)


def test_what_is_read_in_an_emergency_says_the_reason_that_was_given_for_it() -> None:
    found = lines([
        touch(9, "read"), touch(8, "emergency", "BLAALYS: fell again"),
        touch(5, "read", who="Practitioner/other"), touch(3, "read"),
        touch(2, "emergency", "BLAALYS: fell at home"),
    ])  # fmt: skip
    said = {(line.at.minute, line.is_emergency): line.reason for line in found}
    assert "fell again" in said[8, True]
    assert "fell at home" in said[2, True]
    assert "fell" in said[9, False], "what was read for it"
    assert said[5, False] == "", "somebody else's reason is not theirs"
