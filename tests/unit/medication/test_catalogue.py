"""A medicine is found by what people type, and the register is read as it is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.medicines import Entry
from helsevev.content import loading
from helsevev.decision_support.reading import medicine_of
from helsevev.fhir.validation import validate
from helsevev.medication.catalogue import demo, fest, resources
from helsevev.medication.catalogue.index import Index
from helsevev.medication.catalogue.product import Product, resource_id
from helsevev.medication.catalogue.sentences import Learner, usual, written_for
from helsevev.medication.order_products import measured
from helsevev.terminology.opening import files

SHARED = Path(os.environ.get("HELSEVEV_SHARED", Path(__file__).parents[4] / "shared"))
SAMPLES = SHARED / "data/norway/fest/festlib_snippets"


def _silent(_what: str, _count: int) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def products() -> list[Product]:
    """The products of the content's catalogue."""
    found = [entry for entry in demo.entries() if entry.kind == "product"]
    return [msgspec.json.decode(entry.body, type=Product) for entry in found]


@pytest.fixture(scope="module")
def index(products: list[Product]) -> Index:
    """All of them, none of them more common than another."""
    return Index(products, {})


FOUND = {
    "paracet": "Paracet tab 500 mg",
    "PARACET 500": "Paracet tab 500 mg",
    "paracet 500mg tab": "Paracet tab 500 mg",
    "selo-zok 50": "Selo-Zok depottab 50 mg",
    "selozok 50": "Selo-Zok depottab 50 mg",
    "metoprolol depot 100": "Selo-Zok depottab 100 mg",
    "B01AF02": "Eliquis tab 5 mg",
    "b01af": "Eliquis tab 2,5 mg",
    "imovane 3,75": "Imovane tab 3,75 mg",
    "imovane 3.75": "Imovane tab 3,75 mg",
    "eliqis": "Eliquis tab 5 mg",
    "paracetmol": "Paracet tab 1 g",
    "marevna": "Marevan tab 2,5 mg",
    "furosemidd": "Diural tab 40 mg",
    "ostradiol": "Vagifem vagitorie 10 mikrog",
    "østradiol": "Vagifem vagitorie 10 mikrog",
    "insulin glargin": "Lantus inj 100 E/ml",
}


@pytest.mark.parametrize(("typed", "name"), FOUND.items())
def test_what_is_typed_finds_the_medicine(index: Index, typed: str, name: str) -> None:
    assert name in [each.name for each in index.find(typed, 12)]


@pytest.mark.parametrize("typed", ["", "  ", "500 mg", "tab", "qqqq", "paracet xylofon", "%_"])
def test_what_names_no_medicine_finds_none(index: Index, typed: str) -> None:
    assert index.find(typed, 12) == []


def test_the_exact_name_comes_first_then_what_is_common(products: list[Product]) -> None:
    common = next(each for each in products if each.name == "Pinex tab 500 mg")
    index = Index(products, {common.id: 900})
    assert index.find("pinex", 1)[0].id == common.id
    assert index.find("para", 30)[0].trade == "Paracet"
    assert index.find("N02BE01", 1)[0].id == common.id


def test_a_slip_is_forgiven_only_where_nothing_begins_as_typed(index: Index) -> None:
    assert {each.trade for each in index.find("lano", 12)} <= {"Lanoxin", ""}
    assert all("marevan" in each.trade.casefold() for each in index.find("maravan", 12))


@given(st.text(max_size=40), st.integers(-2, 30))
def test_whatever_is_typed_each_answer_is_a_product_once(typed: str, limit: int) -> None:
    found = [entry for entry in demo.entries() if entry.kind == "product"][:60]
    index = Index([msgspec.json.decode(entry.body, type=Product) for entry in found], {})
    ids = [each.id for each in index.find(typed, limit)]
    assert len(ids) == len(set(ids)) <= max(limit, 0)


def test_the_contents_products_are_whole_and_told_apart(products: list[Product]) -> None:
    listed = loading.catalogue_products()
    assert sum(len(substance.product) for substance in listed.substance) >= 150
    assert len({each.id for each in products}) == len(products)
    assert len({resource_id(each.id) for each in products}) == len(products)
    ids = {each.id for each in products}
    assert all(each.generic in ids for each in products if each.trade)


def test_products_are_valid_resources(products: list[Product]) -> None:
    for product in products:
        for make in (resources.medication, resources.knowledge):
            resource = make(product)
            assert [i for i in validate(resource) if i.severity == "error"] == [], product.name


def read(path: Path) -> list[Entry]:
    """The entries of a file."""
    found = files(path)
    return list(fest.entries(found, fest.references(found, _silent), _silent))


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"there are no samples of FEST in {SAMPLES}")
@pytest.mark.parametrize("name", sorted(p.name for p in SAMPLES.glob("*.xml")))
def test_the_samples_of_the_register_are_read(name: str) -> None:
    (entry,) = read(SAMPLES / name)
    body: dict[str, Any] = msgspec.json.decode(entry.body)
    assert body["id"].startswith("ID_")
    if entry.kind == "package":
        assert body["item"] == "526181"
        assert body["barcodes"] == ["5745000695003"]
        assert body["group"]["code"] == "B"
        assert entry.keys == ((0, "526181"), (0, "5745000695003"))
    else:
        assert body["name"].startswith("Kodimagnyl")
        assert body["atc"] == "N02AJ07"
        assert body["routes"][-1]["display"] == "Oral bruk"
        assert body["units"][0]["display"] == "tablett"


def dosage(**more: Any) -> dict[str, Any]:
    """One tablet each morning, and what else an order may say."""
    return {
        "timing": {"repeat": {"timeOfDay": ["08:00:00"]}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
    } | more


def test_nothing_of_the_patient_is_learned() -> None:
    private = "Til Kari Nordmann, 05073500186"
    said = usual([
        dosage(
            text=private, patientInstruction=private,
            additionalInstruction=[{"text": private}], extension=[{"valueString": private}],
            asNeededCodeableConcept={"text": private}, route={"text": private},
            timing={
                "event": ["2026-01-01"],
                "repeat": {"timeOfDay": ["08:00:00"], "boundsPeriod": {"start": "2026-01-01"}},
            },
        )
    ])  # fmt: skip
    assert said is not None
    assert "Kari" not in said
    assert "2026" not in said
    assert msgspec.json.decode(said) == [dosage(asNeededBoolean=True)]


@pytest.mark.parametrize(
    "order",
    [
        {"status": "draft"}, {"intent": "proposal"}, {"status": "cancelled"},
        {"dosageInstruction": [{"text": "as agreed"}]}, {"dosageInstruction": []},
        {"medicationCodeableConcept": {"text": "Paracet"}},
    ],
)  # fmt: skip
def test_what_was_not_signed_or_says_no_dose_is_not_learned_from(order: dict[str, Any]) -> None:
    learner = Learner(["ID_1"])
    coding = {"system": "http://ehelse.no/fhir/CodeSystem/FEST", "code": "ID_1"}
    signed = {
        "status": "active", "intent": "order", "dosageInstruction": [dosage()],
        "medicationCodeableConcept": {"coding": [coding]},
    }  # fmt: skip
    learner.see(1, signed | order)
    assert list(learner.counted()) == []
    learner.see(1, signed)
    learner.see(1, signed)
    assert [people for _, _, people in learner.counted()] == [1]


def test_the_contents_ways_to_order_are_dosages(products: list[Product]) -> None:
    found = [way for product in products for way in written_for(product)]
    assert found
    assert all("doseAndRate" in each and "timing" in each for way in found for each in way)


def test_each_product_is_measured_for_the_checks_as_it_is_dosed(products: list[Product]) -> None:
    by_name = {each.name: measured(each) for each in products}

    def taken(name: str, value: float, unit: str) -> Sequence[tuple[str, object]]:
        order = {
            "resourceType": "MedicationRequest",
            "medicationReference": {"reference": "Medication/p"},
            "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {
                "value": value, "unit": unit,
            }}]}],
        }  # fmt: skip
        found = medicine_of(order, {"Medication/p": by_name[name]})
        parts = [(each.name, each.dosings[0].single) for each in found.ingredients]
        return parts or [("", found.dosings[0].single)]

    assert taken("Paracet tab 500 mg", 2, "tablett") == [("", 1000)]
    assert taken("Paralgin forte tab 400 mg/30 mg", 2, "tablett") == [
        ("Paracetamol", 800), ("Kodein", 60),
    ]  # fmt: skip
    drops = next(name for name in by_name if name.startswith("Haldol") and "2 mg/ml" in name)
    assert taken(drops, 10, "dr\u00e5pe") == [("", 1)]
    assert taken("Paracet tab 500 mg", 2, "ml") == [("", None)]
