"""What waits for somebody is never nobody's, and goes on by itself when nobody answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.content.follow_up_shapes import FollowUp
from helsevev.content.loading import follow_up
from helsevev.fhir.validation import validate
from helsevev.follow_up.answering import CannotAnswer, accepted, answered, done
from helsevev.follow_up.asking import ask, entry
from helsevev.follow_up.coding import Who
from helsevev.follow_up.escalating import escalated
from helsevev.follow_up.standing import standing_of, waiting

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NURSE, DOCTOR = Who("Practitioner/nurse", "Nina"), Who("Practitioner/doctor", "Dag")
WARD, HOSPITAL = Who("Organization/ward", "Sengepost"), Who("Organization/hospital", "Sykehuset")


def asked(**changes: Any) -> dict[str, Any]:
    """A deterioration that a nurse on the ward is asked to see to within a quarter of an hour."""
    said: dict[str, Any] = {
        "words": "NEWS2 er 8", "patient_id": "kari", "owner": NURSE, "at": NOON, "unit": WARD,
        "matter": "deterioration", "asked_by": DOCTOR, "why": "Observation/score", "key": "score-1",
    }  # fmt: skip
    return ask(**{**said, **changes}) | {"id": "t1", "meta": {"versionId": "1"}}


def test_what_is_asked_is_a_task_that_fhir_accepts_with_owner_deadline_and_steps() -> None:
    task = asked(form="abcde")
    assert [issue for issue in validate(task) if issue.is_error] == []
    standing = standing_of(task)
    assert (standing.owner, standing.unit, standing.form) == (NURSE, WARD, "abcde")
    assert standing.due_at == NOON + timedelta(minutes=15)
    assert [(s.to.reference, s.role) for s in standing.steps] == [
        (WARD.reference, ""),
        ("", "above"),
    ]
    assert entry(task)["request"]["ifNoneExist"].endswith("score-1")


@pytest.mark.parametrize(
    "wrong", [{"owner": ("", "")}, {"matter": "unheard-of"}, {"key": "a|b"}], ids=str
)
def test_nothing_is_asked_of_nobody_or_of_an_unknown_kind(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nobody|matter|signs"):
        asked(**wrong)


def test_what_nobody_answers_goes_to_the_unit_and_then_above_it_with_a_word_of_each() -> None:
    task = asked()
    assert escalated(task, NOON + timedelta(minutes=14)) is None
    first = escalated(task, NOON + timedelta(minutes=16), HOSPITAL)
    assert first is not None
    assert standing_of(first).owner == WARD
    assert escalated(first, NOON + timedelta(minutes=16), HOSPITAL) is None
    second = escalated(first, NOON + timedelta(minutes=31), HOSPITAL)
    assert second is not None
    assert standing_of(second).owner == HOSPITAL
    assert len(second["note"]) == 2
    assert escalated(second, NOON + timedelta(days=9), HOSPITAL) is None
    assert [issue for issue in validate(second) if issue.is_error] == []


def test_after_a_long_stop_all_steps_are_taken_at_once() -> None:
    task = escalated(asked(), NOON + timedelta(hours=5), HOSPITAL)
    assert task is not None
    assert standing_of(task).owner == HOSPITAL
    assert standing_of(task).next_step is None


def test_who_says_that_they_come_stops_the_alarm_but_not_the_deadline() -> None:
    task = accepted(asked(), DOCTOR, NOON)
    assert escalated(task, NOON + timedelta(days=1)) is None
    assert standing_of(task).is_late(NOON + timedelta(days=1))


def test_what_is_done_is_done_once_and_waits_no_longer() -> None:
    task = done(asked(), DOCTOR, NOON, words="Tilsett", outcome="Composition/n")
    assert task["output"][0]["valueReference"] == {"reference": "Composition/n"}
    assert list(waiting(task)) == []
    with pytest.raises(CannotAnswer):
        done(task, NURSE, NOON)


@pytest.mark.parametrize(
    ("act", "said", "field"),
    [("hand-on", {}, "to"), ("not-done", {}, "words"), ("fly", {"words": "because"}, "act")],
)
def test_an_answer_without_what_it_needs_is_refused_in_place(
    act: str, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(CannotAnswer) as refused:
        answered(asked(matter="task"), act, DOCTOR, NOON, **said)
    assert [issue.expression for issue in refused.value.issues] == [field]


def test_what_a_program_asked_for_is_sent_back_to_the_unit_and_not_to_the_program() -> None:
    task = asked(matter="result", asked_by=("Device/helsevev", "Helsevev"))
    back = answered(task, "hand-back", DOCTOR, NOON, words="Ikke min pasient")
    assert standing_of(back).owner == WARD


@given(st.lists(st.tuples(st.sampled_from(sorted(follow_up().acts)), st.integers(1, 4000)),
                max_size=12),
       st.sampled_from(sorted(follow_up().matters)))  # fmt: skip
def test_whatever_is_done_with_it_it_is_somebodys_until_it_has_ended(
    acts: list[tuple[str, int]], matter: str
) -> None:
    task, now = asked(matter=matter), NOON
    for act, minutes in acts:
        now += timedelta(minutes=minutes)
        task = escalated(task, now, HOSPITAL) or task
        following = standing_of(task).next_step
        assert following is None or following.at > now
        try:
            task = answered(task, act, DOCTOR, now, words="Fordi", to=NURSE)
        except CannotAnswer:
            assert act not in [each.code for each in standing_of(task).acts]
        standing = standing_of(task)
        assert standing.owner.reference
        assert len(list(waiting(task))) == standing.is_open


def test_content_that_leads_nowhere_is_refused() -> None:
    plain = msgspec.to_builtins(follow_up())
    for matter in plain["matter"]:
        matter["acts"] = ["accept"]
    with pytest.raises(msgspec.ValidationError, match="none of its acts ends it"):
        msgspec.convert(plain, FollowUp)
