"""An invented national list in the shape of the service's own: for the demo and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from helsevev.content import loading
from helsevev.content.national_list_shapes import SimulatedAllergy, SimulatedLine, SimulatedList
from helsevev.fhir.reading import OSLO
from helsevev.medication.coding import ATC, USE_DISPLAY
from helsevev.medication.national_list.codes import (
    ADMINISTRATION,
    ALLERGY_PROFILE,
    AMENDMENT,
    APPLICATION,
    DETAILS,
    DISCONTINUED,
    DOSING,
    EFFECTIVE,
    PERFORMER,
    REGISTERED,
    SECTION,
    SFM,
    STANDING,
    USE,
    coded,
    volven,
)

Resource = dict[str, Any]
_SECTIONS = (
    ("Medication", "sectionMedication", "List of Medication statements"),
    ("PllInfo", "sectionPLLinfo", "PLL Info"),
    ("Allergies", "sectionAllergies", "Section allergies"),
    ("Other Prescriptions", "sectionOtherPrescriptions", "List of non medical prescriptions"),
)
_SOMEWHERE = [{"type": "postal", "city": "Fauske", "postalCode": "8200"}]
_GENERAL_PRACTITIONER = "Berit Fastlege, HPR: 431001999"


def bundle(held: SimulatedList | None, patient: Mapping[str, Any], now: datetime) -> Resource:
    """The service's document of a person: what is invented for them, or an empty list."""
    seed = patient["identifier"][0]["value"]
    making = _Making(seed, now)
    subject = {"reference": making.url("patient"), "type": f"{SFM}Patient"}
    doctor = {"reference": making.url("doctor"), "type": f"{SFM}Practitioner",
              "display": _GENERAL_PRACTITIONER}  # fmt: skip
    entries: list[tuple[str, Resource]] = [
        (making.url("doctor"), {
            "resourceType": "Practitioner", "id": making.id("doctor"),
            "meta": {"profile": [f"{SFM}Practitioner"]}, "active": True,
            "identifier": [{"use": "official", "system": "urn:oid:2.16.578.1.12.4.1.4.4",
                            "value": "431001999"}],
            "name": [{"use": "official", "family": "Fastlege", "given": ["Berit"]}],
        }),
        (making.url("patient"), {**patient, "id": making.id("patient"), "address": _SOMEWHERE}),
    ]  # fmt: skip
    placed: dict[str, list[Resource]] = {code: [] for _title, code, _display in _SECTIONS}
    for number, line in enumerate(held.line if held else ()):
        entries += making.line(line, str(number), subject, doctor)
        placed["sectionMedication"].append({
            "reference": making.url(f"line{number}"), "type": f"{SFM}MedicationStatement",
            "display": line.name})  # fmt: skip
    for number, allergy in enumerate(held.allergy if held else ()):
        entries.append(making.allergy(allergy, str(number), subject))
        placed["sectionAllergies"].append({
            "reference": making.url(f"allergy{number}"), "type": ALLERGY_PROFILE,
            "display": "KjAllergyIntolerance"})  # fmt: skip
    entries.insert(0, (making.url("composition"), making.composition(subject, doctor, placed)))
    return {
        "resourceType": "Bundle", "id": making.id("bundle"),
        "meta": {"profile": [f"{SFM}MedicationBundle"]}, "type": "document",
        "timestamp": making.stamp, "total": len(entries),
        "entry": [{"fullUrl": url, "resource": each} for url, each in entries],
    }  # fmt: skip


class _Making:
    """The numbers and times of one document."""

    def __init__(self, seed: str, now: datetime) -> None:
        self._seed = seed
        self._now = now.astimezone(OSLO)
        self.stamp = self._now.isoformat()

    def id(self, what: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"urn:simulated:{self._seed}:{what}"))

    def url(self, what: str) -> str:
        return f"urn:uuid:{self.id(what)}"

    def composition(
        self, subject: Resource, author: Resource, placed: Mapping[str, list[Resource]]
    ) -> Resource:
        empty = coded(
            "http://terminology.hl7.org/CodeSystem/list-empty-reason", "unavailable", "Unavailable"
        )
        sections = []
        for title, code, display in _SECTIONS:
            section: Resource = {"title": title, "code": coded(SECTION, code, display)}
            section |= {"entry": placed[code]} if placed[code] else {"emptyReason": empty}
            sections.append(section)
        return {
            "resourceType": "Composition", "id": self.id("composition"),
            "meta": {"profile": [f"{SFM}MedicationComposition"]},
            "identifier": {"use": "official", "value": self.id("document")}, "status": "final",
            "type": coded("http://loinc.org", "11503-0", "Medical records"),
            "subject": subject, "date": self.stamp[:10], "author": [author],
            "title": "Medication summary", "confidentiality": "N", "section": sections,
        }  # fmt: skip

    def line(
        self, line: SimulatedLine, number: str, subject: Resource, doctor: Resource
    ) -> list[tuple[str, Resource]]:
        medicine: Resource = {
            "resourceType": "Medication", "id": self.id(f"medicine{number}"),
            "meta": {"profile": [f"{SFM}Medication"]},
            "extension": [{"extension": [{"url": "name", "valueString": line.name}],
                           "url": DETAILS}],
            "code": coded(ATC, line.atc, line.substance), "status": "active",
        }  # fmt: skip
        statement: Resource = {
            "resourceType": "MedicationStatement", "id": self.id(f"statement{number}"),
            "meta": {"profile": [f"{SFM}MedicationStatement"]},
            "extension": [self._amendment(line), *self._registered(line, doctor)],
            "identifier": [{"use": "usual", "type": {"text": "PLL"},
                            "value": self.id(f"pll{number}")}],
            "status": "stopped" if line.stopped_days_ago else "active",
            "medicationReference": {
                "reference": self.url(f"medicine{number}"), "type": f"{SFM}Medication",
                "display": line.name},
            "subject": subject,
            "dosage": [{
                "extension": [
                    {"url": USE, "valueCodeableConcept": volven(9101, line.use,
                                                                USE_DISPLAY[line.use])},
                    {"extension": [{"url": "text", "valueString": line.what_for}],
                     "url": APPLICATION},
                ],
                "sequence": 1, "text": line.words,
            }],
        }  # fmt: skip
        if line.is_prescription:
            statement["identifier"].append({"use": "usual", "type": {"text": "ReseptId"},
                                            "value": self.id(f"resept{number}")})  # fmt: skip
        return [(self.url(f"medicine{number}"), medicine), (self.url(f"line{number}"), statement)]

    def _amendment(self, line: SimulatedLine) -> Resource:
        kind = ("E", "Eresept") if line.is_prescription else ("U", "Uten resept")
        inner: list[Resource] = [
            {"url": "reseptdate", "valueDate": self._day(line.days_ago)},
            {"url": "dssn", "valueString": line.words},
            {"url": "itemgroup", "valueCodeableConcept": volven(7402, "L", "Legemiddel")},
            {"url": "typeresept", "valueCodeableConcept": volven(7491, *kind)},
        ]
        names = {each.code: each.name for each in loading.national_list().time}
        times = [
            {"extension": [
                {"url": "amount", "valueQuantity": {"value": line.amount, "unit": line.unit}},
                {"url": "interval", "valueQuantity": {
                    "value": 1, "unit": loading.national_list().day}},
                {"url": "accurate", "valueBoolean": False},
                {"url": "timerange", "valueCodeableConcept": volven(8325, code, names[code])},
            ], "url": "repeatingdosage"}
            for code in line.times
        ]  # fmt: skip
        if times:
            start = {"url": "starttime", "valueDate": self._day(line.days_ago)}
            inner.append({"extension": [start, *times], "url": DOSING})
        return {"extension": inner, "url": AMENDMENT}

    def _registered(self, line: SimulatedLine, doctor: Resource) -> list[Resource]:
        inner = [
            {"url": "status", "valueCodeableConcept": coded(STANDING, "3", "Godkjent")},
            {"url": "type", "valueCodeableConcept": coded(PERFORMER, "1", "Forskrevet av")},
            {"url": "provider", "valueReference": doctor},
            {"url": "timestamp", "valueDateTime": f"{self._day(line.days_ago)}T10:00:00+01:00"},
        ]
        made: list[Resource] = [
            {"extension": inner, "url": REGISTERED},
            {"url": EFFECTIVE, "valueDate": self._day(line.days_ago)},
        ]
        if line.is_multidose:
            flag = {"url": "mddispensed", "valueBoolean": True}
            made.append({"extension": [flag], "url": ADMINISTRATION})
        if line.stopped_days_ago:
            at = f"{self._day(line.stopped_days_ago)}T12:00:00+01:00"
            why = volven(7494, "X", loading.national_list().other_reason)
            made.append({"extension": [
                {"url": "timedate", "valueDateTime": at},
                {"url": "reason", "valueCodeableConcept": why},
                {"url": "note", "valueString": line.stopped_why},
            ], "url": DISCONTINUED})  # fmt: skip
        return made

    def allergy(
        self, allergy: SimulatedAllergy, number: str, subject: Resource
    ) -> tuple[str, Resource]:
        kind = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
        reaction = coded("http://nhn.no/kj/fhir/CodeSystem/TypeOfReaction", "10", allergy.reaction)
        return self.url(f"allergy{number}"), {
            "resourceType": "AllergyIntolerance", "id": self.id(f"allergy{number}"),
            "meta": {"profile": [ALLERGY_PROFILE]},
            "clinicalStatus": coded(f"{kind}clinical", "active", "Active"),
            "verificationStatus": coded(f"{kind}verification", "unconfirmed", "Unconfirmed"),
            "category": ["medication"], "criticality": "high",
            "code": coded("http://nhn.no/kj/fhir/CodeSystem/ATC", allergy.atc, allergy.name),
            "patient": subject, "recordedDate": self.stamp[:10],
            "reaction": [{"manifestation": [reaction]}],
        }  # fmt: skip

    def _day(self, ago: int) -> str:
        return (self._now.date() - timedelta(days=ago)).isoformat()
