"""A product's strength as amounts that can be compared, from its ingredients or from its name."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from msgspec import Struct

from helsevev.medication.catalogue.product import Product

_TO_MG: Final = {
    "g": Decimal(1000), "mg": Decimal(1), "mikrog": Decimal("0.001"), "\u00b5g": Decimal("0.001"),
    "\u03bcg": Decimal("0.001"), "ug": Decimal("0.001"), "mcg": Decimal("0.001"),
    "nanog": Decimal("0.000001"),
}  # fmt: skip
_SAME: Final = {"ie": "IE", "e": "IE", "[iu]": "IE", "iu": "IE", "mmol": "mmol", "ml": "ml"}
_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_STRENGTH: Final = re.compile(
    rf"(?<![\w.,/])({_NUMBER}(?:\s?[a-z\u00b5\u03bc]+)?(?:/{_NUMBER}(?:\s?[a-z\u00b5\u03bc]+)?)*)"
    r"(?:/(ml|g|dose|time|dr\u00e5pe))?(?![\w/])",
    re.IGNORECASE,
)
_ONE: Final = re.compile(rf"({_NUMBER})\s?([a-z\u00b5\u03bc]*)", re.IGNORECASE)


class Strength(Struct, frozen=True, order=True):
    """So much of one substance: milligrams, units (IE) or mmol; in one `per` ("" for a piece)."""

    value: Decimal
    unit: str
    per: str = ""


def of_amount(value: str, unit: str, per: str = "") -> Strength | None:
    """A strength from an amount as it is written; None for a unit that is no measure of substance.

    A gram is a thousand milligrams, so that "1 g" and "1000 mg" are the same.
    """
    number, measure = Decimal(value.replace(",", ".")), unit.strip().casefold()
    if measure in _TO_MG:
        return Strength(number * _TO_MG[measure], "mg", per.casefold())
    if measure in _SAME:
        return Strength(number, _SAME[measure], per.casefold())
    return None


def of_text(name: str) -> tuple[Strength, ...]:
    """The strengths in a product's name, the smallest first; empty where it says none.

    "100/25 mg" is two, of milligrams both.
    """
    for written in _STRENGTH.finditer(name):
        parts = _ONE.findall(written[1])
        units = [unit for _, unit in parts]
        for place in reversed(range(len(units) - 1)):
            units[place] = units[place] or units[place + 1]
        found = [
            of_amount(value, unit, written[2] or "")
            for (value, _), unit in zip(parts, units, strict=True)
            if unit
        ]
        known = [each for each in found if each is not None]
        if known and len(known) == len(parts):
            return tuple(sorted(known))
    return ()


def of_product(product: Product) -> tuple[Strength, ...]:
    """The strengths of a product of the catalogue; empty where they are not told as amounts."""
    found = []
    for each in product.ingredients:
        if each.strength is None:
            return of_text(product.name)
        per = each.per.unit if each.per is not None and each.per.value == "1" else ""
        if each.per is not None and not per and each.per.unit:
            return of_text(product.name)
        strength = of_amount(each.strength.value, each.strength.unit, per)
        if strength is None:
            return of_text(product.name)
        found.append(strength)
    return tuple(sorted(found)) or of_text(product.name)
