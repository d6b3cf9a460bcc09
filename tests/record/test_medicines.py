"""The catalogue of medicines in the record: loaded whole or not at all, looked up, learned from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.medicines import WouldWithdraw
from helsevev.access.services import Services
from helsevev.decision_support.knowledge import decoded
from helsevev.medication.catalogue.command import learn
from helsevev.medication.catalogue.loading import Loaded, load_catalogue, load_fest
from helsevev.medication.catalogue.look_up import Catalogue, catalogue_of
from helsevev.medication.catalogue.product import DEMO, FEST, resource_id
from helsevev.terminology.shapes import BadDistribution

from .synthetic_fest import Fest, identifier

SMALL = 0.004
Resource = dict[str, Any]
SCHEMA = "data/norway/kith/skjema/eresept/ER-M30-2014-12-01.xsd"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def loaded(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A small FEST in the place of the demo's catalogue."""
    assert (await load_catalogue(services)) is not None
    path = Fest(SMALL, padding=1).write(tmp_path_factory.mktemp("fest") / "fest.xml")
    return await load_fest(services, path)


@pytest.fixture
def catalogue(services: Services, loaded: Loaded) -> Catalogue:
    """The catalogue as others ask it."""
    return catalogue_of(services)


async def test_the_register_of_these_tests_fits_the_schema_of_the_real_one(
    tmp_path: Path, shared: Path
) -> None:
    etree = pytest.importorskip("lxml.etree")
    path = shared / SCHEMA
    if not path.exists():
        pytest.skip(f"The schema of FEST is not in {path}.")
    schema = etree.XMLSchema(etree.parse(path))
    schema.assertValid(etree.parse(Fest(0.01, padding=2).write(tmp_path / "fest.xml")))


async def test_every_kind_of_entry_is_kept(loaded: Loaded) -> None:
    fest = Fest(SMALL)
    there = {kind: count - withdrawn for kind, count, withdrawn in loaded.contents}
    assert there["product"] == fest.count("brand") + fest.count("generic")
    for kind, named in (
        ("package", "package"), ("dose", "dose"), ("interaction", "interaction"),
        ("not-assessed", "not-assessed"), ("substance", "substance"), ("term", "term"),
        ("exchange-group", "exchange"), ("reimbursement", "reimbursement"),
    ):  # fmt: skip
        assert there[kind] == fest.count(named), kind


async def test_what_is_here_already_is_not_loaded_again(
    services: Services, loaded: Loaded, tmp_path: Path
) -> None:
    again = await load_fest(services, Fest(SMALL, padding=1).write(tmp_path / "fest.xml"))
    assert again.unchanged
    assert again.written == 0
    assert await load_catalogue(services) is None


async def test_a_loading_that_was_cut_short_is_finished_by_the_next(
    services: Services, loaded: Loaded, tmp_path: Path
) -> None:
    database = services.gate.store.roles.owner
    await database.execute("UPDATE medicine_release SET is_written = false")
    product = resource_id(identifier("brand", 1))
    await services.writer.delete(SYSTEM, "MedicationKnowledge", product)
    finished = await load_fest(services, Fest(SMALL, padding=1).write(tmp_path / "fest.xml"))
    assert finished.unchanged
    assert finished.written == 1
    assert await services.gate.open_resource(SYSTEM, "MedicationKnowledge", product)


async def test_a_product_is_in_the_record_with_its_codes_and_what_is_known_of_its_use(
    services: Services, loaded: Loaded, nurse: Actor
) -> None:
    product = resource_id(identifier("brand", 0))
    medication = await services.gate.open_resource(nurse, "Medication", product)
    systems = [coding["system"] for coding in medication.resource["code"]["coding"]]
    assert systems == [FEST, "http://www.whocc.no/atc"]
    assert medication.resource["status"] == "active"
    assert medication.resource["ingredient"][0]["strength"]["numerator"]["unit"] == "mg"
    known = (await services.gate.open_resource(nurse, "MedicationKnowledge", product)).resource
    told = {
        each["type"]["coding"][0]["code"]: each.get("valueCodeableConcept", {}).get("text")
        for each in known["drugCharacteristic"]
    }
    assert told["divisible"] == "Delbar i 2"
    assert told["crushable"] == "Nei"
    assert known["intendedRoute"][0]["text"] == "Oral bruk"


async def test_what_a_new_catalogue_no_longer_names_is_kept_as_withdrawn(
    services: Services, loaded: Loaded, tmp_path: Path
) -> None:
    fest = Fest(SMALL, padding=1, without=frozenset({2, 5}))
    catalogue = catalogue_of(services)
    gone = identifier("brand", 2)
    before = await catalogue.product(gone)
    assert before is not None
    assert before.trade
    assert gone in {each.id for each in await catalogue.find(before.trade, 50)}
    after = await load_fest(services, fest.write(tmp_path / "newer.xml"))
    assert {kind: withdrawn for kind, _, withdrawn in after.contents}["package"] >= 2
    assert gone not in {each.id for each in await catalogue.find(before.trade, 50)}
    assert await catalogue.is_withdrawn(gone)
    assert await catalogue.product(gone) is not None
    stored = await services.gate.open_resource(SYSTEM, "Medication", resource_id(gone))
    assert stored.resource["status"] == "inactive"
    back = await load_fest(services, Fest(SMALL, padding=1).write(tmp_path / "fest.xml"))
    assert not back.unchanged
    assert not await catalogue.is_withdrawn(gone)


async def test_a_part_of_the_register_does_not_withdraw_the_rest(
    services: Services, loaded: Loaded, tmp_path: Path
) -> None:
    catalogue = catalogue_of(services)
    before = await catalogue.find("a", 50)
    small = Fest(0.0001, padding=1).write(tmp_path / "part.xml")
    with pytest.raises(WouldWithdraw, match="products in use are missing"):
        await load_fest(services, small)
    assert await catalogue.find("a", 50) == before


DAMAGED: dict[str, tuple[Callable[[str], str], str]] = {
    "cut off": (lambda text: text[: len(text) // 2], r"fest\.xml is not XML: .*line 1"),
    "no FEST": (lambda _: "<a/>", "no entry of FEST"),
    "a declared document type": (
        lambda text: text.replace("<FEST", '<!DOCTYPE FEST [<!ENTITY a "b">]><FEST', 1),
        "declares a document type",
    ),
    "a brand without a name": (
        lambda text: text.replace("NavnFormStyrke>", "Navn2>", 2),
        r"entry 1 \(LegemiddelMerkevare ID_E.*NavnFormStyrke is missing",
    ),
    "the same id twice": (
        lambda text: text.replace(
            f"<Id>{identifier('brand', 1)}</Id>", f"<Id>{identifier('brand', 0)}</Id>", 1
        ),
        "is used by an earlier product",
    ),
}


@pytest.mark.parametrize("how", DAMAGED)
async def test_a_damaged_file_is_refused_with_what_is_wrong_and_where(
    how: str, services: Services, loaded: Loaded, tmp_path: Path
) -> None:
    damage, said = DAMAGED[how]
    path = Fest(SMALL, padding=0).write(tmp_path / "fest.xml")
    path.write_text(damage(path.read_text("utf-8")), "utf-8")
    before = await services.medicines.release()
    with pytest.raises(BadDistribution, match=said):
        await load_fest(services, path)
    assert await services.medicines.release() == before


async def test_a_barcode_tells_the_product(catalogue: Catalogue) -> None:
    for code in ("7040000000001", "07040000000001", "100001"):
        scanned = await catalogue.scanned(code)
        assert scanned is not None
        product, package = scanned
        assert product.id == identifier("brand", 1)
        assert package.id == identifier("package", 1)
    dose = await catalogue.scanned("900003")
    assert dose is not None
    assert dose[0].id == identifier("brand", 3)
    assert await catalogue.scanned("1") is None


async def test_interactions_are_found_by_codes_of_both_sides(catalogue: Catalogue) -> None:
    fest = Fest(SMALL)
    one, other = fest.atc(1), fest.atc(10 % fest.count("substance"))
    found = await catalogue.interactions([one, other])
    assert identifier("interaction", 1) in {each.id for each in found}
    (met,) = [each for each in found if each.id == identifier("interaction", 1)]
    assert met.relevance.code == "2"
    assert met.handling
    assert len(met.groups) == 2
    assert await catalogue.interactions([one]) == []
    assert await catalogue.not_assessed(["Z00AA01", one]) == ["Z00AA01"]


async def test_orders_are_checked_against_the_registers_interactions(
    services: Services, loaded: Loaded
) -> None:
    fest = Fest(SMALL)
    base = services.knowledge_base
    body = await base.body(await base.state())
    assert body is not None
    used = decoded(body)
    assert (used.name, len(used.rules)) == ("FEST", fest.count("interaction"))
    other = fest.atc(10 % fest.count("substance"))
    met = [rule for rule, _, _ in used.between([fest.atc(1)], [other])]
    assert identifier("interaction", 1) in {rule.id for rule in met}


async def test_terms_and_reimbursement_are_told_in_the_registers_words(
    catalogue: Catalogue,
) -> None:
    product = await catalogue.product(identifier("brand", 1))
    assert product is not None
    (term,) = await catalogue.terms(product)
    (paid,) = await catalogue.reimbursement(product)
    assert term.text == "Vilkår nummer 1 for forskrivning."
    assert paid.codes[0].code == "K86"


def order(patient: str, product: str, **more: Any) -> Resource:
    """An order of one tablet twice a day."""
    coding = [{"system": FEST, "code": product}]
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"coding": coding},
        "dosageInstruction": [{
            "text": f"Som avtalt med {patient}",
            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
        }],
    } | more  # fmt: skip


async def test_what_five_people_are_ordered_becomes_a_sentence_and_names_nobody(
    services: Services, catalogue: Catalogue, patient: Callable[..., Resource]
) -> None:
    common, rare = identifier("brand", 3), identifier("brand", 4)
    for number in range(5):
        name = f"ordered-{number}"
        await services.writer.write(SYSTEM, patient(name))
        await services.writer.write(SYSTEM, order(name, common))
        await services.writer.write(SYSTEM, order(name, common, status="entered-in-error"))
        if number < 4:
            await services.writer.write(SYSTEM, order(name, rare))
            await services.writer.write(SYSTEM, order(name, rare, status="stopped"))
    assert await learn(services) == (13, 1)
    product = await catalogue.product(common)
    other = await catalogue.product(rare)
    assert product is not None
    assert other is not None
    (sentence,) = [s for s in await catalogue.sentences(product) if s.source == "use"]
    assert sentence.dosage == [
        {
            "doseAndRate": [{"doseQuantity": {"unit": "tablett", "value": 1}}],
            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
        }
    ]
    assert "ordered-" not in json.dumps(sentence.dosage)
    assert not [s for s in await catalogue.sentences(other) if s.source == "use"]
    (first, *_) = await catalogue.find(product.trade, 5)
    assert first.id == common
    assert first.used_by == 5


async def test_the_demos_products_are_coded_as_such(services: Services, loaded: Loaded) -> None:
    stored = await services.gate.open_resource(SYSTEM, "Medication", "demo-b-paracet-tab-500-mg")
    assert stored.resource["code"]["coding"][0]["system"] == DEMO
    # FEST has taken its place.
    assert stored.resource["status"] == "inactive"
