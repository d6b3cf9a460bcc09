"""What the national medication service (SFM) calls its profiles, extensions and code systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from helsevev.fhir.reading import objects, text

SFM: Final = "http://ehelse.no/fhir/StructureDefinition/sfm-"
ALLERGY_PROFILE: Final = "http://nhn.no/kj/fhir/StructureDefinition/KjAllergyIntolerance"
SECTION: Final = "http://ehelse.no/fhir/CodeSystem/sfm-section-types"
FEST: Final = "http://ehelse.no/fhir/CodeSystem/FEST"
REGISTRATION: Final = "http://ehelse.no/fhir/CodeSystem/sfm-festregistrationtype"
ERROR_CODE: Final = "http://ehelse.no/fhir/CodeSystem/sfm-kj-rf-error-code"
STANDING: Final = "http://ehelse.no/fhir/CodeSystem/sfm-medicationstatement-registration-status"
PERFORMER: Final = "http://ehelse.no/fhir/CodeSystem/sfm-performer-roles"

AMENDMENT: Final = f"{SFM}reseptamendment"
REGISTERED: Final = f"{SFM}regInfo"
DISCONTINUED: Final = f"{SFM}discontinuation"
ADMINISTRATION: Final = f"{SFM}administration"
DETAILS: Final = f"{SFM}medicationdetails"
USE: Final = f"{SFM}use"
SHORT_DOSAGE: Final = f"{SFM}shortdosage"
APPLICATION: Final = f"{SFM}application-area"
PLL_INFORMATION: Final = f"{SFM}pllInformation"
EFFECTIVE: Final = "effectiveDateTime"
"""The one extension that the service names without an address."""
DOSING: Final = "ereseptdosing"

WHOLE_DOSAGE: Final = "http://helsevev.no/fhir/StructureDefinition/whole-dosage"
"""valueDosage on a Dosage: what the words beside it say, as R4 has it; one for each step. The
service's own structure has neither clock times, hours between, weekdays, maximum nor rate."""

VOLVEN: Final = "urn:oid:2.16.578.1.12.4.1.1."
NATIONAL_NUMBERS: Final = (
    "urn:oid:2.16.578.1.12.4.1.4.1", "urn:oid:2.16.578.1.12.4.1.4.2",
)  # fmt: skip
HPR: Final = "urn:oid:2.16.578.1.12.4.1.4.4"
HER: Final = "urn:oid:2.16.578.1.12.4.1.2"


def extensions(resource: Mapping[str, Any], url: str) -> list[Mapping[str, Any]]:
    """The extensions of a kind, in their order."""
    return [e for e in objects(resource.get("extension")) if e.get("url") == url]


def parts(resource: Mapping[str, Any], *urls: str) -> list[Mapping[str, Any]]:
    """The extensions found by going down one address after the other."""
    found = [resource]
    for url in urls:
        found = [inner for each in found for inner in extensions(each, url)]
    return found


def value(extension: Mapping[str, Any]) -> Any:
    """The value[x] of an extension; None when it has none."""
    return next((v for name, v in extension.items() if name.startswith("value")), None)


def values(resource: Mapping[str, Any], *urls: str) -> Iterator[Any]:
    """The values found by going down one address after the other."""
    return (found for each in parts(resource, *urls) if (found := value(each)) is not None)


def said(resource: Mapping[str, Any], *urls: str) -> str:
    """The first text found by going down; "" when there is none."""
    return next((text(found) for found in values(resource, *urls)), "")


def coded(system: str, code: str, display: str) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, "display": display}]}


def volven(number: int, code: str, display: str) -> dict[str, Any]:
    """A CodeableConcept of one code of a Volven code system."""
    return coded(f"{VOLVEN}{number}", code, display)
