"""How a Task stands: whose it is, by when, what can be done with it, and who is told next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from helsevev.content.follow_up_shapes import Act, Matter
from helsevev.content.loading import follow_up
from helsevev.fhir import dates
from helsevev.fhir.compartment import subject_of
from helsevev.fhir.reading import mapping, moment, objects, reference_key, reference_text, text
from helsevev.follow_up.coding import ESCALATION, MATTER, Who, matter_of, part, unit_of
from helsevev.kit.projection import Projection


class Step(Struct, frozen=True):
    """A step of who is told: when, whom (`to`, or by `role`), and when that was done, if it was."""

    at: datetime
    to: Who
    role: str
    told_at: datetime | None


class Standing(Struct, frozen=True):
    """A Task as it stands. `due_at` is the first instant after the deadline, None without one."""

    task: Mapping[str, Any]
    matter: Matter
    state: str
    owner: Who
    unit: Who
    asked_by: Who
    due_at: datetime | None
    steps: tuple[Step, ...]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        state = follow_up().states.get(self.state)
        return state is not None and state.open

    @property
    def is_unowned(self) -> bool:
        """Whether somebody has to act, and nobody is named."""
        return self.is_open and not self.owner.reference

    def is_late(self, now: datetime) -> bool:
        """Whether the deadline has passed while somebody still has to act."""
        return self.is_open and self.due_at is not None and self.due_at <= now

    @property
    def next_step(self) -> Step | None:
        """The next step that nobody has taken; None when nobody further is to be told."""
        if not self.is_open or self.state in self.matter.rests_at:
            return None
        return next((each for each in self.steps if each.told_at is None), None)

    @property
    def acts(self) -> list[Act]:
        """What can be done with it now, in the order of the content."""
        declared = follow_up().acts
        found = [declared[code] for code in self.matter.acts]
        return [act for act in found if self.state in act.from_states]

    @property
    def form(self) -> str:
        """The key of the form by which it is done, if it is done by one."""
        for each in objects(self.task.get("input")):
            for coding in objects(mapping(each.get("type")).get("coding")):
                if coding.get("system") == MATTER and coding.get("code") == "form":
                    return text(each.get("valueString"))
        return ""

    @property
    def address(self) -> str:
        """Where it is seen to."""
        return self.matter.opens.format(
            patient=reference_key(self.task.get("for")).removeprefix("Patient/"),
            task=text(self.task.get("id")),
            focus=reference_key(self.task.get("focus")).rpartition("/")[2],
        )


def standing_of(task: Mapping[str, Any]) -> Standing:
    """How a Task stands, whoever wrote it."""
    due = moment(mapping(mapping(task.get("restriction")).get("period")).get("end"))
    return Standing(
        task=task,
        matter=matter_of(task),
        state=text(task.get("status")),
        owner=_who(task.get("owner")),
        unit=_who(unit_of(task)),
        asked_by=_who(task.get("requester")),
        due_at=due.end if due else None,
        steps=tuple(_steps(task)),
    )


def step_of(extension: Mapping[str, Any]) -> Step | None:
    """The step that an extension of a Task says; None for another extension."""
    at = moment(part(extension, "at").get("valueDateTime"))
    if extension.get("url") != ESCALATION or at is None:
        return None
    told = moment(part(extension, "told").get("valueDateTime"))
    whom = _who(part(extension, "to").get("valueReference"))
    role = text(part(extension, "role").get("valueCode"))
    return Step(at.at, whom, role, told.at if told else None)


def _steps(task: Mapping[str, Any]) -> list[Step]:
    found = (step_of(each) for each in objects(task.get("extension")))
    return sorted((step for step in found if step is not None), key=lambda step: step.at)


def _who(reference: object) -> Who:
    return Who(reference_key(reference), reference_text(reference))


def waiting(task: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The row of the read model for a Task in which somebody has to act; none for another."""
    standing = standing_of(task)
    if not standing.is_open or subject_of(task) is None:
        return
    asked = dates.bounds(task.get("authoredOn", ""))
    step = standing.next_step
    yield (
        standing.owner.reference,
        standing.unit.reference,
        standing.matter.code,
        asked[0] if asked else 0,
        dates.microseconds(standing.due_at) if standing.due_at else None,
        dates.microseconds(step.at) if step else None,
    )


PROJECTION = Projection(
    table="follow_up_waiting",
    sources=frozenset({"Task"}),
    columns={
        "owner": "text", "unit": "text", "matter": "text", "asked_at": "bigint",
        "due_at": "bigint", "next_at": "bigint",
    },
    rows=waiting,
)  # fmt: skip
