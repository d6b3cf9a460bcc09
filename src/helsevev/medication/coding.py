"""The codes and extensions by which an order says what the national model has beyond R4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from helsevev.fhir.reading import codes, mapping, objects, text

ATC: Final = "http://www.whocc.no/atc"
UCUM: Final = "http://unitsofmeasure.org"

USE_EXTENSION: Final = "http://ehelse.no/fhir/StructureDefinition/sfm-use"
"""On a Dosage: regular, course or as needed, by Volven 9101."""
USE_SYSTEM: Final = "urn:oid:2.16.578.1.12.4.1.1.9101"
REGULAR: Final = "1"
COURSE: Final = "2"
AS_NEEDED: Final = "3"
USE_DISPLAY: Final[Mapping[str, str]] = {REGULAR: "Fast", COURSE: "Kur", AS_NEEDED: "Ved behov"}

MULTIDOSE: Final = "http://helsevev.no/fhir/StructureDefinition/multidose"
"""valueBoolean: the pharmacy packs it in multidose bags."""
OWN_MANAGED: Final = "http://helsevev.no/fhir/StructureDefinition/own-managed"
"""valueBoolean: the patient takes care of it; nobody hands it out."""
UNCHECKED: Final = "http://helsevev.no/fhir/StructureDefinition/unchecked"
"""valueString: why decision support could not check the order when it was signed."""
ANSWERED: Final = "http://helsevev.no/fhir/StructureDefinition/answered-card"
"""valueString: a card that was answered when the order was signed, and what was answered."""
STATUS_CHANGED: Final = (
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationRequest.statusChanged"
)
"""valueDateTime: when the status became what it is, as R5 has it."""


def use_extension(use: str) -> dict[str, Any]:
    """The sfm-use extension of a Dosage."""
    coding = {"system": USE_SYSTEM, "code": use, "display": USE_DISPLAY[use]}
    return {"url": USE_EXTENSION, "valueCodeableConcept": {"coding": [coding]}}


def use_of(dosage: Mapping[str, Any]) -> str:
    """The use of a Dosage by Volven 9101; "" when it does not say."""
    for each in objects(dosage.get("extension")):
        if each.get("url") == USE_EXTENSION:
            found = codes(each.get("valueCodeableConcept"))
            return next((use for use in USE_DISPLAY if use in found), "")
    return ""


def flag(resource: Mapping[str, Any], url: str) -> bool:
    """Whether a boolean extension is set."""
    return any(e.get("url") == url and e.get("valueBoolean") is True
               for e in objects(resource.get("extension")))  # fmt: skip


def said_by(resource: Mapping[str, Any], url: str) -> str:
    """The string of an extension; "" when it is not there."""
    return next(
        (text(e.get("valueString")) for e in objects(resource.get("extension"))
         if e.get("url") == url), "",
    )  # fmt: skip


def with_extension(
    resource: Mapping[str, Any], url: str, value: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The resource with one extension of a kind, or with none of it."""
    kept = [e for e in objects(resource.get("extension")) if e.get("url") != url]
    if value is not None:
        kept.append({"url": url, **value})
    made = {**resource, "extension": kept}
    if not kept:
        del made["extension"]
    return made


def repeat_of(dosage: Mapping[str, Any]) -> Mapping[str, Any]:
    """timing.repeat of a Dosage."""
    return mapping(mapping(dosage.get("timing")).get("repeat"))
