"""What a scan at the bedside means: the right dose, or a stop that says what is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from helsevev.access.scan_counts import DOSE, MEDICINE, RIGHT, ScanCount
from helsevev.fhir.reading import OSLO
from helsevev.medication import administration
from helsevev.medication.administration import Scanned, Signer
from helsevev.medication.catalogue import demo
from helsevev.medication.catalogue.product import Product
from helsevev.medication.catalogue.resources import medication
from helsevev.medication.round import Round, round_of
from helsevev.medication.round_times import times_of
from helsevev.medication.scanning import judging, stops
from helsevev.medication.scanning.codes import Pack, Recipient
from helsevev.medication.scanning.fitting import WRONG_STRENGTH, Ordered, ordered_of
from helsevev.medication.scanning.judging import Verdict
from helsevev.medication.scanning.own_codes import Prepared, Wristband
from helsevev.medication.scanning.strength import of_product, of_text
from helsevev.medication.scanning.weeks import statistics
from helsevev.medication.scanning.words import how_many, told_of
from helsevev.medication.timing import Standing, key_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
NORA = Signer("Practitioner/nora", "Nora Ness")
PRODUCTS = {product.name: product for product, _package in demo.packed()}


def _order(name: str, amount: tuple[float, str] = (1, "tablett"), **more: Any) -> dict[str, Any]:
    """An order of a product of the catalogue, due now unless it says otherwise."""
    product = PRODUCTS[name]
    at = more.pop("at", NOW)
    quantity = {"value": Decimal(str(amount[0])), "unit": amount[1]}
    dosage = more.pop("dosage", {"timing": {"event": [at.isoformat()]}})
    return {
        "resourceType": "MedicationRequest", "id": name.replace(" ", "-"), "status": "active",
        "intent": "order", "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": medication(product)["code"],
        "requester": {"display": "Ingrid Solemdal"},
        "dosageInstruction": [{**dosage, "doseAndRate": [{"doseQuantity": quantity}]}],
    } | more  # fmt: skip


def _round(*orders: dict[str, Any], signed: Any = ()) -> Round:
    histories = [[Standing(NOW - timedelta(days=9), each)] for each in orders]
    return round_of(histories, signed, (), (), now=NOW, zone=OSLO, times=times_of(()))


def _judged(
    scanned: str, *orders: dict[str, Any], signed: Any = (), expires: date | None = None
) -> Verdict:
    pack = Pack(gtin="09526064055028", expires=expires)
    listed: list[tuple[dict[str, Any], Ordered]] = [
        (order, ordered_of(order, {p.id: p for p in PRODUCTS.values()})) for order in orders
    ]
    found = _round(*orders, signed=signed)
    return judging.pack_scanned(PRODUCTS[scanned], pack, found, listed, NOW, TODAY)


@pytest.mark.parametrize(
    ("scanned", "ordered", "amount", "relation", "many"),
    [
        ("Paracet tab 500 mg", "Paracet tab 500 mg", (2, "tablett"), "same", ""),
        ("Pinex tab 500 mg", "Paracet tab 500 mg", (2, "tablett"), "exchangeable", ""),
        ("Paracet tab 500 mg", "Paracet tab 1 g", (1, "tablett"), "alike", "2 tablett"),
        ("Paracet tab 500 mg", "Paracet tab 1 g", (1, "g"), "alike", "2 tablett"),
        ("Selo-Zok depottab 25 mg", "Selo-Zok depottab 100 mg", (1, "tablett"), "alike",
         "4 tablett"),
    ],
)  # fmt: skip
def test_the_right_medicine_is_right_under_another_name_and_in_whole_pieces_of_another_strength(
    scanned: str, ordered: str, amount: tuple[float, str], relation: str, many: str
) -> None:
    verdict = _judged(scanned, _order(ordered, amount))
    assert verdict.kind == judging.DOSE
    assert verdict.fit is not None
    assert (verdict.fit.relation, how_many(verdict)) == (relation, many)
    assert verdict.fit.is_sure == (relation != "alike")


@pytest.mark.parametrize(
    ("scanned", "ordered", "amount", "kind"),
    [
        ("Albyl-E enterotab 75 mg", "Paracet tab 500 mg", (1, "tablett"), "wrong-medicine"),
        ("Paracet tab 1 g", "Paracet tab 500 mg", (1, "tablett"), "wrong-strength"),
        ("Selo-Zok depottab 100 mg", "Selo-Zok depottab 50 mg", (1, "tablett"), "wrong-strength"),
        ("Levaxin tab 25 mikrog", "Levaxin tab 100 mikrog", (2, "tablett"), "wrong-strength"),
        ("Toujeo inj 300 E/ml", "Lantus inj 100 E/ml", (10, "E"), "wrong-strength"),
        ("OxyNorm kaps 10 mg", "OxyContin depottab 10 mg", (1, "tablett"), "wrong-form"),
        ("Paracet mikst 24 mg/ml", "Paracet tab 500 mg", (1, "tablett"), "wrong-form"),
    ],
)  # fmt: skip
def test_the_wrong_medicine_strength_or_form_is_stopped_and_told(
    scanned: str, ordered: str, amount: tuple[float, str], kind: str
) -> None:
    order = _order(ordered, amount)
    verdict = _judged(scanned, order)
    assert verdict.kind == kind
    assert verdict.is_stop
    assert [each["id"] for each in verdict.expected] == [order["id"]]
    told = told_of(verdict).text
    assert scanned in told
    assert ordered in told


def test_what_expired_yesterday_is_stopped_and_what_expires_today_is_not() -> None:
    order = _order("Paracet tab 500 mg")
    yesterday = _judged("Paracet tab 500 mg", order, expires=TODAY - timedelta(days=1))
    assert yesterday.kind == judging.EXPIRED
    assert "21.11.2026" in told_of(yesterday).text
    assert _judged("Paracet tab 500 mg", order, expires=TODAY).kind == judging.DOSE


@pytest.mark.parametrize(
    ("status", "kind"), [("stopped", judging.STOPPED), ("on-hold", judging.PAUSED)]
)
def test_what_was_stopped_or_paused_is_stopped_with_why(status: str, kind: str) -> None:
    order = _order("Paracet tab 500 mg", status=status, statusReason={"text": "Leversvikt"})
    verdict = _judged("Paracet tab 500 mg", order)
    assert verdict.kind == kind
    assert "Leversvikt" in told_of(verdict).text
    # What is ordered anew is given, whatever was stopped before.
    again = _order("Paracet tab 500 mg") | {"id": "again"}
    assert _judged("Paracet tab 500 mg", order, again).kind == judging.DOSE


def test_what_is_not_due_yet_or_signed_already_is_stopped() -> None:
    later = _order("Paracet tab 500 mg", at=NOW + timedelta(hours=5))
    assert _judged("Paracet tab 500 mg", later).kind == judging.NOT_DUE
    order = _order("Paracet tab 500 mg")
    key = key_of(order["id"], NOW)
    given = administration.given(order, order["dosageInstruction"][0], NORA, NOW, due=key)
    verdict = _judged("Paracet tab 500 mg", order, signed=[given])
    assert verdict.kind == judging.SIGNED
    assert "Nora Ness" in told_of(verdict).text


def test_an_as_needed_medicine_is_offered_and_a_planned_dose_of_it_goes_before() -> None:
    needed = _order("Paracet tab 500 mg", dosage={"asNeededBoolean": True}) | {"id": "needed"}
    assert _judged("Paracet tab 500 mg", needed).kind == judging.AS_NEEDED
    both = _judged("Paracet tab 500 mg", needed, _order("Paracet tab 500 mg"))
    assert both.kind == judging.DOSE


def test_of_two_doses_of_one_medicine_the_one_nearest_to_its_time_is_first() -> None:
    events = [(NOW - timedelta(hours=6)).isoformat(), NOW.isoformat()]
    order = _order("Paracet tab 500 mg", dosage={"timing": {"event": events}})
    verdict = _judged("Paracet tab 500 mg", order)
    assert [row.at for row in verdict.rows] == [NOW, NOW - timedelta(hours=6)]


def test_an_order_in_words_alone_is_met_by_substance_strength_and_form() -> None:
    concept = {
        "coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01"}],
        "text": "Paracet tablett 500 mg",
    }
    order = _order("Paracet tab 500 mg") | {"medicationCodeableConcept": concept}
    assert _judged("Pinex tab 500 mg", order).kind == judging.DOSE
    assert _judged("Paracet tab 1 g", order).kind == WRONG_STRENGTH
    bare = order | {"medicationCodeableConcept": {**concept, "text": "Paracetamol"}}
    verdict = _judged("Pinex tab 500 mg", bare)
    assert verdict.kind == judging.DOSE
    assert verdict.fit is not None
    assert set(verdict.fit.unchecked) == {"form", "strength"}


def test_only_the_patients_own_wristband_is_right() -> None:
    patient = {"id": "p", "identifier": [{"system": "https://www.gs1.org/gsrn", "value": "7"}]}
    assert judging.patient_scanned(Wristband("p"), patient).kind == judging.PATIENT
    assert judging.patient_scanned(Recipient("7"), patient).kind == judging.PATIENT
    for other in (Wristband("q"), Recipient("8")):
        assert judging.patient_scanned(other, patient).kind == judging.WRONG_PATIENT


def test_a_prepared_dose_is_given_to_whom_it_was_prepared_for_and_while_it_keeps() -> None:
    order = _order("Paracet tab 500 mg")
    found, key = _round(order), key_of(order["id"], NOW)
    kept, gone = NOW + timedelta(hours=1), NOW - timedelta(minutes=1)
    assert judging.prepared_scanned(Prepared(key, kept), found, NOW).kind == judging.DOSE
    assert judging.prepared_scanned(Prepared(key, gone), found, NOW).kind == judging.EXPIRED
    other = Prepared(key_of("another", NOW), kept)
    assert judging.prepared_scanned(other, found, NOW).kind == judging.WRONG_PATIENT


@pytest.mark.parametrize(
    ("name", "amounts"),
    [
        ("Paracet tab 1 g", [("1000", "mg", "")]), ("Levaxin tab 25 mikrog", [("0.025", "mg", "")]),
        ("Madopar kapsel 100/25 mg", [("25", "mg", ""), ("100", "mg", "")]),
        ("Calcigran Forte tyggetab 500 mg/800 IE", [("500", "mg", ""), ("800", "IE", "")]),
        ("Lantus inj 100 E/ml", [("100", "IE", "ml")]), ("Movicol pulv til mikst", []),
        ("Imovane tablett 3,75 mg", [("3.75", "mg", "")]),
    ],
)  # fmt: skip
def test_a_strength_is_read_from_a_name(name: str, amounts: list[tuple[str, str, str]]) -> None:
    said = [(each.value.normalize(), each.unit, each.per) for each in of_text(name)]
    assert said == [(Decimal(value).normalize(), unit, per) for value, unit, per in amounts]


def test_a_products_strength_is_the_same_from_its_ingredients_and_from_its_name() -> None:
    for product in PRODUCTS.values():
        bare = msgspec.structs.replace(product, ingredients=())
        assert of_product(product) == of_product(bare), product.name


def _stop(minutes: float = 0) -> dict[str, Any]:
    verdict = _judged("Paracet tab 1 g", _order("Paracet tab 500 mg"))
    at = NOW - timedelta(minutes=minutes)
    told = told_of(verdict)
    return stops.stop_of(verdict, "p", NORA, ("Organization/w", "W"), at, told.text) | {"id": "s"}


@pytest.mark.parametrize(
    ("act", "minutes", "counts"),
    [("not-given", 3, True), ("changed", 10, True), ("changed", 11, False), ("called", 1, False)],
)
def test_a_stop_is_acted_on_when_the_dose_is_not_given_or_changed_within_ten_minutes(
    act: str, minutes: int, counts: bool
) -> None:
    stop = _stop(minutes)
    assert not stops.is_acted_on(stop)
    after = stops.answered(stop, act, NORA, NOW)
    assert after is not None
    assert stops.is_acted_on(after) == counts
    assert stops.answered(after, act, NORA, NOW) is None


@pytest.mark.parametrize(("minutes", "counts"), [(0, True), (10, True), (11, False), (-1, False)])
def test_a_dose_that_is_withheld_on_the_round_is_what_came_after_its_stop(
    minutes: int, counts: bool
) -> None:
    order = _order("Paracet tab 500 mg")
    at, key = NOW + timedelta(minutes=minutes), key_of(order["id"], NOW)
    withheld = administration.not_given(order, NORA, at, due=key, reason="refused")
    assert stops.is_acted_on(_stop(), [withheld]) == counts
    other = withheld | {"request": {"reference": "MedicationRequest/other"}}
    assert not stops.is_acted_on(_stop(), [other])


def test_a_stop_says_who_when_and_what_and_nowhere_whose_wristband_it_was() -> None:
    stop = _stop()
    assert stops.stop_code(stop) in stops.MEDICINE_OR_DOSE
    assert stop["author"]["display"] == "Nora Ness"
    assert stop["identifiedDateTime"] == "2026-11-22T12:00:00Z"
    assert stop["evidence"][0]["code"][0]["text"] == "Paracet tab 1 g"
    assert stop["implicated"] == [{"reference": "MedicationRequest/Paracet-tab-500-mg"}]
    wrong = judging.patient_scanned(Wristband("somebody"), {"id": "p"})
    kept = stops.stop_of(wrong, "p", NORA, ("", ""), NOW, told_of(wrong).text)
    assert "somebody" not in msgspec.json.encode(kept).decode()
    with pytest.raises(ValueError, match="no stop"):
        stops.stop_of(Verdict(kind=judging.DOSE), "p", NORA, ("", ""), NOW, "")


def test_a_dose_keeps_what_was_scanned_for_it() -> None:
    scanned = Scanned(
        means="camera", patient=True, system="https://www.gs1.org/gtin", number="1",
        product="Paracet", batch="A1", expires=TODAY,
    )  # fmt: skip
    order = _order("Paracet tab 500 mg")
    dose = administration.given(order, {}, NORA, NOW, scanned=scanned)
    said = {each["url"]: each for each in dose["extension"][0]["extension"]}
    assert said["patient"]["valueBoolean"] is True
    assert said["batch"]["valueString"] == "A1"
    assert said["expires"]["valueDate"] == "2026-11-22"
    assert "serial" not in said


def test_weeks_are_counted_with_reasons_and_the_empty_ones_are_there() -> None:
    monday = date(2026, 11, 16)
    counts = [
        ScanCount(monday, "camera", DOSE, RIGHT, "Paracet", 3),
        ScanCount(monday, "", DOSE, "no-code", "Ringer", 1),
        ScanCount(monday, "camera", MEDICINE, WRONG_STRENGTH, "Paracet", 2),
        ScanCount(monday, "camera", MEDICINE, judging.UNKNOWN, "09526064055028", 4),
    ]
    found = statistics(counts, ["no-code"], monday - timedelta(days=7), monday)
    empty, week = found.weeks
    assert (empty.doses, empty.share) == (0, None)
    assert (week.scanned, week.doses, week.share) == (3, 4, Decimal(75))
    assert week.reasons == {"no-code": 1}
    assert week.stops == {WRONG_STRENGTH: 2}
    assert [(each.name, each.times) for each in found.unknown] == [("09526064055028", 4)]
    assert [(each.name, each.outcome) for each in found.unscanned] == [("Ringer", "no-code")]


def test_every_verdict_can_be_told() -> None:
    for product in (PRODUCTS["Paracet tab 500 mg"], None):
        for kind in (judging.UNKNOWN, judging.UNREADABLE, judging.NO_PATIENT, judging.PATIENT):
            assert told_of(Verdict(kind=kind, product=product)).title
    assert isinstance(next(iter(PRODUCTS.values())), Product)
