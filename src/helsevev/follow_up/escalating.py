"""What happens to a Task when its deadline passes: it becomes the next one's, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helsevev.access.actor import SYSTEM
from helsevev.follow_up.coding import Who, stamp
from helsevev.follow_up.standing import standing_of, step_of
from helsevev.locale import gettext as _


def escalated(
    task: Mapping[str, Any], at: datetime, above: Who | None = None
) -> dict[str, Any] | None:
    """The Task after every step that is due has been taken; None when none is.

    `above` is the organisation over the unit, for steps that lead there; without one such a step
    leads to the unit. What is told to nobody new is marked as told all the same. The Task is again
    one that waits, with a note of from whom it came and why.
    """
    standing = standing_of(task)
    first = standing.next_step
    if first is None or first.at > at:
        return None
    owner, marked = standing.owner, []
    for each in task["extension"]:
        step = step_of(each)
        if step is None or step.told_at is not None or step.at > at:
            marked.append(each)
            continue
        told = {"url": "told", "valueDateTime": stamp(at)}
        marked.append({**each, "extension": [*each["extension"], told]})
    for step in standing.steps:
        if step.told_at is None and step.at <= at:
            owner = step.to if step.to.reference else above or standing.unit
    after: dict[str, Any] = {**task, "extension": marked}
    after["lastModified"] = stamp(at)
    if owner.reference and owner.reference != standing.owner.reference:
        words = _("Nobody had answered by the deadline. Passed on from %(old)s to %(new)s.") % {
            "old": standing.owner.name or _("nobody"), "new": owner.name or owner.reference,
        }  # fmt: skip
        said = {"authorString": SYSTEM.name, "time": stamp(at), "text": words}
        after |= {
            "status": "requested", "owner": owner.as_reference(),
            "note": [*task.get("note", ()), said],
        }  # fmt: skip
    return after
