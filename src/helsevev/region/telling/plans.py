"""What is to happen: referrals, care plans and tasks with an owner and a deadline."""

from __future__ import annotations

from typing import Any

from ..calendar import clock, iso, stamp
from ..catalogue import Unit
from ..life import Tale, at_unit, named
from ..notation import narrative_of, words
from ..workforce import Worker


def referral(
    t: Tale, day: int, text: str, to: Unit, by: Worker, reason: str, *, urgent: bool = False,
    answered: int | None = None,
) -> str | None:  # fmt: skip
    """A referral on a day; it is completed when the first contact, on day `answered`, is over."""
    at = clock(day, t.chance.whole(8, 15), t.chance.whole(0, 59))
    if not t.life.holds(at):
        return None
    done = answered is not None and answered <= t.life.last_day
    return t.life.put(
        "ServiceRequest",
        {
            "status": "completed" if done else "active",
            "intent": "order",
            "category": [words("Henvisning")],
            "priority": "urgent" if urgent else "routine",
            "code": words(text),
            "subject": t.life.subject,
            "authoredOn": stamp(at),
            "requester": named(by),
            "performer": [at_unit(to)],
            "reasonCode": [words(reason)],
        },
    )


def care_plan(
    t: Tale, since: int, title: str, by: Worker, actions: tuple[str, ...], goal: str,
    until: int | None = None,
) -> None:  # fmt: skip
    """A plan with one goal and its actions; one that was over before the window is left out."""
    life = t.life
    if clock(since, 12) >= life.end or (until is not None and until * 1440 < life.start):
        return
    over = (until is not None and until <= life.last_day) or life.died_at is not None
    aim = life.put(
        "Goal",
        {
            "lifecycleStatus": "completed" if over else "active",
            "description": words(goal),
            "subject": life.subject,
            "startDate": iso(since),
        },
    )
    period = {"start": iso(since)}
    if over:
        period["end"] = iso(min(until or life.last_day, life.last_day))
    content: dict[str, Any] = {
        "text": narrative_of(title, "\n".join(actions)),
        "status": "completed" if over else "active",
        "intent": "plan",
        "title": title,
        "subject": life.subject,
        "period": period,
        "created": stamp(clock(since, 12)),
        "author": named(by),
        "goal": [{"reference": aim}],
        "activity": [
            {"detail": {"status": "completed" if over else "in-progress", "description": action}}
            for action in actions
        ],
    }
    life.put("CarePlan", content)


def task(t: Tale, day: int, text: str, owner: Unit, by: Worker, days: int) -> None:
    """Something a unit must do within some days; what is due before the window's end is done."""
    at = clock(day, t.chance.whole(8, 15), t.chance.whole(0, 59))
    if not t.life.holds(at):
        return
    due = clock(day + days, 15)
    done = due < t.life.end
    t.life.put(
        "Task",
        {
            "status": "completed" if done else "requested",
            "intent": "order",
            "priority": "routine",
            "description": text,
            "for": t.life.subject,
            "authoredOn": stamp(at),
            "lastModified": stamp(min(due, t.life.end - 1) if done else at),
            "requester": named(by),
            "owner": at_unit(owner),
            "restriction": {"period": {"end": stamp(due)}},
        },
    )
