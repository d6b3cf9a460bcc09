"""A dose is proposed with its reckoning, as the product gives it, from facts that are fresh."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.content import decision_loading, loading
from helsevev.content.dose_shapes import ByKidney, KidneyBand
from helsevev.decision_support.dose_help import Proposal, proposals
from helsevev.decision_support.kidney_function import clearance_of
from helsevev.decision_support.measured import Basis, basis_of
from helsevev.decision_support.situation_cases import NOW, chart_of, read_cases
from helsevev.medication.catalogue import demo
from helsevev.medication.catalogue.product import Product
from helsevev.medication.dose_suggestions import suggested

HELP = loading.dose_help()
FACTS = decision_loading.facts()
PRODUCTS = {
    product.name: product
    for each in demo.entries()
    if each.kind == "product"
    for product in [msgspec.json.decode(each.body, type=Product)]
}


def basis(patient: str, days_old: int = 0) -> Basis:
    """What is known of a patient, written as in cases, seen so many days later."""
    chart: Any = chart_of(read_cases(f"header\nx;{patient};;N02BE01;;y\n")[0])
    return basis_of(chart, FACTS, NOW + timedelta(days=days_old))


# patient; ATC; product; days since the measurements; the proposed dose; a part of the reckoning
CASES = [
    ("M 4 w16", "N02BE01", "Paracet mikst 24 mg/ml", 0, "10 ml \u00d7 4", "16 kg = 240 mg"),
    ("M 2 w12.4", "N02BE01", "Paracet mikst 24 mg/ml", 0, "8 ml \u00d7 4", "(192 mg, "),
    ("F 16 w80", "N02BE01", "Paracet tab 500 mg", 0, "2 tabletter \u00d7 4", "h\u00f8yst 1000 mg"),
    ("M 4 w16", "N02BE01", "Paracet tab 500 mg", 0, "", "velg en annen styrke"),
    ("M 4", "N02BE01", "Paracet mikst 24 mg/ml", 0, "", "Ingen vekt er registrert."),
    ("M 4 w16", "N02BE01", "Paracet mikst 24 mg/ml", 150, "", "150 dager gammel: for gammel"),
    ("M 40 w80", "N02BE01", "Paracet tab 500 mg", 0, None, ""),
    ("F 80 w50 crea120", "B01AF02", "Eliquis tab 2,5 mg", 0, "1 tablett \u00d7 2", "= 26 ml/min"),
    ("M 60 w80 crea80", "B01AF02", "Eliquis tab 5 mg", 0, "1 tablett \u00d7 2", "\u00d7 1,23 / 80"),
    ("M 60 w80 crea700", "B01AF02", "Eliquis tab 5 mg", 0, "", "Anbefales ikke."),
    ("M 60 w80", "B01AF02", "Eliquis tab 5 mg", 0, "", "Ingen kreatinin er registrert."),
    ("M 60 w80 crea80", "B01AF02", "Eliquis tab 5 mg", 400, "", "400 dager gammel"),
    ("M 60 w80 crea80", "B01AB05", "Klexane inj 100 mg/ml", 0, "0,8 ml \u00d7 2", "80 kg = 80"),
    ("F 85 w50 crea130", "B01AB05", "Klexane inj 100 mg/ml", 0, "0,5 ml \u00d7 1", "= 22 ml/min"),
    ("M 60 w120", "B01AB04", "Fragmin inj 25000 IE/ml", 0, "0,7 ml \u00d7 1", "yst 18000 IE"),
    ("F 70 w60 crea70", "N06DX01", "", 0, "20 mg \u00d7 1", "ikke rundet av"),
]  # fmt: skip


@pytest.mark.parametrize(("patient", "atc", "name", "days", "words", "part"), CASES)
def test_a_dose_is_proposed_with_its_reckoning(
    patient: str, atc: str, name: str, days: int, words: str | None, part: str
) -> None:
    found = proposals((atc,), basis(patient, days), HELP)
    if words is None:
        assert found == ()
        return
    made = suggested(found[0], PRODUCTS[name] if name else None, HELP)
    assert made.words == words
    assert bool(made.form) == bool(words)
    assert part in " ".join((*made.lines, made.proposal.wants))


@given(st.decimals(1, 150, places=1), st.decimals(20, 900, places=0), st.integers(18, 100))
def test_what_is_proposed_is_never_above_the_most_nor_far_from_what_was_reckoned(
    weight: Decimal, creatinine: Decimal, years: int
) -> None:
    known = basis(f"M {years} w{weight} crea{creatinine}")
    for product in PRODUCTS.values():
        for each in proposals((product.atc,), known, HELP):
            made = suggested(each, product, HELP)
            if made.form and each.amount is not None and made.form["unit"] == "ml":
                assert Decimal(made.form["amount"].replace(",", ".")) > 0
            if each.most is not None and each.amount is not None:
                assert each.amount <= each.most


@given(st.decimals(Decimal("0.01"), 5000, places=2), st.sampled_from(sorted(PRODUCTS)))
def test_a_dose_that_a_product_cannot_give_is_not_proposed(amount: Decimal, name: str) -> None:
    product = PRODUCTS[name]
    proposal = Proposal("x", "X", "y", "mg", amount, 1, 0, (), most=amount)
    made = suggested(proposal, product, HELP)
    strength = product.ingredients[0].strength if len(product.ingredients) == 1 else None
    if not made.form or strength is None or strength.unit != "mg" or made.form["unit"] == "mg":
        return
    per = Decimal(product.ingredients[0].per.value) if product.ingredients[0].per else Decimal(1)
    gives = Decimal(made.form["amount"].replace(",", ".")) * Decimal(strength.value) / per
    assert gives <= amount
    assert gives >= amount * (1 - HELP.largest_rounding) - Decimal("0.001")


@pytest.mark.parametrize(
    ("creatinine", "years", "sex", "weight", "clearance"),
    # By hand: (140 - age) x kg x 1.23 (1.04) / creatinine; Nephron 1976;16:31.
    [(80, 60, "male", 80, 98), (120, 80, "female", 50, 26), (100, 40, "female", 70, 73)],
)
def test_clearance_is_reckoned_as_cockcroft_and_gault_do(
    creatinine: int, years: int, sex: str, weight: int, clearance: int
) -> None:
    found = clearance_of(Decimal(creatinine), years * 12, sex, Decimal(weight))
    assert found == clearance
    assert clearance_of(Decimal(creatinine), 17 * 12, sex, Decimal(weight)) is None
    assert clearance_of(Decimal(creatinine), years * 12, "other", Decimal(weight)) is None


def test_bands_that_leave_a_kidney_function_out_are_refused() -> None:
    low = KidneyBand(below=Decimal(30), text="x")
    for bands in ((low,), (KidneyBand(text="x"), low), (low, low, KidneyBand(text="x"))):
        with pytest.raises(ValueError, match="bad"):
            ByKidney(id="bad", atc=("B",), title="x", by="egfr", band=bands, source="y")
