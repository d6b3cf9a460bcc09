"""Whether a scanned product is what an order says, and how many pieces make its dose. Pure.

The same product, one of the same exchange group, or one of the same substance, form and strength.
Another strength of the same form counts when whole pieces of it make the dose.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import (
    amount,
    codings,
    concept_text,
    contained,
    first,
    mapping,
    reference_text,
)
from helsevev.medication.catalogue.product import ATC, DEMO, FEST, Product
from helsevev.medication.scanning.strength import Strength, of_amount, of_product, of_text

WRONG_MEDICINE: Final = "wrong-medicine"
WRONG_FORM: Final = "wrong-form"
WRONG_STRENGTH: Final = "wrong-strength"
SAME: Final = "same"
EXCHANGEABLE: Final = "exchangeable"
ALIKE: Final = "alike"
_VOLUME: Final = "ml"
_FULL_ATC: Final = 7


class Ordered(Struct, frozen=True):
    """What an order orders, as far as it can be told: `product` where the catalogue has it."""

    name: str
    atc: frozenset[str]
    product: Product | None
    strengths: tuple[Strength, ...]
    form: str


class Fit(Struct, frozen=True):
    """How a scanned product meets an order: `problem` is why not, "" when it does.

    `relation` is same, exchangeable (of one group in the register) or alike (by substance, form and
    strength). `pieces` of `unit` make the dose, None where the dose is as it is ordered.
    `unchecked` names what the order does not say (form, strength): a person has to look.
    """

    problem: str
    relation: str = ""
    pieces: Decimal | None = None
    unit: str = ""
    unchecked: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether nobody need look once more: the product itself, in the strength ordered."""
        known = self.relation in (SAME, EXCHANGEABLE)
        return not self.problem and known and self.pieces is None and not self.unchecked


def product_ids(order: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids by which an order names a product of the catalogue."""
    concept = _concept(order)
    return tuple(code for system, code in codings(concept) if system in (FEST, DEMO))


def ordered_of(order: Mapping[str, Any], products: Mapping[str, Product]) -> Ordered:
    """What an order orders; `products` are those that the catalogue has of `product_ids`."""
    concept = _concept(order)
    name = concept_text(concept) or reference_text(order.get("medicationReference"))
    product = next((products[each] for each in product_ids(order) if each in products), None)
    codes = {code for system, code in codings(concept) if system == ATC}
    if product is not None:
        form = product.form.code if product.form else ""
        known = codes | ({product.atc} if product.atc else set())
        return Ordered(name, frozenset(known), product, of_product(product), form)
    held = contained(order, order.get("medicationReference"))
    form = next((code for _, code in codings(held.get("form"))), "") or _form_in(name)
    return Ordered(name, frozenset(codes), None, of_text(name), form)


def fit(scanned: Product, ordered: Ordered, dosage: Mapping[str, Any]) -> Fit:
    """How a scanned product meets what was ordered, and a dosage of it."""
    relation = _relation(scanned, ordered.product)
    if not relation and not _is_same_substance(scanned, ordered):
        return Fit(WRONG_MEDICINE)
    unchecked: list[str] = []
    form = scanned.form.code if scanned.form else ""
    if not relation and form != ordered.form:
        if form and ordered.form:
            return Fit(WRONG_FORM)
        unchecked.append("form")
    have, want = of_product(scanned), ordered.strengths
    if relation == SAME or (relation and have == want):
        return Fit("", relation, unchecked=tuple(unchecked))
    if have and have == want:
        return Fit("", ALIKE, unchecked=tuple(unchecked))
    if not have or not (want or _measured(dosage)):
        return Fit("", relation or ALIKE, unchecked=(*unchecked, "strength"))
    pieces = _pieces(have, want, dosage)
    if pieces is None:
        return Fit(WRONG_STRENGTH)
    unit = scanned.units[0].display if scanned.units else ""
    return Fit("", relation or ALIKE, pieces, unit, tuple(unchecked))


def _relation(scanned: Product, ordered: Product | None) -> str:
    if ordered is None:
        return ""
    if scanned.id in (ordered.id, ordered.generic) or ordered.id == scanned.generic:
        return SAME
    if scanned.exchange_group and scanned.exchange_group == ordered.exchange_group:
        return EXCHANGEABLE
    if scanned.generic and scanned.generic == ordered.generic:
        return EXCHANGEABLE
    return ""


def _is_same_substance(scanned: Product, ordered: Ordered) -> bool:
    # A group of substances is not a substance.
    return len(scanned.atc) >= _FULL_ATC and scanned.atc in ordered.atc


def _measured(dosage: Mapping[str, Any]) -> Strength | None:
    """The dose as an amount of substance; None when it is counted, or a volume."""
    dose = _dose(dosage)
    if dose is None or dose[1] == _VOLUME:
        return None
    return of_amount(str(dose[0]), dose[1])


def _dose(dosage: Mapping[str, Any]) -> tuple[Decimal, str] | None:
    found = amount(first(dosage.get("doseAndRate")).get("doseQuantity"))
    if found is None or found.value is None:
        return None
    return found.value, (found.unit or found.code).strip().casefold()


def _pieces(
    have: tuple[Strength, ...], want: tuple[Strength, ...], dosage: Mapping[str, Any]
) -> Decimal | None:
    """How many pieces of a product make the dose; None when no whole number of them does."""
    if len(have) != 1 or have[0].per:
        return None  # Of a mixture or a liquid, another strength is another volume: not reckoned.
    dose, measured = _dose(dosage), _measured(dosage)
    if dose is None:
        return None
    if measured is not None:
        wanted = measured.value if measured.unit == have[0].unit else None
    elif len(want) == 1 and not want[0].per and want[0].unit == have[0].unit and dose[1] != _VOLUME:
        wanted = dose[0] * want[0].value
    else:
        wanted = None
    if wanted is None or not have[0].value:
        return None
    try:
        pieces = wanted / have[0].value
    except InvalidOperation:
        return None
    whole = pieces == pieces.to_integral_value()
    return pieces if whole and 1 <= pieces <= loading.scanning().most_pieces else None


def _concept(order: Mapping[str, Any]) -> Mapping[str, Any]:
    held = contained(order, order.get("medicationReference"))
    return mapping(order.get("medicationCodeableConcept")) or mapping(held.get("code"))


def _form_in(name: str) -> str:
    """The form that a name says in words, by the longest word of one; "" for none."""
    said = f" {name.casefold()} "
    return next((code for word, code in _forms() if f" {word} " in said), "")


@cache
def _forms() -> tuple[tuple[str, str], ...]:
    listed = {
        word.casefold(): form.code
        for form in loading.catalogue_products().form
        for word in (form.short, form.name)
    }
    return tuple(sorted(listed.items(), key=lambda each: -len(each[0])))
