"""What content says of whatever waits for somebody: its states, its acts, and who is told when."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal

from helsevev.content.shapes import Document, Shape, unique

To = Literal["unit", "above", "asker"]
"""The unit that it belongs to, the organisation that the unit is part of, or who asked."""


class State(Shape, frozen=True, kw_only=True):
    """A state of a Task: `code` is FHIR's TaskStatus; in an open one somebody has to act."""

    code: str
    label: str
    open: bool


class Act(Shape, frozen=True, kw_only=True):
    """What can be done with a Task in some states (`from_states`), and the state it leaves.

    `needs` are the facts it cannot be done without: `words` (why), `owner` (to whom). `takes` means
    that who does it becomes the owner; `returns` that who asked does.
    """

    code: str
    label: str
    from_states: tuple[str, ...]
    to: str
    needs: tuple[Literal["words", "owner"], ...] = ()
    takes: bool = False
    returns: bool = False


class Step(Shape, frozen=True, kw_only=True):
    """Who becomes the owner so long after the deadline, when nobody has answered."""

    after_minutes: int
    to: To

    @property
    def after(self) -> timedelta:
        """How long after the deadline."""
        return timedelta(minutes=self.after_minutes)


class Matter(Shape, frozen=True, kw_only=True):
    """A kind of need: how soon it has to be answered, by which acts, and who is told else.

    `group` is the part of the inbox that it stands in. `opens` is the address where it is seen to,
    with {patient}, {task} and {focus} (the id of what it is about) put in. With `done_here` it is
    ended on lists of tasks, else where it opens, by what is done there. `rests_at` are the open
    states in which nobody further is told: somebody has said that they come.
    """

    code: str
    label: str
    group: Literal["results", "co-signs", "letters", "messages", "tasks"] = "tasks"
    due_minutes: int
    priority: Literal["routine", "urgent", "asap", "stat"] = "routine"
    acts: tuple[str, ...]
    done_here: bool = False
    opens: str = "/patient/{patient}/plans"
    rests_at: tuple[str, ...] = ()
    escalates: tuple[Step, ...] = ()

    @property
    def due(self) -> timedelta:
        """How soon it has to be answered where nobody says otherwise."""
        return timedelta(minutes=self.due_minutes)


class FollowUp(Document, frozen=True, kw_only=True):
    """The states, the acts and the matters.

    `unopened_hours` is for how long a list with something on it may lie unopened, `late_minutes`
    for how long nobody may have looked for what is overdue before that is told.
    """

    unopened_hours: int
    late_minutes: int
    state: tuple[State, ...]
    act: tuple[Act, ...]
    matter: tuple[Matter, ...]

    def __post_init__(self) -> None:
        """Refuse acts between states, and matters with acts, that nobody has declared."""
        super().__post_init__()
        unique("state", (each.code for each in self.state))
        unique("act", (each.code for each in self.act))
        unique("matter", (each.code for each in self.matter))
        for act in self.act:
            for code in (*act.from_states, act.to):
                if code not in self.states:
                    raise ValueError(f"act {act.code}: {code} is no state")
            if closed := [c for c in act.from_states if not self.states[c].open]:
                raise ValueError(
                    f"act {act.code}: nothing is done from {closed[0]}, which is an end"
                )
        for matter in self.matter:
            self._check(matter)

    def _check(self, matter: Matter) -> None:
        for code in matter.acts:
            if code not in self.acts:
                raise ValueError(f"matter {matter.code}: {code} is no act")
        for code in matter.rests_at:
            if code not in self.states or not self.states[code].open:
                raise ValueError(f"matter {matter.code}: nothing rests at {code}")
        if not any(not self.states[self.acts[code].to].open for code in matter.acts):
            raise ValueError(f"matter {matter.code}: none of its acts ends it")
        waits = [step.after_minutes for step in matter.escalates]
        if waits != sorted(set(waits)):
            raise ValueError(f"matter {matter.code}: each step comes after the one before")

    @property
    def states(self) -> dict[str, State]:
        """Each state by its code."""
        return {each.code: each for each in self.state}

    @property
    def acts(self) -> dict[str, Act]:
        """Each act by its code."""
        return {each.code: each for each in self.act}

    @property
    def matters(self) -> dict[str, Matter]:
        """Each matter by its code."""
        return {each.code: each for each in self.matter}


ANY: Final = "task"
"""The matter of a Task that names none."""
