"""What a value is called beside its reference range: normal, low, high or critical."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Literal

Abnormality = Literal["", "low", "high", "critical-low", "critical-high", "abnormal"]

_CODES: dict[str, Abnormality] = {
    "L": "low",
    "H": "high",
    "LL": "critical-low",
    "HH": "critical-high",
    "LU": "critical-low",
    "HU": "critical-high",
    "<": "low",
    ">": "high",
    "A": "abnormal",
    "AA": "critical-high",
    "POS": "abnormal",
}


def abnormality(value: object, low: object = None, high: object = None, code: str = "") -> str:
    """Return "", low, high, critical-low, critical-high or abnormal.

    The laboratory's own code (HL7 v3 ObservationInterpretation) wins; without one the value is
    held against the range. Nothing is guessed when there is neither.
    """
    if code:
        return _CODES.get(code, "")
    number, least, most = (_decimal(part) for part in (value, low, high))
    if number is None:
        return ""
    if least is not None and number < least:
        return "low"
    if most is not None and number > most:
        return "high"
    return ""


def trend(points: list[object] | tuple[object, ...]) -> str:
    """Return up, down or flat for the last two values; "" when there are fewer."""
    numbers = [number for number in map(_decimal, points) if number is not None]
    if len(numbers) < 2:
        return ""
    before, after = numbers[-2:]
    return "flat" if after == before else "up" if after > before else "down"


def _decimal(value: object) -> Decimal | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
