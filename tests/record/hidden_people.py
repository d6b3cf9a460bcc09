"""Inhabitants whose address is protected, with their address wherever an address can stand."""

from __future__ import annotations

import base64
from typing import Any, Final

Resource = dict[str, Any]

GRADE: Final = "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"
NUMBER: Final = "urn:oid:2.16.578.1.12.4.1.4.1"
FATHER: Final = "14850070002"
LUNG, HOSPITAL = "Organization/st-olavs-lunge", "Organization/st-olavs"
CLINIC: Final = "Organization/st-olavs-medisin"
HOME_CARE, TOWN = "Organization/trondheim-hjemmetjeneste-ost", "Organization/trondheim"
NEAR_HOME: Final = "heimlaget"
"""The id of the service that visits them, which tells where they live."""

STRICT: Final = {
    "line": "Gnistreløkka 41", "code": "7683", "city": "Dulgvika", "district": "Skjoldhamn",
    "old": "Tildekkja 9", "old_city": "Forlatvika", "phone": "+4710449911",
    "email": "gnist@dulgt.example", "contact": "Skjulbakken 3", "contact_phone": "10449922",
    "latitude": "64.0123456", "longitude": "11.7654321",
}  # fmt: skip
CONFIDENTIAL: Final = {
    "line": "Mørkestua 17B", "code": "7114", "city": "Avsidesund", "district": "Avsidesund",
    "old": "Fjernstien 2", "old_city": "Utgarden", "phone": "+4710335577",
    "email": "stua@avsides.example", "contact": "Bakromsgata 8", "contact_phone": "10335588",
    "latitude": "63.9876543", "longitude": "10.1239876",
}  # fmt: skip
PEOPLE: Final = {
    "vern-streng": (STRICT, "strengtFortrolig", (LUNG, HOME_CARE, HOSPITAL)),
    "vern-fortrolig": (CONFIDENTIAL, "fortrolig", (CLINIC, TOWN)),
    "vern-lukket": (STRICT, "strengtFortrolig", ()),
}
"""Ids, what is theirs, how it is graded, and who treats them. Nobody treats the last one."""

WORDS: Final = (
    "gnistreløk", "gnistrelok", "dulgvika", "skjoldhamn", "tildekkja", "forlatvika", "10449911",
    "gnist@dulgt", "skjulbakken", "10449922", "64.01234", "11.76543",
    "mørkestua", "avsidesund 7114", "7114 avsidesund", "fjernstien", "10335577", "stua@avsides",
    "bakromsgata", "10335588", "63.98765", "10.12398", "7683 dulg",
)  # fmt: skip
"""What must nowhere be found, in lower case: of the less strict grade the town alone may."""


def bundles() -> list[Resource]:
    """Transactions: first the people as they were, then as they are, with all about them."""
    first = [_patient(name, old=True) for name in PEOPLE]
    now = [_service(), *(each for name in PEOPLE for each in _all_about(name)), *_family()]
    return [_transaction(first), _transaction(now)]


def _transaction(resources: list[Resource]) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": each,
                "request": {
                    "method": "PUT", "url": f"{each['resourceType']}/{each['id']}",
                    **({"ifMatch": 'W/"1"'} if each.pop("again", False) else {}),
                },
            }
            for each in resources
        ],
    }  # fmt: skip


def _address(told: dict[str, str], *, old: bool = False) -> Resource:
    if old:
        return {
            "use": "home",
            "line": [told["old"]],
            "postalCode": "7999",
            "city": told["old_city"],
        }
    position = {
        "url": "http://hl7.org/fhir/StructureDefinition/geolocation",
        "extension": [
            {"url": "latitude", "valueDecimal": float(told["latitude"])},
            {"url": "longitude", "valueDecimal": float(told["longitude"])},
        ],
    }
    return {
        "extension": [position], "use": "home", "line": [told["line"]],
        "district": told["district"], "postalCode": told["code"], "city": told["city"],
        "country": "NO",
        "text": f"{told['line']}, {told['code']} {told['city']}",
    }  # fmt: skip


def _patient(name: str, *, old: bool = False) -> Resource:
    told, grade, _ = PEOPLE[name]
    where = f"{told['line']}, {told['code']} {told['city']}"
    found: Resource = {
        "resourceType": "Patient", "id": name, "active": True, "gender": "female",
        "name": [{"family": "Vernes", "given": [name.removeprefix("vern-").capitalize()]}],
        "birthDate": "1984-03-02", "address": [_address(told, old=old)],
    }  # fmt: skip
    if old:
        return found
    return found | {
        "again": True,
        "meta": {"security": [{"system": GRADE, "code": grade}]},
        "text": {"status": "generated", "div": _div(f"<b>Vernes</b>, {where}")},
        "telecom": [{"system": "phone", "value": told["phone"]},
                    {"system": "email", "value": told["email"]}],
        "contact": [{
            "relationship": [{"text": "Søster"}], "name": {"family": "Vernes", "given": ["Sol"]},
            "telecom": [{"system": "phone", "value": told["contact_phone"]}],
            "address": {"line": [told["contact"]], "postalCode": told["code"]},
        }],
        "managingOrganization": {"reference": f"Organization/{NEAR_HOME}"},
        "generalPractitioner": [{"reference": f"Organization/{NEAR_HOME}"}],
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
            "valueAddress": {"city": told["old_city"], "line": [told["old"]]},
        }],
    }  # fmt: skip


def _div(text: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'


def _all_about(name: str) -> list[Resource]:
    told, _, units = PEOPLE[name]
    who = {"reference": f"Patient/{name}"}
    where = f"{told['line']}, {told['code']} {told['city']}"
    shouted = where.upper()
    home = {
        "resourceType": "Location", "id": f"{name}-hjemme", "status": "active",
        "name": f"Hjemme i {told['line']}", "description": where, "address": _address(told),
        "physicalType": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "ho"
        }]},
        "telecom": [{"system": "phone", "value": told["phone"]}],
        "position": {"latitude": float(told["latitude"]), "longitude": float(told["longitude"])},
    }  # fmt: skip
    stays = [
        {"resourceType": "Encounter", "id": f"{name}-{n}", "status": "in-progress",
         "class": {"code": "IMP"}, "subject": who, "period": {"start": "2026-01-01"},
         "serviceProvider": {"reference": unit},
         "reasonCode": [{"text": f"Fall hjemme i {shouted}"}],
         "text": {"status": "generated", "div": _div(f"<p>Hentet i <i>{told['line']}</i></p>")},
         "location": [{"location": {"reference": f"Location/{name}-hjemme",
                                    "display": f"Hjemme, {told['line']}"}}]}
        for n, unit in enumerate(units)
    ]  # fmt: skip
    team: Resource = {
        "resourceType": "CareTeam",
        "id": f"{name}-lag",
        "status": "active",
        "subject": who,
        "managingOrganization": [{"reference": f"Organization/{NEAR_HOME}"}],
        "participant": [{"member": {"reference": f"Organization/{NEAR_HOME}"}}],
        "note": [{"text": f"Nøkkel til {told['line']} ligger hos naboen i {told['contact']}."}],
    }
    return [
        _patient(name),
        home,
        *stays,
        team,
        *_entries(name, told, where),
        *_plans(name, told, where),
        *_files(name, told),
    ]


def _entries(name: str, told: dict[str, str], where: str) -> list[Resource]:
    who = {"reference": f"Patient/{name}"}
    concept = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    return [
        {"resourceType": "RelatedPerson", "id": f"{name}-bror", "patient": who,
         "name": [{"family": "Vernes", "given": ["Bror"]}], "address": [_address(told)],
         "telecom": [{"system": "phone", "value": told["contact_phone"]}],
         "relationship": [{"coding": [{"code": "BRO"}]}]},
        {"resourceType": "Observation", "id": f"{name}-puls", "status": "final", "subject": who,
         "code": concept, "valueQuantity": {"value": 72, "unit": "/min"},
         "effectiveDateTime": "2026-01-02", "note": [{"text": f"Målt i {where.lower()}."}],
         "extension": _address(told)["extension"]},
        {"resourceType": "Observation", "id": f"{name}-bosted", "status": "final", "subject": who,
         "code": {"text": "Bosted"}, "valueString": f"{told['code']} {told['city']}",
         "effectiveDateTime": "2026-01-03"},
        {"resourceType": "Condition", "id": f"{name}-fall", "subject": who,
         "code": {"text": f"Fall i {told['old']}"}, "note": [{"text": f"Tlf {told['phone']}"}]},
        {"resourceType": "Appointment", "id": f"{name}-time", "status": "booked",
         "description": f"Hjemmebesøk {where}", "comment": f"Ring {told['phone'][3:]} før",
         "patientInstruction": f"Vi kommer til {told['line']}",
         "start": "2026-11-23T08:00:00Z", "end": "2026-11-23T08:30:00Z",
         "participant": [{"actor": who, "status": "accepted"},
                         {"actor": {"reference": f"Location/{name}-hjemme"},
                          "status": "accepted"}]},
        {"resourceType": "Composition", "id": f"{name}-notat", "status": "final",
         "type": {"text": "Notat"}, "subject": who, "date": "2026-01-04T10:00:00Z",
         "author": [{"reference": "Practitioner/ingrid-solemdal"}],
         "title": f"Besøk i {told['line']}",
         "section": [{"title": "Sosialt", "text": {"status": "additional", "div": _div(
             f"<p>Bor i {told['line'].replace('ø', '&#248;')},<br/>{told['code']}&#160;"
             f"{told['city']}. E-post {told['email']}.</p>")}}]},
        {"resourceType": "Communication", "id": f"{name}-beskjed", "status": "completed",
         "subject": who, "sent": "2026-01-05T10:00:00Z",
         "payload": [{"contentString": f"https://kart.example/?q={told['line'].replace(' ', '+')}"},
                     {"contentString": f"Nøkkelen til {where} er levert"}]},
        {"resourceType": "ServiceRequest", "id": f"{name}-henvist", "status": "active",
         "intent": "order", "subject": who, "code": {"text": "Hjemmesykepleie"},
         "locationReference": [{"reference": f"Location/{name}-hjemme"}],
         "performer": [{"reference": f"Organization/{NEAR_HOME}"}],
         "note": [{"text": f"Oppdrag i {where}"}]},
    ]  # fmt: skip


def _plans(name: str, told: dict[str, str], where: str) -> list[Resource]:
    who = {"reference": f"Patient/{name}"}
    return [
        {"resourceType": "Task", "id": f"{name}-oppgave", "status": "requested", "intent": "order",
         "for": who, "description": f"Kjør til {where}"},
        {"resourceType": "Flag", "id": f"{name}-varsel", "status": "active", "subject": who,
         "code": {"text": f"Hund i {told['line']}"}},
        {"resourceType": "QuestionnaireResponse", "id": f"{name}-svar", "status": "completed",
         "subject": who, "item": [
             {"linkId": "gate", "answer": [{"valueString": told["line"]}]},
             {"linkId": "sted", "answer": [{"valueString": told["city"]}]}]},
        {"resourceType": "CarePlan", "id": f"{name}-plan", "status": "active", "intent": "plan",
         "subject": who, "description": f"Tilsyn i {told['line']} to ganger daglig"},
        {"resourceType": "MedicationRequest", "id": f"{name}-resept", "status": "active",
         "intent": "order", "subject": who, "medicationCodeableConcept": {"text": "Paracet"},
         "dosageInstruction": [{"text": f"Leveres i {told['line']}"}]},
        {"resourceType": "AllergyIntolerance", "id": f"{name}-allergi", "patient": who,
         "code": {"text": "Pollen"}, "clinicalStatus": {"coding": [{"code": "active", "system":
             "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"}]},
         "note": [{"text": f"Verst i hagen i {told['line']}"}]},
        {"resourceType": "Provenance", "id": f"{name}-hvem", "recorded": "2026-01-05T10:00:00Z",
         "target": [who, {"reference": f"Composition/{name}-notat"}],
         "location": {"reference": f"Location/{name}-hjemme"},
         "agent": [{"who": {"reference": "Practitioner/ingrid-solemdal"}}]},
    ]  # fmt: skip


def _files(name: str, told: dict[str, str]) -> list[Resource]:
    letter = f"Til Vernes, {told['line']}, {told['code']} {told['city']}. Innkalling.".encode()
    contents = (("text/plain", letter), ("application/pdf", b"%PDF-1.4\n" + letter),
                ("image/png", b"\x89PNG\r\n" + letter))  # fmt: skip
    return [
        {"resourceType": "DocumentReference", "id": f"{name}-brev-{n}", "status": "current",
         "subject": {"reference": f"Patient/{name}"}, "description": f"Brev til {told['line']}",
         "content": [{"attachment": {
             "contentType": kind, "data": base64.b64encode(content).decode(),
             "title": f"{told['line']}.txt"}}]}
        for n, (kind, content) in enumerate(contents)
    ]  # fmt: skip


def _service() -> Resource:
    """The home care of the neighbourhood."""
    return {
        "resourceType": "Organization", "id": NEAR_HOME, "name": "Heimlaget",
        "type": [{"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.8663", "code": "KP02"}]}],
    }  # fmt: skip


def _family() -> list[Resource]:
    """A child whose record names the one who is hidden, and the father who follows the child."""
    told, grade, _ = PEOPLE["vern-streng"]
    child = {"reference": "Patient/vern-barn"}
    return [
        {"resourceType": "Patient", "id": "vern-far", "birthDate": "1980-01-01",
         "name": [{"family": "Far", "given": ["Finn"]}],
         "identifier": [{"system": NUMBER, "value": FATHER}]},
        {"resourceType": "Patient", "id": "vern-barn", "birthDate": "2018-01-01",
         "name": [{"family": "Far", "given": ["Barn"]}]},
        {"resourceType": "RelatedPerson", "id": "vern-barn-far", "patient": child,
         "identifier": [{"system": NUMBER, "value": FATHER}],
         "relationship": [{"coding": [{"code": "FTH"}]}, {"coding": [{
             "system": "http://hl7.no/fhir/CodeSystem/no-basis-parental-responsibility",
             "code": "felles"}]}]},
        {"resourceType": "RelatedPerson", "id": "vern-barn-mor", "patient": child,
         "meta": {"security": [{"system": GRADE, "code": grade}]},
         "text": {"status": "generated", "div": _div(told["line"])},
         "name": [{"family": "Vernes", "given": ["Streng"]}], "address": [_address(told)],
         "telecom": [{"system": "phone", "value": told["phone"]}],
         "relationship": [{"coding": [{"code": "MTH"}]}]},
        {"resourceType": "Encounter", "id": "vern-barn-0", "status": "in-progress",
         "class": {"code": "IMP"}, "subject": child, "period": {"start": "2026-01-01"},
         "serviceProvider": {"reference": LUNG},
         "reasonCode": [{"text": f"Hentet hos mor i {told['line'].upper()}"}]},
        {"resourceType": "Observation", "id": "vern-barn-puls", "status": "final",
         "subject": child, "code": {"text": "Puls"}, "effectiveDateTime": "2026-01-02",
         "valueQuantity": {"value": 72, "unit": "/min"},
         "note": [{"text": f"Mor bor i {told['line']}, {told['code']} {told['city']}. "
                           f"Ring {told['phone'][3:]}, helst før klokken åtte."}]},
        {"resourceType": "DocumentReference", "id": "vern-barn-brev", "status": "current",
         "subject": child, "content": [{"attachment": {
             "contentType": "application/pdf", "title": "Innkalling", "data": base64.b64encode(
                 f"%PDF-1.4 Til foresatte, {told['line']}".encode()).decode()}}]},
    ]  # fmt: skip


__all__ = ["NEAR_HOME", "PEOPLE", "WORDS", "bundles"]
