"""What municipalities decide to give: each kind of service, its law, its measure and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Final

from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape

_PER: Final = ("", "d", "wk", "mo")
_UNITS: Final = ("", "h", "d", "times")


class DecisionCase(Shape, frozen=True, kw_only=True):
    """What somebody is about to decide, and the fields that are told to be missing or wrong.

    `functions` are levels by code of Volven 9111; `amount` what is given in each period.
    """

    about: str
    amount: str = ""
    months: int = 12
    functions: Mapping[str, int] = {}
    refused: tuple[str, ...] = ()


class Decision(Item, frozen=True, kw_only=True):
    """One kind of service that a municipality decides on.

    `service` is the code of Volven 9151 ("" where the register has none), `law` what it rests on.
    What is given is counted in `unit` (h, d or times; "" when only the service itself is) for each
    `per` (d, wk, mo; "" for the whole time), between `least` and `most`. `functions` (codes of
    9111) must have been assessed before it is decided. `standard` is what the letter says of it.
    """

    folder: ClassVar[str] = "decisions"

    service: str = ""
    law: str
    unit: str = "h"
    per: str = "wk"
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(168)
    months: int = 12
    lasting: bool = False
    functions: tuple[str, ...] = ()
    standard: str
    case: tuple[DecisionCase, ...]

    def __post_init__(self) -> None:
        """Refuse an unknown measure, limits the wrong way round, and a kind without cases."""
        super().__post_init__()
        if self.per not in _PER or self.unit not in _UNITS:
            raise ValueError(f"it is measured in {_UNITS} for each of {_PER}")
        if self.unit and self.least > self.most:
            raise ValueError("least must not be over most")
        if not self.case:
            raise ValueError("a kind of decision needs cases")
