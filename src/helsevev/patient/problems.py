"""Problems and diagnoses: what is active, what is past, and how sure anybody was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from helsevev.fhir.reading import (
    Moment,
    amount,
    code_of,
    codes,
    codings,
    concept_text,
    concept_texts,
    moment_of,
    notes,
    objects,
    of_patient,
    reference_text,
    sort_key,
    text,
)

_PAST: Final = frozenset({"inactive", "remission", "resolved"})
_UNCERTAIN: Final = frozenset({"unconfirmed", "provisional", "differential"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One condition, or several past ones with the same code (`times` says how many).

    `status` and `verification` are FHIR codes, empty when the sender did not say.
    `since_text` is what stands instead of a date: an age, a range or free text.
    """

    id: str
    text: str
    code: str
    status: str
    verification: str
    severity: str
    is_listed: bool
    since: Moment | None
    since_text: str
    until: Moment | None
    body_sites: tuple[str, ...]
    recorder: str
    notes: tuple[str, ...]
    times: int = 1

    @property
    def is_uncertain(self) -> bool:
        """True while the diagnosis is a suspicion."""
        return self.verification in _UNCERTAIN


@dataclass(frozen=True, slots=True)
class Problems:
    """Conditions in two lists; one with no clinical status stays with the active."""

    active: tuple[Problem, ...]
    inactive: tuple[Problem, ...]


def problems(
    resources: Iterable[Mapping[str, Any]], names: Mapping[str, str] | None = None
) -> Problems:
    """Condition resources as a view: the problem list first, then by time, newest first.

    Refuted and mistaken ones are left out. Past conditions with the same code are one line.
    """
    active: list[Problem] = []
    past: list[Problem] = []
    for resource in of_patient(resources):
        if "refuted" in codes(resource.get("verificationStatus")):
            continue
        problem = _problem(resource, names)
        has_ended = problem.status in _PAST or (not problem.status and problem.until is not None)
        (past if has_ended else active).append(problem)
    active.sort(key=_newest)
    active.sort(key=lambda p: not p.is_listed)
    past.sort(key=_newest)
    return Problems(tuple(active), _merged(past))


def _merged(newest_first: list[Problem]) -> tuple[Problem, ...]:
    kept: dict[str, Problem] = {}
    for problem in newest_first:
        key = problem.code or problem.text or problem.id
        seen = kept.get(key)
        kept[key] = problem if seen is None else replace(seen, times=seen.times + 1)
    return tuple(kept.values())


def _problem(resource: Mapping[str, Any], names: Mapping[str, str] | None) -> Problem:
    listed = codings(resource.get("code"))
    return Problem(
        id=text(resource.get("id")),
        text=concept_text(resource.get("code")),
        code="|".join(listed[0]) if listed else "",
        status=code_of(resource.get("clinicalStatus")),
        verification=code_of(resource.get("verificationStatus")),
        severity=concept_text(resource.get("severity")),
        is_listed="problem-list-item" in codes(resource.get("category")),
        since=moment_of(resource, "onsetDateTime", "onsetPeriod", "recordedDate"),
        since_text=_onset_in_words(resource),
        until=moment_of(resource, "abatementDateTime", "abatementPeriod"),
        body_sites=tuple(concept_texts(resource.get("bodySite"))),
        recorder=reference_text(resource.get("recorder"), names)
        or reference_text(resource.get("asserter"), names),
        notes=tuple(notes(resource.get("note"))),
    )


def _onset_in_words(resource: Mapping[str, Any]) -> str:
    if said := text(resource.get("onsetString")):
        return said
    age = amount(resource.get("onsetAge"))
    if age is not None and age.value is not None:
        return f"{age.value} {age.unit}".strip()
    limits = [amount(r) for part in ("low", "high") for r in objects(_range(resource).get(part))]
    return "–".join(f"{a.value} {a.unit}".strip() for a in limits if a and a.value is not None)


def _range(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    found = resource.get("onsetRange")
    return found if isinstance(found, dict) else {}


def _newest(problem: Problem) -> float:
    return -sort_key(problem.since).timestamp()
