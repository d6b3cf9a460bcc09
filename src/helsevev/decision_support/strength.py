"""How much of a substance a counted dose is: tablets, millilitres, drops; never by guessing.

What the product does not say is not known: a dose in a unit that its strength is not given for,
and a drop of which nobody has said how many make a millilitre, have no amount.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import Amount, amount, mapping, number, objects

DROPS: Final = "http://helsevev.no/fhir/StructureDefinition/drops-per-ml"
"""valueDecimal on a Medication: how many of its drops make one millilitre."""
_UNITS: Final[dict[str, tuple[str, Decimal]]] = {
    "kg": ("mg", Decimal(1_000_000)), "g": ("mg", Decimal(1000)), "mg": ("mg", Decimal(1)),
    "ug": ("mg", Decimal("0.001")), "mcg": ("mg", Decimal("0.001")),
    "µg": ("mg", Decimal("0.001")), "μg": ("mg", Decimal("0.001")),
    "mikrog": ("mg", Decimal("0.001")), "mikrogram": ("mg", Decimal("0.001")),
    "microgram": ("mg", Decimal("0.001")), "ng": ("mg", Decimal("0.000001")),
    "nanog": ("mg", Decimal("0.000001")),
    "[iu]": ("IU", Decimal(1)), "iu": ("IU", Decimal(1)), "ie": ("IU", Decimal(1)),
    "e": ("IU", Decimal(1)),
    "enheter": ("IU", Decimal(1)), "k[iu]": ("IU", Decimal(1000)), "mmol": ("mmol", Decimal(1)),
    "l": ("ml", Decimal(1000)), "ml": ("ml", Decimal(1)),
}  # fmt: skip
_PIECES: Final = frozenset({
    "", "1", "tablett", "tabletter", "tablet", "tablets", "{tablet}", "{tbl}", "tbl", "kapsel",
    "kapsler", "capsule", "capsules", "{capsule}", "stk", "stykk", "stikkpille", "stikkpiller",
    "suppository", "vagitorie", "vagitorier", "tyggetablett", "tyggetabletter", "depottablett",
    "enterotablett", "brusetablett", "smeltetablett", "sublingvaltablett", "depotkapsel",
    "enterokapsel",
})  # fmt: skip
"""Words for one whole of what is taken by the piece."""
_DROPS: Final = frozenset({"dr\u00e5pe", "dr\u00e5per", "drop", "drops", "[drp]", "{drape}"})


class Strength(Struct, frozen=True):
    """So much of a substance ("mg", "IU", "mmol") in so much of a product.

    `per_unit` is "ml", "mg" of the product, a word for what is counted, or "" for a piece.
    """

    unit: str
    value: Decimal
    per: Decimal
    per_unit: str
    drops: Decimal | None = None


def strengths(product: Mapping[str, Any]) -> tuple[Strength | None, ...]:
    """The strength of each ingredient of a Medication; None where it is not said as an amount."""
    drops = next(
        (number(each.get("valueDecimal")) for each in objects(product.get("extension"))
         if each.get("url") == DROPS), None,
    )  # fmt: skip
    return tuple(
        _strength(mapping(each.get("strength")), drops)
        for each in objects(product.get("ingredient"))
    )


def _strength(ratio: Mapping[str, Any], drops: Decimal | None) -> Strength | None:
    held, per = amount(ratio.get("numerator")), amount(ratio.get("denominator"))
    if held is None or held.value is None:
        return None
    unit, factor = measure(held)
    if unit not in ("mg", "IU", "mmol"):
        return None
    value = held.value * factor
    if per is None or per.value is None:
        return Strength(unit, value, Decimal(1), "", drops)
    per_unit, per_factor = measure(per)
    if per.value <= 0:
        return None
    return Strength(unit, value, per.value * per_factor, per_unit or _word(per), drops)


def measured(given: Amount | None, strength: Strength | None) -> tuple[str, Decimal | None]:
    """(unit, amount) of the substance in a dose; ("", None) where the product does not say it."""
    if given is None or given.value is None:
        return "", None
    unit, factor = measure(given)
    if unit and unit != "ml":
        # A gram of a cream is not a gram of what is in it.
        of_product = strength is not None and strength.per_unit == "mg"
        if not of_product:
            return unit, given.value * factor
    if strength is None:
        return "", None
    counted = _counted(given, unit, factor, strength)
    return (strength.unit, counted * strength.value / strength.per) if counted else ("", None)


def _counted(
    given: Amount, unit: str, factor: Decimal, strength: Strength
) -> Decimal | None:  # fmt: skip
    """The dose in what the strength is given for; None where that is another thing."""
    value = given.value or Decimal(0)
    if unit:
        return value * factor if unit == strength.per_unit else None
    word = _word(given)
    if word in _DROPS and strength.per_unit == "ml":
        return value / strength.drops if strength.drops else None
    if word == strength.per_unit:
        return value
    both = word in _PIECES and word not in ("", "1") and strength.per_unit in _PIECES
    return value if both else None


def measure(given: Amount) -> tuple[str, Decimal]:
    """("mg", "IU", "mmol" or "ml", factor) of a unit; ("", 1) for what is counted."""
    for said in (given.code, given.unit):
        found = _UNITS.get(said.strip().casefold())
        if found is not None:
            return found
    return "", Decimal(1)


def _word(given: Amount) -> str:
    return (given.unit or given.code).strip().casefold()
