"""Which reads are unusual: the published rules over what is known of a read. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from helsevev.content.audit_shapes import ReadFacts, UnusualRule
from helsevev.content.loading import unusual_reads

_LEAST_MANY: Final = 30
"""Fewer records on one day are nobody's unusual volume."""

_NEAR_HOURS: Final = 2
_ADDRESS: Final = re.compile(r"(.+?)\s+(\d+)\s*([^\W\d_]?)\s*,\s*(\d{4})")


def unusual(facts: ReadFacts) -> list[UnusualRule]:
    """The rules that find the facts unusual."""
    return [rule for rule in unusual_reads().rule if _TESTS[rule.code](facts, rule.threshold)]


def finds(rule: UnusualRule, facts: ReadFacts) -> bool:
    """Whether one rule finds the facts unusual."""
    return _TESTS[rule.code](facts, rule.threshold)


def _own(facts: ReadFacts, _limit: float) -> bool:
    return bool(facts.reader_number) and facts.reader_number == facts.patient_number


def _surname(facts: ReadFacts, _limit: float) -> bool:
    reader = set(facts.reader_family.casefold().replace("-", " ").split())
    patient = set(facts.patient_family.casefold().replace("-", " ").split())
    return bool((reader & patient) - set(unusual_reads().common_names))


def _place(address: str) -> tuple[str, int, str, str] | None:
    match = _ADDRESS.fullmatch(address.casefold().strip())
    return None if match is None else (match[1], int(match[2]), match[3], match[4])


def _address(facts: ReadFacts, _limit: float) -> bool:
    here = _place(facts.reader_address)
    return here is not None and here == _place(facts.patient_address)


def _neighbour(facts: ReadFacts, limit: float) -> bool:
    here, there = _place(facts.reader_address), _place(facts.patient_address)
    if here is None or there is None or here == there:
        return False
    return (here[0], here[3]) == (there[0], there[3]) and abs(here[1] - there[1]) <= limit


def _volume(facts: ReadFacts, limit: float) -> bool:
    return (
        facts.records_today >= _LEAST_MANY
        and facts.records_usual > 0
        and facts.records_today > limit * facts.records_usual
    )


def _shift(facts: ReadFacts, limit: float) -> bool:
    near = {
        (hour + step) % 24
        for hour in facts.usual_hours
        for step in range(-_NEAR_HOURS, _NEAR_HOURS + 1)
    }
    return facts.days_known >= limit and facts.hour not in near


_TESTS: Final[dict[str, Callable[[ReadFacts, float], bool]]] = {
    "own-record": _own,
    "same-surname": _surname,
    "same-address": _address,
    "neighbour": _neighbour,
    "colleague": lambda facts, _limit: facts.is_colleague,
    "well-known": lambda facts, _limit: facts.is_well_known,
    "emergency": lambda facts, _limit: facts.is_emergency,
    "no-relation-afterwards": lambda facts, limit: facts.days_without_relation >= limit,
    "own-word": lambda facts, limit: facts.days_unconfirmed >= limit,
    "ended-relation": lambda facts, limit: facts.days_since_end > limit,
    "volume": _volume,
    "outside-shift": _shift,
}
