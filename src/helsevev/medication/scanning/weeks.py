"""How scanning goes, week by week: from counts to what a unit's manager looks at. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from msgspec import Struct

from helsevev.access.scan_counts import DOSE, RIGHT, ScanCount
from helsevev.medication.scanning.judging import STOPS, UNKNOWN, UNREADABLE

MOST_PRODUCTS: Final = 20


class Week(Struct, frozen=True, kw_only=True):
    """One week: doses signed with and without scanning, and what came of the scans."""

    begins: date
    scanned: int
    reasons: dict[str, int]
    stops: dict[str, int]
    failures: dict[str, int]
    scans: int

    @property
    def doses(self) -> int:
        """Doses that were signed here, scanned or with a reason why not."""
        return self.scanned + sum(self.reasons.values())

    @property
    def share(self) -> Decimal | None:
        """Doses that were scanned, in per cent; None in a week without doses."""
        return Decimal(round(100 * self.scanned / self.doses)) if self.doses else None


class Unscanned(Struct, frozen=True):
    """What does not scan: a number that the catalogue lacks, or a medicine signed for a reason."""

    name: str
    outcome: str
    times: int


class Statistics(Struct, frozen=True):
    """All weeks of a time, the oldest first, and what does not scan, the most often first."""

    weeks: tuple[Week, ...]
    unknown: tuple[Unscanned, ...]
    unscanned: tuple[Unscanned, ...]


def statistics(
    counts: Sequence[ScanCount], reasons: Iterable[str], first: date, last: date
) -> Statistics:
    """What was counted, by the weeks from `first` to `last` (Mondays), each there though empty.

    `reasons` are the codes of why nothing was scanned.
    """
    known = frozenset(reasons)
    weeks = []
    begins = first
    while begins <= last:
        weeks.append(_week(begins, [c for c in counts if c.week == begins], known))
        begins += timedelta(days=7)
    unknown = _most(c for c in counts if c.outcome == UNKNOWN and c.product)
    unscanned = _most(c for c in counts if c.what == DOSE and c.outcome in known and c.product)
    return Statistics(tuple(weeks), unknown, unscanned)


def _week(begins: date, counts: Sequence[ScanCount], reasons: frozenset[str]) -> Week:
    doses = [c for c in counts if c.what == DOSE]
    scans = [c for c in counts if c.what != DOSE]
    return Week(
        begins=begins,
        scanned=sum(c.times for c in doses if c.outcome == RIGHT),
        reasons=_sums(c for c in doses if c.outcome in reasons),
        stops=_sums(c for c in scans if c.outcome in STOPS),
        failures=_sums(c for c in scans if c.outcome in (UNKNOWN, UNREADABLE)),
        scans=sum(c.times for c in scans),
    )


def _sums(counts: Iterable[ScanCount]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in counts:
        found[each.outcome] += each.times
    return dict(found)


def _most(counts: Iterable[ScanCount]) -> tuple[Unscanned, ...]:
    found: Counter[tuple[str, str]] = Counter()
    for each in counts:
        found[each.product, each.outcome] += each.times
    listed = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Unscanned(*key, times) for key, times in listed[:MOST_PRODUCTS])
