"""Whatever is decided of whatever lists, what is written is whole, once, and loses no medicine."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.content.loading import reconciliation
from helsevev.fhir.validation import validate
from helsevev.medication.order_form import dosages_of
from helsevev.medication.prescription import NotPrescribable, Prescriber
from helsevev.medication.prescription import check as check_order
from helsevev.medication.reconciliation.choices import default_reason, goes_on, options
from helsevev.medication.reconciliation.comparing import compare
from helsevev.medication.reconciliation.deciding import (
    LEAVE,
    RESUME,
    Decision,
    Outcome,
    Signing,
    carry_out,
)
from helsevev.medication.reconciliation.handover import tell
from helsevev.medication.reconciliation.lists import HOME, SAID, WARD, lines_of
from helsevev.medication.reconciliation.receivers import Receiver
from helsevev.medication.reconciliation.record import Told, in_words, reconciled, record
from helsevev.medication.versions import medicine_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ON = date(2026, 11, 22)
DOCTOR = Prescriber("Practitioner/lege", "Lege Legesen")
STAY = {"resourceType": "Encounter", "id": "stay", "status": "in-progress",
        "class": {"code": "IMP"}, "period": {"start": "2026-11-20"}}  # fmt: skip
AT = ("admission", "transfer", "discharge", "home")
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
_SUBSTANCES = {"Diural": "C03CA01", "Furix": "C03CA01", "Atacand": "C09CA06", "Ukjent": ""}

MEDICINES = st.tuples(
    st.sampled_from(sorted(_SUBSTANCES)), st.integers(1, 2), st.integers(1, 3),
    st.sampled_from(["active", "on-hold"]), st.booleans(),
)  # fmt: skip
LISTS = st.fixed_dictionaries(
    {name: st.lists(MEDICINES, max_size=4) for name in (HOME, WARD, SAID)}
)


def resource(name: str, number: int, drawn: Any) -> dict[str, Any]:
    product, tablets, often, status, in_words_only = drawn
    coding = [{"system": "urn:p", "code": product}]
    if _SUBSTANCES[product]:
        coding.append({"system": "http://www.whocc.no/atc", "code": _SUBSTANCES[product]})
    dosage: dict[str, Any] = {"text": "etter vekt"}
    if not in_words_only:
        dosage = {
            "timing": {"repeat": {"frequency": often, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": tablets, "unit": "tablett"}}],
        }
    made: dict[str, Any] = {
        "id": f"{name}-{number}", "status": "active" if name == SAID else status,
        "subject": {"reference": "Patient/anne"},
        "medicationCodeableConcept": {"text": product, "coding": coding},
    }  # fmt: skip
    if made["status"] == "on-hold":
        made["statusReason"] = {"text": "Faste"} if name == WARD else [{"text": "Faste"}]
    if name == WARD:
        category = [{"coding": [{"system": _CATEGORY, "code": "inpatient"}]}]
        return {"resourceType": "MedicationRequest", "intent": "order", "category": category,
                "dosageInstruction": [dosage], **made}  # fmt: skip
    who = "Patient/anne" if name == SAID else "Practitioner/fastlege"
    return {"resourceType": "MedicationStatement", "informationSource": {"reference": who},
            "dosage": [dosage], **made}  # fmt: skip


def laid_out(drawn: dict[str, list[Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(resources by reference, lists)."""
    made = {name: [resource(name, n, each) for n, each in enumerate(listed)]
            for name, listed in drawn.items()}  # fmt: skip
    lists = lines_of(made[WARD], made[HOME], {}, STAY, ON, made[SAID])
    every = [each for listed in made.values() for each in listed]
    return {f"{each['resourceType']}/{each['id']}": each for each in every}, lists


def decision(row: Any, value: str, at: str, resources: dict[str, Any]) -> Decision:
    verb, _, dose_of = value.partition(":")
    if verb in ("continue", RESUME, LEAVE):
        return Decision(verb)
    code, words = default_reason(row, value, at, resources)
    if not code and not words:
        code = next(r.code for r in reconciliation().reason if verb in r.verbs)
    own = dosages_of({"how": "daily", "amount": "3", "unit": "tablett", "often": "1"}, ON)
    if dose_of == "own":
        return Decision(verb, code, words, dosages=own)
    return Decision(verb, code, words, dose_of)


@given(LISTS, st.sampled_from(AT), st.data())
@settings(max_examples=40)
def test_every_decision_that_is_offered_can_be_carried_out_and_is_written_whole(
    drawn: dict[str, list[Any]], at: str, data: st.DataObject
) -> None:
    resources, lists = laid_out(drawn)
    signing = Signing(at, "anne", DOCTOR, NOW, "Encounter/stay", resources, {})
    told: list[Told] = []
    outcomes: list[Outcome] = []
    for row in compare(lists):
        offered = options(row, at, resources, may_prescribe=True)
        assert offered[-1].value == LEAVE
        value = data.draw(st.sampled_from([each.value for each in offered]))
        if goes_on(row, at, [name for name in lists if lists[name]]):
            assert carry_out(row, Decision("continue"), signing).item
        chosen = decision(row, value, at, resources)
        outcome = carry_out(row, chosen, signing)
        after = {**resources, **{_key(each): each for each in outcome.written}}
        dose = medicine_of(after[outcome.item]).dose_text
        told.append(Told(row, chosen, outcome.item, in_words(row, chosen, dose)))
        outcomes.append(outcome)
    written = [each for outcome in outcomes for each in outcome.written]
    assert max(Counter(_key(each) for each in written).values(), default=1) == 1
    for each in written:
        plain = {**each, "id": each["id"].removeprefix("urn:uuid:")}
        assert [i for i in validate(plain) if i.severity == "error"] == []
        assert each["resourceType"] != "MedicationRequest" or check_order(plain) == []
    _nothing_is_lost(at, resources, written, told)
    said = [each for key, each in resources.items() if "/said-" in key]
    made = record(told, said, signing, "6f0c1b1e-0000-4000-8000-000000000000")
    assert [i for i in validate({**made, "id": "l"}) if i.severity == "error"] == []
    (read,) = reconciled([{**made, "id": "l"}], {})
    verbs = ["change" if v == RESUME else v for v in (each.decision.verb for each in told)]
    assert [each.verb for each in read.became] == verbs
    task = tell(Receiver("Organization/x", "X", "course"), told, signing, "List/l")
    assert [i for i in validate({**task, "id": "t"}) if i.severity == "error"] == []
    changed = [each for each in told if each.decision.verb != "continue"]
    assert all(each.words in task["description"] for each in changed)


def _nothing_is_lost(
    at: str, resources: dict[str, Any], written: list[dict[str, Any]], told: list[Told]
) -> None:
    """What goes on stands afterwards, and a stay's orders end when it does."""
    after = {**resources, **{_key(each): each for each in written}}
    for each in told:
        verb = each.decision.verb
        if verb in ("start", RESUME):
            assert after[each.item]["status"] == "active", (verb, at)
        if verb in ("change", "continue"):
            assert after[each.item]["status"] in ("active", "on-hold"), (verb, at)
        if verb in ("stop", "pause") and "/said-" not in each.item:
            assert after[each.item]["status"] != "active", (verb, at)
        assert each.words.strip()
    if at == "discharge":
        assert not any(
            each["status"] in ("active", "on-hold") for key, each in after.items()
            if key.startswith("MedicationRequest/ward-")
        )  # fmt: skip


def _key(each: dict[str, Any]) -> str:
    return each["id"] if each["id"].startswith("urn:") else f"{each['resourceType']}/{each['id']}"


def test_the_dose_of_another_product_is_a_stop_and_a_new_order() -> None:
    drawn = {HOME: [("Diural", 1, 1, "active", False)], WARD: [("Furix", 2, 1, "active", False)],
             SAID: []}  # fmt: skip
    resources, lists = laid_out(drawn)
    (row,) = compare(lists)
    signing = Signing("discharge", "anne", DOCTOR, NOW, "Encounter/stay", resources, {})
    made = carry_out(row, Decision("change", "effect", dose_of=WARD), signing)
    stopped, ordered, ended = made.written
    assert (stopped["id"], stopped["status"]) == ("home-0", "stopped")
    assert ordered["medicationCodeableConcept"]["text"] == "Furix"
    assert (ended["id"], ended["status"]) == ("ward-0", "completed")


@pytest.mark.parametrize("verb", ["change", "pause", "stop", "start"])
def test_nothing_is_changed_without_a_reason(verb: str) -> None:
    resources, lists = laid_out(
        {HOME: [("Diural", 1, 1, "active", False)], WARD: [], SAID: []}
    )  # fmt: skip
    (row,) = compare(lists)
    signing = Signing("home", "anne", DOCTOR, NOW, None, resources, {})
    with pytest.raises(NotPrescribable):
        carry_out(row, Decision(verb), signing)
