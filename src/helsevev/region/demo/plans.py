"""What is going to happen: CarePlan, Task and ServiceRequest."""

from __future__ import annotations

from .codes import Resource, concept, hl7_concept
from .story import Story, narrative, organisation, ref, staff


def care_plan(
    story: Story,
    slug: str,
    title: str,
    since: str,
    by: str,
    actions: tuple[tuple[str, str], ...],
    *,
    goals: tuple[str, ...] = (),
    conditions: tuple[str, ...] = (),
) -> str:
    """A plan with its actions; each action is (what, who or how often)."""
    activities: list[Resource] = [
        {"detail": {"status": "in-progress", "description": f"{what} – {how}"}}
        for what, how in actions
    ]
    return story.add(
        "CarePlan",
        f"plan-{slug}",
        text=narrative(title, "\n".join(f"{what}: {how}" for what, how in actions)),
        status="active",
        intent="plan",
        title=title,
        subject=story.subject(),
        period={"start": story.time.day(since)},
        created=story.time.stamp(since),
        author=staff(by),
        addresses=[ref(each) for each in conditions] or None,
        goal=[ref(each) for each in goals] or None,
        activity=activities,
    )


def task(
    story: Story,
    slug: str,
    text: str,
    owner_unit: str,
    asked: str,
    due: str,
    *,
    by: str,
    status: str = "requested",
    owner: str | None = None,
    priority: str = "routine",
    based_on: str | None = None,
) -> None:
    """Something somebody must do, with an owner and a deadline."""
    story.add(
        "Task",
        f"oppgave-{slug}",
        basedOn=None if based_on is None else [ref(based_on)],
        status=status,
        intent="order",
        priority=priority,
        description=text,
        **{"for": story.subject()},
        authoredOn=story.time.stamp(asked),
        lastModified=story.time.stamp(asked),
        requester=staff(by),
        owner=staff(owner) or organisation(owner_unit),
        restriction={"period": {"end": story.time.stamp(due)}},
    )


def service_request(
    story: Story,
    slug: str,
    text: str,
    category: str,
    when: str,
    *,
    by: str,
    to: str,
    reason: str,
    status: str = "active",
    priority: str = "routine",
    note: str | None = None,
    wanted: str | None = None,
) -> str:
    """A referral or a request for an examination; `wanted` is the latest acceptable time."""
    return story.add(
        "ServiceRequest",
        f"henvisning-{slug}",
        status=status,
        intent="order",
        category=[concept(category)],
        priority=priority,
        code=concept(text),
        subject=story.subject(),
        occurrenceDateTime=None if wanted is None else story.time.stamp(wanted),
        authoredOn=story.time.stamp(when),
        requester=staff(by),
        performer=[organisation(to)],
        reasonCode=[concept(reason)],
        note=None if note is None else [{"text": note}],
    )


def social(story: Story, slug: str, code: Resource, text: str, when: str, by: str) -> None:
    """A fact about how somebody lives, as a social-history Observation."""
    story.add(
        "Observation",
        f"levekar-{slug}",
        status="final",
        category=[hl7_concept("observation-category", "social-history")],
        code=code,
        subject=story.subject(),
        effectiveDateTime=story.time.stamp(when),
        performer=[staff(by)],
        valueCodeableConcept=concept(text),
    )
