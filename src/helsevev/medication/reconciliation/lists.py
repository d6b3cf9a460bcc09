"""The lists that are held together: at home, on the ward, and what the patient says; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.reading import (
    codes,
    codings,
    concept_text,
    contained,
    mapping,
    moment,
    objects,
    of_patient,
    reference_key,
    text,
)
from helsevev.medication.catalogue.product import resource_id
from helsevev.medication.coding import ATC
from helsevev.medication.prescription import dose_element
from helsevev.medication.reconciliation.comparing import Line, Status
from helsevev.medication.reconciliation.regimen import regimens
from helsevev.medication.versions import medicine_of

Resource = Mapping[str, Any]
HOME: Final = "home"
WARD: Final = "ward"
SAID: Final = "said"
_STATUS: Final[Mapping[str, Status]] = {
    "active": "active", "unknown": "active", "on-hold": "paused", "stopped": "stopped",
    "completed": "stopped", "not-taken": "stopped",
}  # fmt: skip
_NO_ORDER: Final = frozenset({"proposal", "plan", "option"})


def the_stay(encounters: Iterable[Resource]) -> Resource | None:
    """The stay that goes on now, the newest when there are several; None outside a stay."""
    found = [
        each for each in encounters
        if each.get("status") in ONGOING and "IMP" in codes(each.get("class"))
    ]  # fmt: skip
    return max(found, key=_begun) if found else None


def begun(encounter: Resource) -> datetime | None:
    """When a contact began."""
    said = moment(mapping(encounter.get("period")).get("start"))
    return said.at if said else None


def _begun(encounter: Resource) -> str:
    said = begun(encounter)
    return said.isoformat() if said else ""


def is_of_stay(order: Resource, stay: Resource | None) -> bool:
    """Whether an order holds during the stay only, and not at home."""
    said = codes(order.get("category"))
    if said:
        return "inpatient" in said
    return stay is not None and reference_key(order.get("encounter")) == f"Encounter/{stay['id']}"


def lines_of(
    requests: Sequence[Resource],
    statements: Sequence[Resource],
    products: Mapping[str, Resource],
    stay: Resource | None,
    on: date,
    said: Iterable[Resource] = (),
) -> dict[str, list[Line]]:
    """List name -> its lines, of what is in use or on hold; `said` is what the patient tells now.

    An order of the stay that was stopped in it is there as well where the home list goes on with
    the substance. `products` are Medications by "Medication/id".
    """
    stated = {
        reference_key(reference)
        for each in statements for reference in objects(each.get("basedOn"))
    }  # fmt: skip
    at_home = [
        each for each in (*of_patient(statements), *of_patient(requests))
        if f"{each['resourceType']}/{each['id']}" not in stated and not is_of_stay(each, stay)
        and text(each.get("intent")) not in _NO_ORDER
    ]  # fmt: skip
    in_stay = [each for each in of_patient(requests) if stay and is_of_stay(each, stay)]
    own_words = [each for each in at_home if _is_told(each)]
    home = [each for each in at_home if not _is_told(each)]
    found = {
        HOME: list(_in_use(home, HOME, products, on)),
        WARD: list(_in_use(in_stay, WARD, products, on)),
        SAID: list(_in_use([*own_words, *said], SAID, products, on)),
    }
    held = {line.substance for line in found[WARD]}
    going_on = {line.substance for line in found[HOME] if line.status == "active"}
    found[WARD] += [
        line for each in in_stay if each.get("status") == "stopped"
        for line in (line_of(each, WARD, products, on),)
        if line.substance in going_on - held
    ][:50]  # fmt: skip
    return found


def product_places(resources: Iterable[Resource]) -> set[tuple[str, str]]:
    """Where the products of orders and statements are: ("Medication", id)."""
    found: set[tuple[str, str]] = set()
    for each in resources:
        named = reference_key(each.get("medicationReference"))
        if named.startswith("Medication/"):
            found.add(("Medication", named.removeprefix("Medication/")))
        found |= {
            ("Medication", resource_id(code))
            for system, code in codings(each.get("medicationCodeableConcept"))
            if system != ATC
        }
    return found


def product_of(resource: Resource, products: Mapping[str, Resource]) -> Resource:
    """The Medication that an order or a statement names, as far as it is known."""
    reference = resource.get("medicationReference")
    if reference:
        return contained(resource, reference) or products.get(reference_key(reference), {})
    return next(
        (products[place] for kind, key in sorted(product_places([resource]))
         if (place := f"{kind}/{key}") in products), {},
    )  # fmt: skip


def line_of(resource: Resource, name: str, products: Mapping[str, Resource], on: date) -> Line:
    """One order or statement as a line of a list."""
    product = product_of(resource, products)
    concept = resource.get("medicationCodeableConcept") or product.get("code")
    shown = medicine_of(resource)
    dosages = objects(resource.get(dose_element(resource)))
    coded = codings(concept)
    return Line(
        key=f"{resource['resourceType']}/{resource['id']}",
        list=name,
        name=shown.name or concept_text(product.get("code")),
        atc=tuple(dict.fromkeys(code for system, code in coded if system == ATC)),
        products=frozenset(f"{system}|{code}" for system, code in coded if system != ATC),
        route=_route(dosages),
        doses=regimens(dosages, product, on),
        status=_STATUS.get(text(resource.get("status")), "active"),
        words=shown.dose_text,
    )


def _in_use(
    resources: Iterable[Resource], name: str, products: Mapping[str, Resource], on: date
) -> Iterator[Line]:
    for each in resources:
        if _STATUS.get(text(each.get("status"))) in ("active", "paused"):
            yield line_of(each, name, products, on)


def _is_told(resource: Resource) -> bool:
    """Whether the patient or somebody close to them said it, and nobody who treats them."""
    return reference_key(resource.get("informationSource")).startswith(
        ("Patient/", "RelatedPerson/")
    )


def _route(dosages: Sequence[Resource]) -> str:
    found = set()
    for each in dosages:
        known = sorted(f"{system}|{code}" for system, code in codings(each.get("route")))
        found.add(known[0] if known else concept_text(each.get("route")).casefold())
    found.discard("")
    return " ".join(sorted(found))
