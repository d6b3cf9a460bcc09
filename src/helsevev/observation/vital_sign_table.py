"""What the vital signs form needs to know: measurements, limits and score, all from content."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from helsevev.observation.news2 import Scale, Threshold

Coding = tuple[str, str, str]
"""(system, code, display)"""


class Choice(Struct, frozen=True):
    """One answer of a measurement that is chosen, not counted."""

    value: str
    label: str
    coding: Coding


class VitalSign(Struct, frozen=True):
    """One measurement of the form, as the content defines it.

    `least` and `most` are what can be true of a living person; values outside are refused.
    `panel` names the measurement that this one is a component of, as systolic is of blood pressure.
    """

    key: str
    label: str
    coding: Coding
    unit: str = ""
    ucum: str = ""
    decimals: int = 0
    least: Decimal | None = None
    most: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[Choice, ...] = ()
    panel: str = ""


class Panel(Struct, frozen=True):
    """A measurement that is only its components."""

    key: str
    label: str
    coding: Coding
    required: str = ""


class Table(Struct, frozen=True):
    """Everything the form needs to know."""

    signs: tuple[VitalSign, ...]
    panels: tuple[Panel, ...]
    score_coding: Coding
    score_label: str
    scales: tuple[Scale, ...]
    scales_hypercapnic: tuple[Scale, ...]
    thresholds: tuple[Threshold, ...]
    level_codings: Mapping[str, Coding]
    labels: Mapping[str, str]
