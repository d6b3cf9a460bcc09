"""Code and identifier systems that the demo records use, and the two shapes every code takes."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

NATIONAL_NUMBER = "urn:oid:2.16.578.1.12.4.1.4.1"
D_NUMBER = "urn:oid:2.16.578.1.12.4.1.4.2"
HPR_NUMBER = "urn:oid:2.16.578.1.12.4.1.4.4"
ORGANISATION_NUMBER = "urn:oid:2.16.578.1.12.4.1.4.101"
MUNICIPALITY = (
    "https://register.geonorge.no/subregister/sosi-kodelister/kartverket/kommunenummer-alle"
)

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ATC = "http://www.whocc.no/atc"
ICD10 = "http://hl7.org/fhir/sid/icd-10-no"
ICPC2 = "http://hl7.org/fhir/sid/icpc-2"
LABORATORY = "urn:oid:2.16.578.1.12.4.1.1.7280"
LANGUAGE = "urn:ietf:bcp:47"
COUNTRY = "urn:iso:std:iso:3166"
PRODUCT = "https://helsevev.example/fhir/CodeSystem/demo-product"
ADDRESS_CONFIDENTIALITY = "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"
FAMILY_RELATION = "http://hl7.no/fhir/CodeSystem/no-basis-family-relation"
PARENTAL_RESPONSIBILITY = "http://hl7.no/fhir/CodeSystem/no-basis-parental-responsibility"
MARITAL_STATUS = "http://hl7.no/fhir/CodeSystem/no-basis-marital-status"

_HL7 = "http://terminology.hl7.org/CodeSystem/"
_NO_BASIS = "http://hl7.no/fhir/StructureDefinition/no-basis-"


def volven(number: int) -> str:
    """System of a national Volven code set, by its number (oid branch 1.12.4.1.1)."""
    return f"urn:oid:2.16.578.1.12.4.1.1.{number}"


def hl7(name: str) -> str:
    """System of one of HL7's own code systems, such as `v3-ActCode`."""
    return _HL7 + name


def no_basis(name: str) -> str:
    """Canonical of a Norwegian base profile or extension, such as `Patient` or `middlename`."""
    return _NO_BASIS + name


def coding(system: str, code: str, display: str | None = None) -> Resource:
    """One FHIR Coding."""
    found: Resource = {"system": system, "code": code}
    if display is not None:
        found["display"] = display
    return found


def concept(text: str | None, *codings: Resource) -> Resource:
    """One FHIR CodeableConcept: the words a clinician reads, and the codes behind them."""
    found: Resource = {}
    if codings:
        found["coding"] = list(codings)
    if text is not None:
        found["text"] = text
    return found


def hl7_concept(name: str, code: str, text: str | None = None) -> Resource:
    """A CodeableConcept with one code of HL7's system `name`."""
    return concept(text, coding(hl7(name), code))
