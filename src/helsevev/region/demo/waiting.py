"""What waits for somebody, as the follow-up writes it: a matter, an owner, a unit, and steps."""

from __future__ import annotations

from .codes import Resource
from .story import Story, organisation, ref, staff

_BASE = "http://helsevev.no/fhir"


def waits(
    story: Story,
    slug: str,
    matter: tuple[str, str],
    words: str,
    unit: str,
    asked: str,
    due: str,
    *,
    by: str,
    owner: str | None,
    passed_on: tuple[tuple[str, str], ...] = (),
    title: str | None = None,
    about: str | None = None,
    priority: str = "routine",
) -> None:
    """Something asked of `owner` (None: of nobody yet) on a unit's list.

    `matter` is its code and label, `passed_on` when it goes on to which unit when nobody answers.
    """
    code, label = matter
    extension: list[Resource] = [
        {
            "url": f"{_BASE}/StructureDefinition/responsible-unit",
            "valueReference": organisation(unit),
        }
    ]
    for at, to in passed_on:
        parts = [
            {"url": "at", "valueDateTime": story.time.stamp(at)},
            {"url": "to", "valueReference": organisation(to)},
        ]
        extension.append({"url": f"{_BASE}/StructureDefinition/escalation", "extension": parts})
    story.add(
        "Task",
        f"venter-{slug}",
        extension=extension,
        status="requested",
        intent="order",
        priority=priority,
        code={
            "coding": [{"system": f"{_BASE}/CodeSystem/follow-up", "code": code, "display": label}],
            "text": title or label,
        },
        description=words,
        focus=ref(about),
        **{"for": story.subject()},
        authoredOn=story.time.stamp(asked),
        lastModified=story.time.stamp(asked),
        requester=staff(by),
        owner=None if owner is None else staff(owner),
        restriction={"period": {"end": story.time.stamp(due)}},
    )
