"""What a dose is reckoned from: the newest weight and creatinine, and how old they are."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from helsevev.content.decision_shapes import Facts
from helsevev.decision_support.kidney_function import clearance_of, egfr_of
from helsevev.decision_support.reading import Chart, Seen, age_in_months
from helsevev.fhir.reading import text


class Measured(Struct, frozen=True):
    """A measurement: its value, its day (ISO 8601), how many days old, and how old it may be."""

    value: Decimal
    day: str
    days: int
    most_days: int

    @property
    def is_too_old(self) -> bool:
        """Whether nobody should reckon with it any more."""
        return self.days > self.most_days


class Basis(Struct, frozen=True):
    """What is known for a dose: `weight` in kg, `creatinine` in micromoles a litre, and `egfr`.

    None is "never measured". `clearance` (Cockcroft and Gault, ml/min) and an `egfr` that is
    reckoned rest on what is fresh enough alone. `is_egfr_told`: by the laboratory.
    """

    months: int | None
    sex: str
    weight: Measured | None = None
    creatinine: Measured | None = None
    egfr: Measured | None = None
    clearance: Decimal | None = None
    is_egfr_told: bool = False


def basis_of(chart: Chart, facts: Facts, now: datetime) -> Basis:
    """What a chart tells for doses, the newest of each whatever its age."""
    person = next(iter(chart.get("Patient", ())), {})
    months, sex = age_in_months(person, now), text(person.get("gender"))
    seen = Seen(chart.get("Observation", ()), now)
    is_child = months is not None and months < 18 * 12
    weight_days = facts.weight_days_child if is_child else facts.weight_days_adult
    weight = _measured(seen, facts.weight, weight_days, now)
    creatinine = _measured(seen, facts.creatinine, facts.kidney_days, now)
    told = _measured(seen, facts.egfr, facts.kidney_days, now)
    egfr = told
    if creatinine is not None and (told is None or told.is_too_old):
        found = egfr_of(creatinine.value, months, sex)
        if found is not None and not creatinine.is_too_old:
            egfr = Measured(found, creatinine.day, creatinine.days, creatinine.most_days)
    is_fresh = weight and creatinine and not weight.is_too_old and not creatinine.is_too_old
    clearance = (
        clearance_of(creatinine.value, months, sex, weight.value)
        if weight is not None and creatinine is not None and is_fresh else None
    )  # fmt: skip
    return Basis(months, sex, weight, creatinine, egfr, clearance, egfr is told)


def _measured(
    seen: Seen, wanted: tuple[str, ...], most_days: int, now: datetime
) -> Measured | None:  # fmt: skip
    found = seen.value(wanted, None)
    if found is None:
        return None
    days = (now.date() - datetime.fromisoformat(found[1]).date()).days
    return Measured(found[0], found[1], days, most_days)
