"""A proposed dose as the product can give it: tablets, halves where it divides, or millilitres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import decision_loading, loading
from helsevev.content.dose_shapes import DoseHelp
from helsevev.decision_support.dose_help import Proposal, proposals
from helsevev.decision_support.measured import Basis, basis_of
from helsevev.decision_support.reading import age_in_months
from helsevev.decision_support.strength import Strength, strengths
from helsevev.fhir.reading import codings
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.product import Product
from helsevev.medication.coding import ATC
from helsevev.medication.dosage import called, plain
from helsevev.medication.order_products import measured

_SLICES: Final = (Slice("Patient", 1), Slice("Observation", 500))


class Suggested(Struct, frozen=True):
    """A proposal with what the form would hold: `form` is empty where nothing can be taken over."""

    proposal: Proposal
    lines: tuple[str, ...]
    words: str
    form: Mapping[str, str]


class DoseAdvice(Struct, frozen=True):
    """What helps with a dose: the facts it rests on, and proposals; empty where none is known."""

    basis: Basis | None = None
    suggested: tuple[Suggested, ...] = ()
    is_reviewed: bool = False


async def dose_advice(
    services: Services, permit: Permit, medicine: Mapping[str, Any], born: str
) -> DoseAdvice:
    """Help with the dose of a medicine (a CodeableConcept) for the patient of a permit.

    `born` (ISO 8601) tells whether content has anything to say, before anything is read.
    """
    content = loading.dose_help()
    codes = tuple(code for system, code in codings(medicine) if system == ATC)
    months = age_in_months({"birthDate": born}, clock.now())
    if not proposals(codes, Basis(months, ""), content):
        return DoseAdvice()
    chart = await services.gate.open_slices(permit, _SLICES, interaction="dose-help")
    basis = basis_of(chart, decision_loading.facts(), clock.now())
    found = proposals(codes, basis, content)
    if not found:
        return DoseAdvice()
    product = await _product(services, medicine)
    made = tuple(suggested(each, product, content) for each in found)
    return DoseAdvice(basis, made, content.status == "approved")


async def _product(services: Services, medicine: Mapping[str, Any]) -> Product | None:
    named = [code for system, code in codings(medicine) if system != ATC]
    found = await services.medicines.entries("product", named) if named else []
    return msgspec.json.decode(found[0].body, type=Product) if found else None


def suggested(proposal: Proposal, product: Product | None, content: DoseHelp) -> Suggested:
    """A proposal as a product gives it; nothing to take over where that is too far from it."""
    if proposal.amount is None:
        return Suggested(proposal, proposal.reckoning, "", {})
    unit = "IE" if proposal.unit == "IU" else proposal.unit
    held = strengths(measured(product)) if product is not None else ()
    only = held[0] if len(held) == 1 else None
    if product is None or only is None or only.unit != proposal.unit:
        said = _("The product's strength is not known: not rounded to what it can give.")
        return _taken(proposal, (*proposal.reckoning, said), proposal.amount, unit)
    counted = proposal.amount * only.per / only.value
    rounded = _rounded(counted, _step(counted, only, product, content))
    if proposal.most is not None and rounded * only.value / only.per > proposal.most:
        rounded -= _step(counted, only, product, content)
    name = _unit_of(only, product)
    if not name or rounded <= 0 or abs(rounded - counted) > counted * content.largest_rounding:
        said = _("%(product)s cannot give this dose: choose another strength.")
        return Suggested(
            proposal, (*proposal.reckoning, said % {"product": product.name}), "", {}
        )  # fmt: skip
    gives = plain(rounded * only.value / only.per)
    line = f"= {plain(rounded)} {called(name, rounded)} ({gives} {unit}, {product.name})"
    return _taken(proposal, (*proposal.reckoning, line), rounded, name)


def _taken(
    proposal: Proposal, lines: Sequence[str], amount: Decimal, unit: str
) -> Suggested:  # fmt: skip
    form = {
        "how": "hours" if proposal.hours else "daily", "amount": plain(amount), "unit": unit,
        "often": str(proposal.often), "hours": str(proposal.hours or ""),
    }  # fmt: skip
    when = (
        _("every %(count)s hours") % {"count": proposal.hours} if proposal.hours
        else f"\u00d7 {proposal.often}"
    )  # fmt: skip
    return Suggested(proposal, tuple(lines), f"{plain(amount)} {called(unit, amount)} {when}", form)


def _step(counted: Decimal, held: Strength, product: Product, content: DoseHelp) -> Decimal:
    """The smallest difference that a product can be given with."""
    if held.per_unit == "ml":
        steps = [each.step for each in content.liquid if counted <= each.to_ml]
        return steps[0] if steps else content.liquid[-1].step
    said = product.divisible.display.casefold() if product.divisible is not None else ""
    # Volven 7472 in its words; of what is not said, a whole one is the least that can be given.
    divides = "kan deles" in said and "ikke" not in said
    return Decimal("0.5") if divides else Decimal(1)


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def _unit_of(held: Strength, product: Product) -> str:
    """What the dose is called in; "" for what is given by no count."""
    if held.per_unit == "ml":
        return "ml"
    if held.per_unit == "mg":
        return ""
    return product.units[0].display if len(product.units) == 1 else held.per_unit
