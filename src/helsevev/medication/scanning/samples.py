"""Codes to try the scanner with, of the catalogue that comes with the program. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from helsevev.locale import gettext as _
from helsevev.medication.catalogue.product import Package, Product
from helsevev.medication.round import Row
from helsevev.medication.scanning.drawing import ean13, gs1_datamatrix
from helsevev.medication.scanning.fitting import WRONG_STRENGTH, Fit, Ordered, fit

_KEEPS = timedelta(days=400)


class Sample(Struct, frozen=True):
    """One code: what it is on, what a scan of it comes to, and its picture."""

    name: str
    note: str
    picture: str
    is_wide: bool = False


def samples_of(
    row: Row, ordered: Ordered, packed: Sequence[tuple[Product, Package]], today: date
) -> list[Sample]:
    """Codes of a dose: the right package, another strength of it, and one that has expired."""
    fits = [(each, package, fit(each, ordered, row.dosage)) for each, package in packed]
    right = next((each for each in fits if _is_right(each[2])), None)
    made: list[Sample] = []
    if right is not None:
        product, package, _fit = right
        code = package.barcodes[0]
        made += [
            Sample(product.name, _("right"), gs1_datamatrix(code, today + _KEEPS, "DEMO1", "1")),
            Sample(product.name, _("right, without expiry"), ean13(code), True),
            Sample(
                product.name,
                _("expired"),
                gs1_datamatrix(code, today - timedelta(days=1), "DEMO0", "2"),
            ),
        ]
    wrong = next((each for each in fits if each[2].problem == WRONG_STRENGTH), None)
    if wrong is not None:
        code = wrong[1].barcodes[0]
        picture = gs1_datamatrix(code, today + _KEEPS, "DEMO2", "3")
        made.append(Sample(wrong[0].name, _("wrong strength"), picture))
    return made


def _is_right(found: Fit) -> bool:
    return not found.problem and found.pieces is None
