"""The medication list and the ward's orders: MedicationStatement, MedicationRequest, Medication.

A MedicationStatement is a line of the shared list (in use, stopped or on hold). A MedicationRequest
is a prescription behind such a line (`MedicationStatement.basedOn`) or, with category `inpatient`,
an order that holds only during the stay. Every product is also a Medication with form and strength.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from .codes import ATC, PRODUCT, UCUM, Resource, coding, concept, hl7, volven
from .products import PRODUCTS, Product
from .story import Story, ref, staff

ROUTES = {
    "oral": ("53", "Oral bruk"),
    "inhalasjon": ("11", "Bruk til inhalasjon"),
    "subkutan": ("62", "Subkutan bruk"),
    "intravenøs": ("43", "Intravenøs bruk"),
    "hud": ("8", "Bruk på hud"),
}
MULTIDOSE = "http://helsevev.no/fhir/StructureDefinition/multidose"
_UNITS = {"mg": "mg", "g": "g", "mL": "mL", "E": "[IU]", "mmol": "mmol", "L/min": "L/min"}
_DAYS = {"man": "mon", "tir": "tue", "ons": "wed", "tor": "thu", "fre": "fri", "lør": "sat",
         "søn": "sun"}  # fmt: skip


class Dose(NamedTuple):
    """How it is taken: the words, the amount, the hours, and what else limits it.

    `amount` is `1 tablett` or `500 mg`; `rate` is the lowest and the highest of what runs on, such
    as `0.5 2 L/min`; `hours` is `08 20` for each time of day, or empty; `days`
    is `man tor` for a medicine that is not daily; `as_needed` names the reason and `most` is how
    many a day.
    """

    text: str
    amount: str = ""
    hours: str = ""
    days: str = ""
    as_needed: str | None = None
    most: int | None = None
    rate: str = ""


def products() -> Iterator[Resource]:
    """Every product in the demo as a Medication."""
    for key, product in PRODUCTS.items():
        yield product_resource(key, product)


def product_resource(key: str, product: Product) -> Resource:
    """A product as a Medication whose id is its key."""
    return {
        "resourceType": "Medication",
        "id": key,
        "code": code_of(key, product),
        "status": "active",
        "form": concept(product.form, coding(volven(7448), product.form_code, product.form)),
        "ingredient": [
            {
                "itemCodeableConcept": concept(product.substance),
                "isActive": True,
                **_strength(product),
            }
        ],
    }


def in_use(
    story: Story,
    product: str,
    dose: Dose,
    since: str,
    reason: str,
    *,
    by: str = "sigrid-aune",
    status: str = "active",
    until: str | None = None,
    why: str | None = None,
    slug: str | None = None,
    note: str | None = None,
    prescribed: bool = False,
    behind: str | None = None,
    multidose: bool = False,
    course: str = "1",
) -> None:
    """One line of the medication list.

    `status` is active, stopped, completed or on-hold, `why` the reason for a stop or a hold.
    `prescribed` adds the prescription behind it, packed by the pharmacy when `multidose`; `behind`
    names one that is there; `course` is Volven 9101 (1 fast, 2 kur, 3 ved behov).
    """
    name = slug or product
    period = {"start": story.time.day(since)}
    if until is not None:
        period["end"] = story.time.day(until)
    request = behind
    if prescribed:
        request = order(
            story, product, dose, since, reason, by=by, slug=name, inpatient=False,
            multidose=multidose,
        )  # fmt: skip
    use = {"1": "Fast", "2": "Kur", "3": "Ved behov"}[course]
    story.add(
        "MedicationStatement",
        f"lib-{name}",
        basedOn=None if request is None else [ref(request)],
        status=status,
        statusReason=None if why is None else [concept(why)],
        category=concept(use, coding(hl7("medication-statement-category"), "community")),
        medicationCodeableConcept=code_of(product, PRODUCTS[product]),
        subject=story.subject(),
        effectivePeriod=period,
        dateAsserted=story.time.stamp(until if until is not None else since),
        informationSource=staff(by),
        reasonCode=[concept(reason)],
        note=None if note is None else [{"text": note}],
        dosage=[dosage_of(dose, PRODUCTS[product])],
    )


def order(
    story: Story,
    product: str,
    dose: Dose,
    since: str,
    reason: str,
    *,
    by: str,
    slug: str | None = None,
    inpatient: bool = True,
    encounter: str | None = None,
    status: str = "active",
    multidose: bool = False,
) -> str:
    """A prescription, or an order during a stay."""
    category = ("inpatient", "Ordinasjon under opphold") if inpatient else ("community", "Resept")
    return story.add(
        "MedicationRequest",
        f"forskrivning-{slug or product}",
        extension=[{"url": MULTIDOSE, "valueBoolean": True}] if multidose else None,
        status=status,
        intent="order",
        category=[
            concept(category[1], coding(hl7("medicationrequest-category"), category[0])),
        ],
        medicationCodeableConcept=code_of(product, PRODUCTS[product]),
        subject=story.subject(),
        encounter=ref(encounter),
        authoredOn=story.time.stamp(since),
        requester=staff(by),
        reasonCode=[concept(reason)],
        dosageInstruction=[dosage_of(dose, PRODUCTS[product])],
    )


def code_of(key: str, product: Product) -> Resource:
    """A product as a CodeableConcept: ATC and the product itself."""
    name = f"{product.name} {product.form.lower()} {product.strength}".strip()
    return concept(name, coding(ATC, product.atc, product.substance), coding(PRODUCT, key, name))


def _strength(product: Product) -> Resource:
    if not product.ratio:
        return {}
    numerator, unit, denominator = product.ratio
    return {
        "strength": {
            "numerator": amount_of(f"{numerator} {unit}"),
            "denominator": amount_of(denominator),
        }
    }


def dosage_of(dose: Dose, product: Product) -> Resource:
    """A dose as a FHIR Dosage."""
    route_code, route = ROUTES[product.route]
    found: dict[str, Any] = {"text": dose.text}
    if dose.hours or dose.days:
        found["timing"] = {"repeat": _repeat(dose)}
    if dose.as_needed is not None:
        found["asNeededCodeableConcept"] = concept(dose.as_needed)
    found["route"] = concept(route, coding(volven(7477), route_code, route))
    if dose.amount:
        found["doseAndRate"] = [{"doseQuantity": amount_of(dose.amount)}]
    if dose.rate:
        low, high, unit = dose.rate.split(" ")
        ends = {"low": amount_of(f"{low} {unit}"), "high": amount_of(f"{high} {unit}")}
        found["doseAndRate"] = [{"rateRange": ends}]
    if dose.most is not None:
        found["maxDosePerPeriod"] = {
            "numerator": amount_of(f"{dose.most} {dose.amount.split(' ', 1)[1]}"),
            "denominator": {"value": 24, "unit": "timer", "system": UCUM, "code": "h"},
        }
    return found


def _repeat(dose: Dose) -> Resource:
    hours = dose.hours.split()
    found: dict[str, Any] = {"frequency": max(len(hours), 1), "period": 1, "periodUnit": "d"}
    if dose.days:
        days = dose.days.split()
        found = {"frequency": len(days), "period": 1, "periodUnit": "wk"}
        found["dayOfWeek"] = [_DAYS[day] for day in days]
    if hours:
        found["timeOfDay"] = [
            f"{hour}:00:00" if ":" not in hour else f"{hour}:00" for hour in hours
        ]
    return found


def amount_of(text: str) -> Resource:
    """`1 tablett` or `500 mg` as a Quantity."""
    number, unit = text.split(" ", 1)
    plain = unit.translate(str.maketrans("æøåéÆØÅ", "aoaeAOA")).replace(" ", "-")
    value: Decimal | int = Decimal(number) if "." in number else int(number)
    return {
        "value": value,
        "unit": unit,
        "system": UCUM,
        "code": _UNITS.get(unit, f"{{{plain}}}"),
    }
