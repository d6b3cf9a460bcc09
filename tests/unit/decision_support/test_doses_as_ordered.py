"""What an order says of amounts and intervals, in any of the ways it is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.decision_support.reading import medicine_of

TABLET = {"resourceType": "Medication", "id": "t", "ingredient": [{"strength": {
    "numerator": {"value": 500, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablett"},
}}]}  # fmt: skip
MIXTURE = {"resourceType": "Medication", "id": "t", "ingredient": [{"strength": {
    "numerator": {"value": 24, "unit": "mg"}, "denominator": {"value": 1, "unit": "ml"},
}}]}  # fmt: skip


def dosage(value: Any = 500, unit: str = "mg", **more: Any) -> dict[str, Any]:
    """One Dosage; what is not `repeat` is put beside it."""
    repeat = more.pop("repeat", {"frequency": 1, "period": 1, "periodUnit": "d"})
    quantity = {"value": value, "unit": unit}
    return {"doseAndRate": [{"doseQuantity": quantity}], "timing": {"repeat": repeat}, **more}


def read(*dosages: dict[str, Any], product: dict[str, Any] | None = None) -> Any:
    """The medicine of an order with these."""
    order = {
        "resourceType": "MedicationRequest", "dosageInstruction": list(dosages),
        "medicationReference": {"reference": "Medication/t"},
    }  # fmt: skip
    return medicine_of(order, {"Medication/t": product or {}})


BOUND = {"frequency": 1, "period": 1, "periodUnit": "d"}
WAYS: list[tuple[tuple[dict[str, Any], ...], dict[str, Any] | None, str, int]] = [
    ((dosage(repeat={"frequency": 4, "period": 1, "periodUnit": "d"}),), None, "2000", 6),
    ((dosage(repeat={"timeOfDay": ["08:00", "14:00", "20:00"]}),), None, "1500", 6),
    ((dosage(repeat={"when": ["MORN", "HS"]}),), None, "1000", 12),
    ((dosage(repeat={"frequency": 1, "period": 8, "periodUnit": "h"}),), None, "1500", 8),
    ((dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "wk"}),), None, "500", 168),
    ((dosage(repeat={"dayOfWeek": ["mon"]}),), None, "500", 168),
    ((dosage(repeat={"dayOfWeek": ["mon", "tue"]}),), None, "500", 24),
    ((dosage(repeat={"dayOfWeek": ["mon", "thu"], "timeOfDay": ["08:00"]}),), None, "500", 72),
    ((dosage(1, "g"),), None, "1000", 24),
    ((dosage(500000, "µg"),), None, "500", 24),
    ((dosage(2, "tablett"),), TABLET, "1000", 24),
    ((dosage(10, "ml"),), MIXTURE, "240", 24),
    ((dosage(250), dosage(500)), None, "750", 24),
    # A taper: one step after the other, never together.
    ((dosage(20, sequence=1, repeat={**BOUND, "boundsPeriod": {"start": "2026-01-01"}}),
      dosage(10, sequence=2, repeat={**BOUND, "boundsPeriod": {"start": "2026-01-08"}})),
     None, "20", 24),
]  # fmt: skip


@pytest.mark.parametrize(("dosages", "product", "daily", "hours"), WAYS)
def test_the_most_in_a_day_and_the_fewest_hours_between_are_read(
    dosages: tuple[dict[str, Any], ...], product: dict[str, Any] | None, daily: str, hours: int
) -> None:
    found = read(*dosages, product=product)
    assert (found.daily("mg"), found.hours) == (Decimal(daily), Decimal(hours))


@pytest.mark.parametrize(
    ("dosages", "product"),
    [
        ((dosage(1, "tablett"),), None), ((dosage(10, "ml"),), TABLET),
        (({"text": "etter avtale"},), None),
    ],
)  # fmt: skip
def test_an_amount_that_is_not_said_is_not_guessed(
    dosages: tuple[dict[str, Any], ...], product: dict[str, Any] | None
) -> None:
    assert read(*dosages, product=product).daily("mg") is None


def ingredient(name: str, value: Any, per: dict[str, Any] | None = None) -> dict[str, Any]:
    """A substance with its strength in mg."""
    ratio = {"numerator": {"value": value, "unit": "mg"}, "denominator": per or {"value": 1}}
    return {"itemCodeableConcept": {"text": name}, "strength": ratio}


BOTH = {"ingredient": [ingredient("Paracetamol", 400), ingredient("Kodein", 30)]}
CREAM = {"ingredient": [ingredient("Hydrokortison", 10, {"value": 1, "unit": "g"})]}
PATCH = {"ingredient": [ingredient("Fentanyl", 1, {"value": 1, "unit": "time"})]}
DROPS = {
    "ingredient": [ingredient("Haloperidol", 2, {"value": 1, "unit": "ml"})],
    "extension": [{
        "url": "http://helsevev.no/fhir/StructureDefinition/drops-per-ml", "valueDecimal": 20,
    }],
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "unit", "product", "daily"),
    [
        (2, "tablett", BOTH, None), (800, "mg", BOTH, None), (5, "g", CREAM, "50"),
        (1, "plaster", PATCH, None), (10, "dr\u00e5per", DROPS, "1"), (1, "ml", DROPS, "2"),
        (1, "tablett", DROPS, None), (10, "dr\u00e5pe", MIXTURE, None), (1, "", TABLET, None),
        (3, "dr\u00e5pe", TABLET, None), (1, "kapsel", TABLET, "500"), (1, "dose", TABLET, None),
    ],
)  # fmt: skip
def test_a_dose_is_measured_only_in_what_the_strength_is_given_for(
    value: int, unit: str, product: dict[str, Any], daily: str | None
) -> None:
    found = read(dosage(value, unit), product=product).daily("mg")
    assert found == (None if daily is None else Decimal(daily))


def test_each_substance_of_a_product_of_several_is_measured() -> None:
    found = read(
        dosage(2, "tablett", repeat={"frequency": 4, "period": 1, "periodUnit": "d"}), product=BOTH
    )
    assert [(each.name, each.dosings[0].daily) for each in found.ingredients] == [
        ("Paracetamol", Decimal(3200)), ("Kodein", Decimal(240)),
    ]  # fmt: skip


@given(st.text(max_size=12), st.decimals(1, 1000, places=2), st.decimals(1, 1000, places=2))
def test_no_unit_that_nobody_knows_is_taken_for_a_tablet(
    unit: str, value: Decimal, strength: Decimal
) -> None:
    product = {"ingredient": [ingredient("Noe", strength)]}
    known = {"mg", "g", "kg", "ng", "l", "ml", "tbl", "stk", "kapsel", "tablett", "ie", "iu", "e"}
    if unit.strip().casefold() in known:
        return
    assert read(dosage(value, f"x{unit}"), product=product).daily("mg") is None


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([
            "repeat", "frequency", "period", "periodUnit", "timeOfDay", "dayOfWeek", "value",
            "unit", "doseQuantity", "doseAndRate", "timing", "maxDosePerPeriod", "numerator",
            "denominator", "rateRatio", "rateQuantity", "asNeededBoolean", "sequence",
        ]), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(_ANYTHING, max_size=3), st.decimals(1, 10**6, places=6), st.integers(1, 24))
def test_whatever_is_written_is_read_without_failing(
    strange: list[Any], value: Decimal, times: int
) -> None:
    order = {"resourceType": "MedicationRequest", "dosageInstruction": strange}
    medicine_of(order, {})
    often = {"frequency": times, "period": 1, "periodUnit": "d"}
    assert read(dosage(value, repeat=often)).daily("mg") == value * times
