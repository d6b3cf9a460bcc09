"""Statistics of measured values (http://hl7.org/fhir/R4/observation-operation-stats.html), pure.

Numbers are Decimals all the way: what was written with two decimals is not averaged as 0.1 + 0.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Final

STATISTICS: Final = "http://terminology.hl7.org/CodeSystem/observation-statistics"
_DIGITS: Final = 28
_SHOWN: Final = 8


def _average(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def _variance(values: Sequence[Decimal]) -> Decimal | None:
    if len(values) < 2:
        return None
    mean = _average(values)
    return sum(((v - mean) ** 2 for v in values), Decimal(0)) / (len(values) - 1)


def _deviation(values: Sequence[Decimal]) -> Decimal | None:
    variance = _variance(values)
    return None if variance is None else variance.sqrt()


def _percentile(share: str) -> Callable[[Sequence[Decimal]], Decimal]:
    """Between the two nearest values, in proportion (R's type 7, Excel's PERCENTILE.INC)."""

    def read(values: Sequence[Decimal]) -> Decimal:
        ordered = sorted(values)
        place = Decimal(share) * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return read


KINDS: Final[dict[str, Callable[[Sequence[Decimal]], Decimal | None]]] = {
    "average": _average,
    "maximum": max,
    "minimum": min,
    "count": lambda values: Decimal(len(values)),
    "total-count": lambda values: Decimal(len(values)),
    "sum": lambda values: sum(values, Decimal(0)),
    "median": _percentile("0.5"),
    "20-percent": _percentile("0.2"),
    "80-percent": _percentile("0.8"),
    "4-lower": _percentile("0.25"),
    "4-upper": _percentile("0.75"),
    "variance": _variance,
    "std-dev": _deviation,
}
"""What can be asked for, by the code of R4's observation-statistics."""


def statistic(kind: str, values: Sequence[Decimal]) -> Decimal | None:
    """One statistic of at least one value; None where so few have none. KeyError: not offered."""
    with localcontext() as context:
        context.prec = _DIGITS
        found = KINDS[kind](values)
        if found is None:
            return None
        places = min(int(found.normalize().as_tuple().exponent), 0)
        if places < -_SHOWN:
            return found.quantize(Decimal(1).scaleb(-_SHOWN)).normalize() + 0
        return found
