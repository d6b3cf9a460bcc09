"""What is printed to be scanned: a wristband, and labels of doses that are prepared. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from helsevev.content import loading
from helsevev.medication.round import Row
from helsevev.medication.scanning import own_codes
from helsevev.medication.scanning.drawing import datamatrix
from helsevev.medication.scanning.fitting import ordered_of


class Label(Struct, frozen=True):
    """The label of one prepared dose: `picture` is its code, `expires` until when it keeps."""

    row: Row
    picture: str
    expires: datetime


def label_of(row: Row, prepared_at: datetime) -> Label:
    """The label of a dose that is prepared now."""
    expires = prepared_at + keeps(row.order)
    return Label(row, datamatrix(own_codes.prepared(row.key, expires)), expires)


def keeps(order: Mapping[str, Any]) -> timedelta:
    """How long a prepared dose of an order keeps, by its form (content medication/scanning)."""
    listed = loading.scanning().keeping
    form = ordered_of(order, {}).form
    chosen = next((each for each in listed if form and form in each.forms), None)
    if chosen is None:
        chosen = next(each for each in listed if not each.forms)
    return timedelta(hours=chosen.hours)
