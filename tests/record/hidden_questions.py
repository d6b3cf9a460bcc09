"""Who may not see a hidden address, and what they ask: whatever may tell it, or find by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.demo import personas

from .hidden_people import PEOPLE

_STRICT: Final = "vern-streng"


def relations() -> dict[str, Actor]:
    """Who may not see the addresses: every role, ties from none to the unit, apps, inhabitants."""
    found = {name: who for name, who in personas().items() if name != "inhabitant"}
    doctor, nurse = found["hospital-doctor"], found["ward-nurse"]
    hospital = ("Organization/st-olavs-akuttmottak", "Organization/st-olavs")
    found |= {
        "paramedic": replace(nurse, id="Practitioner/p1", profession="paramedic", role="paramedic",
                             organisations=("Organization/ambulance",)),
        "assistant": replace(nurse, id="Practitioner/a1", profession="assistant-nurse"),
        "cleaner": replace(nurse, id="Practitioner/c1", profession="cleaner", role="cleaner"),
        "emergency": replace(doctor, id="Practitioner/e1", organisations=hospital),
        "stated": replace(nurse, id="Practitioner/s1", organisations=hospital),
        "app": replace(doctor, client="app", launch_patient=f"Patient/{_STRICT}",
                       scopes=("patient/*.rs", "launch/patient")),
        "app of all": replace(doctor, client="app", scopes=("user/*.cruds",)),
        "narrow app": replace(doctor, client="app", scopes=("user/Observation.rs",)),
    }  # fmt: skip
    own = Actor(
        "inhabitant", "Patient/vern-far", "Far", "", "inhabitant", patient="Patient/vern-far"
    )
    found |= {
        "other": own,
        "father": replace(own, patient="Patient/vern-barn", acting="parent"),
        "relative": replace(own, patient=f"Patient/{_STRICT}", acting="power-of-attorney"),
        "inhabitant": personas()["inhabitant"],
    }
    return found


def urls(name: str) -> list[str]:
    """What to GET about one inhabitant, and what would find them by where they live."""
    told, patient = PEOPLE[name][0], f"Patient/{name}"
    street, city, code = told["line"].split(" ")[0], told["city"], told["code"]
    wanted = {"address": street, "address-city": city, "address-postalcode": code,
              "phone": told["phone"].replace("+", "%2B"), "email": told["email"]}  # fmt: skip
    found = [f"Patient?{key}={value}&_total=accurate" for key, value in wanted.items()]
    found += [f"Patient?{key}:exact={value}" for key, value in wanted.items() if "a" in key[:1]]
    found += [
        f"Patient?_filter=address co \"{street}\"", f"Patient?_content={street}",
        f"Patient?_text={street}", f"Patient?_has:Observation:patient:code=8867-4&address={city}",
        f"Observation?subject:Patient.address-city={city}&_total=accurate",
        "Encounter?location.name=Hjemme&_include=Encounter:location",
        f"Encounter?location.address={street}", f"Location?address={street}",
        "Location?name=Hjemme&_total=accurate", "Location?_count=200",
        f"Location?near={told['latitude']}|{told['longitude']}|5|km",
        f"RelatedPerson?address={street}", f"RelatedPerson?patient={patient}",
        f"Person?address-city={city}", f"Practitioner?address={street}",
        "Patient?_sort=address-city&_count=200", "Patient?_sort=-address-postalcode&_summary=text",
        "Patient?name=vernes&_elements=address,telecom", "Patient?name=vernes&_summary=true",
        "Patient?name=vernes&_summary=data", "Patient?name=vernes&_format=xml",
        f"Patient?_id={name}&_revinclude=*",
        f"Patient?_id={name}&_revinclude=Encounter:patient&_include:iterate=Encounter:location",
        patient, f"{patient}?_format=xml", f"{patient}?_pretty=true", f"{patient}?_summary=text",
        f"{patient}?_elements=address,contact", f"{patient}/_history", f"{patient}/_history/1",
        f"{patient}/_history/2", f"{patient}/$everything", f"{patient}/$everything?_format=xml",
        f"{patient}/$everything?_count=5", f"{patient}/*", f"{patient}/Observation",
        "Patient/_history", "_history", f"Location/{name}-hjemme",
        f"Location/{name}-hjemme/_history",
        f"Composition/{name}-notat/$document", f"Encounter/{name}-0/$everything",
        f"Observation/$lastn?patient={patient}&code=8867-4", f"AuditEvent?patient={patient}",
        f"Observation/$stats?subject={patient}&code=http://loinc.org|8867-4&statistic=count",
        "$export", "Patient/$export?_type=Patient", f"?_type=Patient,Observation&_id={name}",
        f"Patient?_id={name}%2Cvern-ingen&address-city={city}&foo={street}",
        f"Patient/{street}", f"Nothing?address={street}", f"Patient?birthdate={street}",
        "Subscription?criteria=Patient",
    ]  # fmt: skip
    kinds = ("Observation", "Condition", "Appointment", "Composition", "Communication", "Flag",
             "ServiceRequest", "Task", "QuestionnaireResponse", "CarePlan", "CareTeam", "Encounter",
             "MedicationRequest", "AllergyIntolerance", "DocumentReference",
             "Provenance")  # fmt: skip
    found += [f"{kind}?patient={patient}&_total=accurate" for kind in kinds]
    found += [f"{kind}/_history" for kind in kinds]
    return found


def posted(name: str) -> list[tuple[str, Any]]:
    """What to POST about one inhabitant."""
    told, patient = PEOPLE[name][0], f"Patient/{name}"
    described = {
        "resourceType": "Patient", "birthDate": "1984-03-02", "name": [{"family": "Vernes"}],
        "address": [{"line": [told["line"]], "postalCode": told["code"]}],
    }  # fmt: skip
    view = {
        "resourceType": "ViewDefinition", "resource": "Patient", "status": "active", "name": "all",
        "select": [{"column": [
            {"path": "getResourceKey()", "name": "id"},
            {"path": "address.line.first()", "name": "line"},
            {"path": "address.city.first()", "name": "city"},
            {"path": "text.div", "name": "div"}]}],
    }  # fmt: skip

    def parameters(*pairs: tuple[str, str, Any]) -> dict[str, Any]:
        told = [{"name": each, kind: value} for each, kind, value in pairs]
        return {"resourceType": "Parameters", "parameter": told}

    who = ("patient", "valueReference", {"reference": patient})
    gets = [patient, f"Observation?patient={patient}", f"{patient}/_history"]
    return [
        ("Patient/$match", parameters(("resource", "resource", described))),
        ("ViewDefinition/$viewdefinition-run", parameters(
            ("viewResource", "resource", view), who, ("_format", "valueCode", "json"))),
        ("ViewDefinition/$viewdefinition-run", parameters(
            ("viewResource", "resource", view), who, ("_format", "valueCode", "csv"))),
        ("", {"resourceType": "Bundle", "type": "batch", "entry": [
            {"request": {"method": "GET", "url": each}} for each in gets]}),
        ("Observation", {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                         "subject": {"reference": patient}}),
        ("$convert", {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                      "subject": {"reference": patient}}),
        ("Patient/$validate", {"resourceType": "Patient", "id": name, "birthDate": "x"}),
        ("Subscription", {"resourceType": "Subscription", "status": "requested", "reason": "x",
                          "criteria": f"Observation?patient={patient}",
                          "channel": {"type": "websocket", "payload": "application/fhir+json"}}),
    ]  # fmt: skip
