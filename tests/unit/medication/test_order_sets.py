"""Each order set finds its products, is whole, and meets the cards that its cases say."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from helsevev.content import loading
from helsevev.content.order_set_shapes import OrderSet, SetCase, SetLine
from helsevev.decision_support.checking import advise
from helsevev.decision_support.knowledge import included, knowledge
from helsevev.decision_support.reading import situation_of
from helsevev.decision_support.situation_cases import NOW, chart_of, read_cases
from helsevev.medication import prescription
from helsevev.medication.catalogue import demo
from helsevev.medication.catalogue.index import Index
from helsevev.medication.catalogue.product import SUBSTANCE, Product
from helsevev.medication.order_form import dosages_of, of_sentence
from helsevev.medication.order_products import measured

TODAY = date(2026, 11, 2)
PRODUCTS = {
    each.id: msgspec.json.decode(each.body, type=Product)
    for each in demo.entries()
    if each.kind == "product"
}
INDEX = Index(list(PRODUCTS.values()), {})
KNOWN = knowledge(included())
SETS = loading.order_sets().set
LINES = [(each, line) for each in SETS for line in each.line]
CASES = [(each, case) for each in SETS for case in each.case]


def product(line: SetLine) -> Product:
    """The product that a line is ordered as."""
    found = [each for each in INDEX.find(line.search, 20) if each.atc.startswith(line.atc)]
    found.sort(key=lambda each: each.kind != SUBSTANCE)
    return PRODUCTS[found[0].id]


def order(line: SetLine) -> dict[str, Any]:
    """The order that a line makes, unchanged."""
    form = {**of_sentence(line, TODAY), "days": "", "start": ""}
    return prescription.prescribe(
        measured(product(line))["code"], dosages_of(form, TODAY), patient_id="p", at=NOW,
        prescriber=prescription.Prescriber("Practitioner/p", "P"), reason=line.reason,
    )  # fmt: skip


@pytest.mark.parametrize(("of", "line"), LINES, ids=lambda each: getattr(each, "id", ""))
def test_each_line_names_a_product_and_is_a_whole_order(of: OrderSet, line: SetLine) -> None:
    assert of.line
    assert product(line).atc.startswith(line.atc)
    assert prescription.check(order(line)) == []


@pytest.mark.parametrize(("of", "case"), CASES, ids=lambda each: getattr(each, "about", ""))
def test_a_set_meets_the_cards_that_its_case_expects(of: OrderSet, case: SetCase) -> None:
    written = f"header\n{case.about};{case.patient};{case.uses};N02BE01;;{case.source}\n"
    chart = chart_of(read_cases(written)[0])
    chosen = [
        line for line in of.line
        if (line.on or line.id in case.also) and line.id not in case.without
    ]  # fmt: skip
    chart["Medication"] = [measured(product(line)) for line in chosen]
    orders = [order(line) for line in chosen]
    met = set()
    for line, made in zip(chosen, orders, strict=True):
        besides = [other for other in orders if other is not made]
        situation = situation_of(made, chart, KNOWN.facts, NOW, besides=besides)
        met |= {f"{line.id}:{card.rule}={card.level}" for card in advise(situation, KNOWN).cards}
    assert met == set(case.cards)


def test_a_set_is_found_by_the_words_that_people_use_and_not_by_nothing() -> None:
    sets = loading.order_sets()
    found = {words: [each.id for each in sets.find(words)] for words in ("pall", "uvi", "", "xyz")}
    assert found == {"pall": ["palliative-kit"], "uvi": ["cystitis"], "": [], "xyz": []}


@pytest.mark.parametrize(
    "change", [{"line": ()}, {"case": ()}, {"owner": ""}, {"source": ()}, {"status": "maybe"}]
)
def test_a_set_without_owner_source_or_cases_is_refused(change: dict[str, Any]) -> None:
    kept = {name: getattr(SETS[0], name) for name in OrderSet.__struct_fields__}
    with pytest.raises(ValueError, match=SETS[0].id):
        OrderSet(**{**kept, **change})
