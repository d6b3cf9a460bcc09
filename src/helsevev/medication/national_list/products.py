"""What our messages to the service name: medicines with what they are made of, people, places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from helsevev.fhir.reading import codings, full_name, mapping, objects, text
from helsevev.medication.coding import ATC
from helsevev.medication.national_list.codes import DETAILS, FEST, HER, HPR, SFM

Resource = dict[str, Any]
_PROFILES: Final = {"Medication": "Medication", "Substance": "Substance"}
_SENT: Final = ("extension", "code", "form", "amount", "ingredient", "identifier")


def of(
    resource: Mapping[str, Any],
    name: str,
    new_id: Callable[[str], str],
    catalogue: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, Resource], Resource]:
    """The medicine of a line of ours: entries by `fullUrl`, and the reference to it."""
    inner = {text(each.get("id")): each for each in objects(resource.get("contained"))}
    where = text(mapping(resource.get("medicationReference")).get("reference")).removeprefix("#")
    key = text(resource.get("id")) or name
    if where in inner:
        urls = {place: f"urn:uuid:{new_id(f'{key}#{place}')}" for place in inner}
        made = {urls[place]: _entry(each, urls) for place, each in inner.items()}
        is_mixture = bool(objects(made[urls[where]].get("ingredient")))
        if is_mixture:
            made[urls[where]]["meta"] = {"profile": [f"{SFM}Magistrell-Medication"]}
        return made, _reference(urls[where], name, mixture=is_mixture)
    concept = mapping(resource.get("medicationCodeableConcept"))
    number = next((code for system, code in codings(concept) if system == FEST), "")
    known = catalogue.get(number, {})
    medicine: Resource = {
        "resourceType": "Medication",
        "id": new_id(f"{key}:medicine"),
        "meta": {"profile": [f"{SFM}Medication"]},
        "extension": _details(known, name),
        "code": _code(concept, name),
        "status": "active",
    }
    if number:
        kind = {"use": "official", "type": {"text": "identifier"}, "value": number}
        medicine["identifier"] = [kind]
    if form := known.get("form"):
        medicine["form"] = form
    url = f"urn:uuid:{medicine['id']}"
    return {url: medicine}, _reference(url, name, mixture=False)


def person(practitioner: Mapping[str, Any], new_id: str) -> Resource:
    """Who sends, by HPR number and name: nothing of where they live."""
    numbers = [
        each for each in objects(practitioner.get("identifier")) if each.get("system") == HPR
    ]
    made: Resource = {
        "resourceType": "Practitioner",
        "id": new_id,
        "meta": {"profile": [f"{SFM}Practitioner"]},
        "active": True,
        "name": [{k: v for k, v in each.items() if k != "period"}
                 for each in objects(practitioner.get("name"))[:1]],
    }  # fmt: skip
    if numbers:
        official = {"use": "official", "system": HPR, "value": text(numbers[0].get("value"))}
        made["identifier"] = [official]
    return made


def place(organization: Mapping[str, Any], new_id: str) -> Resource:
    """Where it is sent from, by its numbers and name."""
    made: Resource = {
        "resourceType": "Organization",
        "id": new_id,
        "meta": {"profile": [f"{SFM}Organization"]},
    }
    if numbers := [{"use": "official", "system": text(each.get("system")),
                    "value": text(each.get("value"))}
                   for each in objects(organization.get("identifier"))
                   if text(each.get("system")).startswith("urn:oid:")]:  # fmt: skip
        made["identifier"] = sorted(numbers, key=lambda each: each["system"] != HER)
    if name := text(organization.get("name")):
        made["name"] = name
    return made


def patient(who: Mapping[str, Any], number: Mapping[str, Any]) -> Resource:
    """Whom it is about, as the service asks for it: number, name, sex and birth, no address."""
    made: Resource = {
        "resourceType": "Patient",
        "meta": {"profile": [f"{SFM}Patient"]},
        "identifier": [{"use": "official", "system": number["system"], "value": number["value"]}],
        "active": True,
        "gender": text(who.get("gender")) or "unknown",
    }
    if named := objects(who.get("name"))[:1]:
        family, given = text(named[0].get("family")), named[0].get("given")
        made["name"] = [{"family": family, "given": given}] if family and given else [
            {"text": full_name(named)}]  # fmt: skip
    if born := text(who.get("birthDate")):
        made["birthDate"] = born
    return made


def _entry(inner: Mapping[str, Any], urls: Mapping[str, str]) -> Resource:
    kind = text(inner.get("resourceType"))
    made = {name: _sent_back(inner[name], urls) for name in _SENT if name in inner}
    url = urls[text(inner.get("id"))]
    profile = _PROFILES.get(kind, kind)
    return {
        "resourceType": kind, "id": url.removeprefix("urn:uuid:"),
        "meta": {"profile": [f"{SFM}{profile}"]}, "status": text(inner.get("status")) or "active",
        **made,
    }  # fmt: skip


def _sent_back(value: Any, urls: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_sent_back(each, urls) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("denominator") == {"value": 1}:
        return {"numerator": value.get("numerator")}
    found = {name: _sent_back(each, urls) for name, each in value.items()}
    place = text(value.get("reference")).removeprefix("#")
    return {**found, "reference": urls[place]} if place in urls else found


def _details(known: Mapping[str, Any], name: str) -> list[Resource]:
    """What kind of product it is, and its name: the service refuses a medicine without it."""
    held = objects(known.get("extension"))
    kept = [dict(each) for each in held if each.get("url") != DETAILS]
    inner = [e for each in held if each.get("url") == DETAILS
             for e in objects(each.get("extension")) if e.get("url") != "name"]  # fmt: skip
    return [*kept, {"extension": [*inner, {"url": "name", "valueString": name}], "url": DETAILS}]


def _code(concept: Mapping[str, Any], name: str) -> Resource:
    sent = [
        {"system": text(c.get("system")), "code": text(c.get("code")),
         "display": text(c.get("display")) or name}
        for c in objects(concept.get("coding")) if c.get("system") in (FEST, ATC)
    ]  # fmt: skip
    return {"coding": sent, "text": name} if sent else {"text": name}


def _reference(url: str, name: str, *, mixture: bool) -> Resource:
    kind = "Magistrell-Medication" if mixture else "Medication"
    return {"reference": url, "type": f"{SFM}{kind}", "display": name}
