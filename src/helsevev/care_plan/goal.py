"""What a person and those who help want to reach, and how far it is reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from helsevev.care_plan.coding import ACHIEVEMENT, concept
from helsevev.content.care_plan_loading import planning
from helsevev.fhir.reading import OSLO, codes, concept_text, mapping, objects, text
from helsevev.follow_up.coding import stamp

ENDED: Final = frozenset({"achieved", "not-achieved", "not-attainable"})


def new_goal(
    patient: str,
    words: str,
    by: Mapping[str, Any],
    now: datetime,
    *,
    problems: Iterable[Mapping[str, Any]] = (),
    due: date | None = None,
) -> dict[str, Any]:
    """A Goal in the words of who sets it. `patient` is a reference."""
    made: dict[str, Any] = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "achievementStatus": concept(ACHIEVEMENT, "in-progress"),
        "description": {"text": words},
        "subject": {"reference": patient},
        "startDate": f"{now.astimezone(OSLO):%Y-%m-%d}",
        "expressedBy": dict(by),
        "addresses": [dict(each) for each in problems],
    }
    if due is not None:
        made["target"] = [{"dueDate": due.isoformat()}]
    return {key: value for key, value in made.items() if value}


def evaluated(
    goal: Mapping[str, Any], achievement: str, words: str, by: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The goal with how far it is reached and why, kept beside what was said before.

    ValueError when the content knows no such achievement.
    """
    if achievement not in {each.code for each in planning().achievement}:
        raise ValueError(f"there is no achievement {achievement!r}")
    made = {
        **goal,
        "achievementStatus": concept(ACHIEVEMENT, achievement),
        "statusDate": f"{now.astimezone(OSLO):%Y-%m-%d}",
    }
    if achievement in ENDED:
        made["lifecycleStatus"] = "completed"
    if words.strip():
        note = {"authorReference": dict(by), "time": stamp(now), "text": words.strip()}
        made["note"] = [*objects(goal.get("note")), note]
    return made


def achievement_of(goal: Mapping[str, Any]) -> tuple[str, str]:
    """(code, words) of how far it is reached; ("", "") when nobody has said."""
    labels = {each.code: each.label for each in planning().achievement}
    said = codes(goal.get("achievementStatus"))
    code = next((each for each in labels if each in said), "")
    return code, labels.get(code, "") or concept_text(goal.get("achievementStatus"))


def words_of(goal: Mapping[str, Any]) -> str:
    """What it is."""
    return concept_text(goal.get("description")) or text(mapping(goal.get("text")).get("div"))
