"""A falling (or rising) course: its steps worked out, so that nobody has to do the arithmetic."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from msgspec import Struct

from helsevev.fhir.outcome import error
from helsevev.locale import gettext as _
from helsevev.medication.prescription import NotPrescribable

MOST_STEPS: Final = 60


class Step(Struct, frozen=True):
    """So much each day from `start` to `end`, both included."""

    amount: Decimal
    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it lasts."""
        return (self.end - self.start).days + 1


def taper(
    first: Decimal, by: Decimal, days: int, last: Decimal, start: date
) -> tuple[Step, ...]:  # fmt: skip
    """The steps from `first` to `last`, `by` at a time, `days` days each, without a gap.

    The last step is `last` itself, also when the way there does not divide. Raises NotPrescribable.
    """
    for said, place in ((first, "amount"), (by, "down"), (last, "last")):
        if said <= 0:
            raise NotPrescribable([error("value", _("A dose is more than nothing."), place)])
    if not 1 <= days <= 366:
        problem = _("A step lasts from 1 day to a year.")
        raise NotPrescribable([error("value", problem, "days")])
    amounts = _amounts(first, by, last)
    steps = []
    for amount in amounts:
        end = start + timedelta(days=days - 1)
        steps.append(Step(amount, start, end))
        start = end + timedelta(days=1)
    return tuple(steps)


def _amounts(first: Decimal, by: Decimal, last: Decimal) -> list[Decimal]:
    if abs(first - last) / by >= MOST_STEPS:
        problem = _("More than %(count)s steps: take larger ones.") % {"count": MOST_STEPS}
        raise NotPrescribable([error("value", problem, "down")])
    found = [first]
    while abs(found[-1] - last) > by:
        found.append(found[-1] - by if last < first else found[-1] + by)
    return found if found[-1] == last else [*found, last]


def total(steps: tuple[Step, ...], a_day: int = 1) -> Decimal:
    """How much is taken in the whole course, with so many doses a day."""
    return sum((step.amount * step.days * a_day for step in steps), Decimal(0))


class Bar(Struct, frozen=True):
    """One step as it is drawn: its place and size in SVG units."""

    x: float
    y: float
    width: float
    height: float
    step: Step


def drawn(steps: tuple[Step, ...], width: int = 600, height: int = 120) -> tuple[Bar, ...]:
    """The course as bars, as wide as they last and as high as the dose."""
    days = sum(step.days for step in steps)
    most = max((step.amount for step in steps), default=Decimal(1))
    bars, x = [], 0.0
    for step in steps:
        wide, high = width * step.days / days, float(height * step.amount / most)
        bars.append(Bar(round(x, 2), round(height - high, 2), round(wide, 2), round(high, 2), step))
        x += wide
    return tuple(bars)
