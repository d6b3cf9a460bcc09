"""What every order must say, whichever door it comes through: the side, where there are two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from helsevev.content.packs.orders import Orders
from helsevev.content.packs.shelf import built_in
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import text
from helsevev.locale import gettext as _
from helsevev.observation.orders.coding import key_of, side_of

_ENDED = ("entered-in-error", "revoked")


def check(order: dict[str, Any]) -> list[Issue]:
    """The issues of a ServiceRequest: one for a paired part of the body without a side."""
    return side_missing(order) if text(order.get("status")) not in _ENDED else []


def side_missing(order: Mapping[str, Any]) -> list[Issue]:
    """That the order names no side, though the content says that there are two."""
    if key_of(order) in _paired() and not side_of(order):
        return [error("required", _("Choose the side."), "ServiceRequest.bodySite")]
    return []


@cache
def _paired() -> frozenset[str]:
    """Keys of what has two sides, in the content that comes with the program."""
    return frozenset(
        what.key for pack in built_in() for of in pack.of(Orders).values() for what in of.order
        if what.side
    )  # fmt: skip
