"""What each role that is held gives, as rows; and what came and went between two moments.

The rules are asked as they stand today: what a rule gave before it was changed is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.administration.effective.standing import Holding, Standing, narrowed
from helsevev.access.administration.effective.working_out import RELATIONS, Row, facts_of
from helsevev.access.policy import Action, Facts, Subject, decide
from helsevev.fhir import dates

BY_RELATION: Final[tuple[Action, ...]] = ("read", "write", "read-address")
"""What depends on the relation to the inhabitant; each is told with the relations that open it."""

BY_ITSELF: Final[tuple[Action, ...]] = (
    "break-glass", "state-relation", "merge-persons", "administer", "oversee", "register-apps",
    "follow-up", "keep-blocks", "answer-alarms",
)  # fmt: skip
COMPARED: Final = (*BY_RELATION, *BY_ITSELF, "profession", "inherits", "until")
"""Columns that are compared between two moments; how many inhabitants a role reaches is not."""

WAS: Final = "was-"
"""Begins the name of a column with what a changed one said before."""


def given(actor: Actor) -> Row:
    """What the rules give somebody in a role; an action that nothing gives is ""."""
    return dict(_given(actor.profession, actor.role))


@lru_cache(maxsize=5000)
def _given(profession: str, role: str) -> Row:
    """The rules look at no more of who somebody is."""
    actor = Actor("practitioner", "Practitioner/any", "", profession, role)
    found: Row = {}
    for action in BY_RELATION:
        opens = [each for each in RELATIONS if decide(actor, action, facts_of(each)).allowed]
        emergency = decide(actor, action, facts_of("none", emergency=True)).allowed
        found[action] = " ".join([*opens, *(["emergency"] if emergency else [])])
    for action in BY_ITSELF:
        subjects: tuple[Subject, ...] = ("reference", "inhabitant")
        kind = "Consent" if action == "keep-blocks" else ""
        asked = (decide(actor, action, Facts(each), kind) for each in subjects)
        found[action] = "yes" if any(each.allowed for each in asked) else ""
    return found


def rows_of(held: Iterable[Holding]) -> list[Row]:
    """A row for each role, by unit and name."""
    found = [_row(each) for each in held]
    return sorted(found, key=lambda row: (row["unit"], row["name"], row["role"], row["person"]))


def difference(
    before: Standing, after: Standing, *, person: str = "", unit: str = "", role: str = ""
) -> list[Row]:
    """What came, went and was changed; `change` says which, `was-…` what a changed column said.

    A role that ended and was given anew at the same unit is the same role: access went on.
    """
    was = _by_key(narrowed(before.held, person=person, unit=unit, role=role))
    now = _by_key(narrowed(after.held, person=person, unit=unit, role=role))
    ended = {each.key: each.at for each in sorted(after.ended, key=lambda each: each.at)}
    rows = []
    for key in sorted({*was, *now}, key=lambda each: (each[2], each[0], each[1])):
        if key not in was:
            rows.append({"change": "came", **now[key]})
        elif key not in now:
            gone = was[key] | {"until": _time(ended[key]) if key in ended else was[key]["until"]}
            rows.append({"change": "went", **gone})
        elif told := _changed(was[key], now[key]):
            rows.append({"change": "changed", **now[key], **told})
    return rows


def counted(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows came, went and were changed."""
    found = dict.fromkeys(("came", "went", "changed"), 0)
    for row in rows:
        found[row["change"]] += 1
    return found


def _row(held: Holding) -> Row:
    actor = held.actor
    return {
        "person": actor.id, "name": actor.name, "profession": actor.profession,
        "role": actor.role, "unit": actor.unit_name, "unit-id": (actor.unit or ("",))[0],
        "inherits": " ".join(actor.organisations[1:]),
        "from": _time(held.start), "until": _time(held.end - 1), **given(actor),
    }  # fmt: skip


def _by_key(held: Iterable[Holding]) -> dict[tuple[str, str, str], Row]:
    """The rows, one for each; of several roles that are the same, from the first to the last."""
    spans: dict[tuple[str, str, str], Holding] = {}
    for each in held:
        known = spans.get(each.key, each)
        spans[each.key] = Holding(
            each.actor, min(known.start, each.start), max(known.end, each.end)
        )
    return {key: _row(each) for key, each in spans.items()}


def _changed(was: Mapping[str, str], now: Mapping[str, str]) -> Row:
    """What was otherwise. A role given anew has another start, which is no change."""
    return {f"{WAS}{name}": was[name] for name in COMPARED if was[name] != now[name]}


def _time(moment: int) -> str:
    """A moment in Norway's time; "" where there is no bound."""
    if not dates.MIN < moment < dates.MAX - 1:
        return ""
    return dates.moment(moment).astimezone(dates.LOCAL).isoformat(timespec="minutes")
