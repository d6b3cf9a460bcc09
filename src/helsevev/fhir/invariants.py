"""R4's error invariants that records lean on, written by hand.

A rule takes an element (an object) and returns None, or problems with paths below the element.
The keys are R4's own; http://hl7.org/fhir/R4 lists them under each type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from helsevev.fhir.dates import bounds
from helsevev.fhir.primitive_checks import Problem

Rule = Callable[[dict[str, Any]], list[Problem] | None]
Element = dict[str, Any]


def of(structure: str) -> tuple[Rule, ...]:
    """The rules of a type or a backbone path."""
    return _RULES.get(structure, ())


def contained(resource: Element) -> list[Problem] | None:
    """dom-2, dom-4, dom-5: what a contained resource must not have."""
    problems: list[Problem] = []
    if "contained" in resource:
        text = "dom-2: a contained resource contains no others"
        problems.append((".contained", "invariant", text))
    meta = resource.get("meta")
    if type(meta) is dict:
        for name, key in (("versionId", "dom-4"), ("lastUpdated", "dom-4"), ("security", "dom-5")):
            if name in meta:
                text = f"{key}: a contained resource has no meta.{name}"
                problems.append((f".meta.{name}", "invariant", text))
    return problems or None


def contained_unreferenced(resource: Element) -> list[Problem]:
    """dom-3: a contained resource is named by the resource, or names it."""
    items = resource["contained"]
    if type(items) is not list:
        return []
    inside = [set(_local_names(item)) for item in items]
    uses = Counter(_local_names({k: v for k, v in resource.items() if k != "contained"}))
    for names in inside:
        uses.update(names)
    problems: list[Problem] = []
    for index, item in enumerate(items):
        if type(item) is not dict:
            continue
        name = f"#{item.get('id')}"
        used_elsewhere = uses[name] > (name in inside[index])
        if not used_elsewhere and "#" not in inside[index]:
            text = "dom-3: nothing in the resource refers to this contained resource"
            problems.append((f".contained[{index}]", "invariant", text))
    return problems


def _local_names(value: Any) -> Iterator[str]:
    if type(value) is str:
        if value.startswith("#"):
            yield value
    elif type(value) is dict:
        for item in value.values():
            yield from _local_names(item)
    elif type(value) is list:
        for item in value:
            yield from _local_names(item)


def _broken(key: str, text: str, path: str = "") -> list[Problem]:
    return [(path, "invariant", f"{key}: {text}")]


def _has(element: Element, *names: str) -> bool:
    return any(name in element or "_" + name in element for name in names)


def _has_value(element: Element) -> bool:
    return any(name.startswith(("value", "_value")) for name in element)


def _extension(element: Element) -> list[Problem] | None:
    if _has_value(element) == ("extension" in element):
        return _broken("ext-1", "an extension has either a value or extensions")
    return None


def _period(element: Element) -> list[Problem] | None:
    start, end = element.get("start"), element.get("end")
    if type(start) is str and type(end) is str:
        first, last = bounds(start), bounds(end)
        if first and last and first[0] >= last[1]:
            return _broken("per-1", "start lies after end")
    return None


def _quantity(element: Element) -> list[Problem] | None:
    if "code" in element and not _has(element, "system"):
        return _broken("qty-3", "a code of a unit needs its system")
    return None


def _range(element: Element) -> list[Problem] | None:
    low, high = element.get("low"), element.get("high")
    if type(low) is dict and type(high) is dict and low.get("code") == high.get("code"):
        first, last = low.get("value"), high.get("value")
        try:
            wrong = first is not None and last is not None and first > last
        except TypeError:
            return None  # not numbers, which their own checks say
        if wrong:
            return _broken("rng-2", "low lies above high")
    return None


def _ratio(element: Element) -> list[Problem] | None:
    if ("numerator" in element) != ("denominator" in element):
        return _broken("rat-1", "a ratio has both numerator and denominator")
    if "numerator" not in element and "extension" not in element:
        return _broken("rat-1", "a ratio without numerator and denominator needs an extension")
    return None


def _contact_point(element: Element) -> list[Problem] | None:
    if _has(element, "value") and not _has(element, "system"):
        return _broken("cpt-2", "a value needs a system")
    return None


def _attachment(element: Element) -> list[Problem] | None:
    if _has(element, "data") and not _has(element, "contentType"):
        return _broken("att-1", "data needs a contentType")
    return None


def _observation(element: Element) -> list[Problem] | None:
    problems: list[Problem] = []
    valued = _has_value(element)
    if valued and "dataAbsentReason" in element:
        problems += _broken("obs-6", "a value and a reason for its absence exclude each other")
    code, components = element.get("code"), element.get("component")
    if valued and type(components) is list and type(code) is dict and "coding" in code:
        for component in components:
            if type(component) is dict and _same_code(component.get("code"), code):
                problems += _broken("obs-7", "a component has the code and value of the whole")
                break
    return problems or None


def _same_code(one: Any, other: Element) -> bool:
    if type(one) is not dict or "coding" not in one:
        return False
    return _pairs(one) == _pairs(other)


def _pairs(concept: Element) -> list[tuple[Any, Any]]:
    codings = concept["coding"] if type(concept["coding"]) is list else []
    return [(c.get("system"), c.get("code")) for c in codings if type(c) is dict]


def _reference_range(element: Element) -> list[Problem] | None:
    if not _has(element, "low", "high", "text"):
        return _broken("obs-3", "a reference range has low, high or text")
    return None


def _patient_contact(element: Element) -> list[Problem] | None:
    if not _has(element, "name", "telecom", "address", "organization"):
        return _broken("pat-1", "a contact has a name, an address, a way to reach or a firm")
    return None


_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ALLERGY_VERIFIED = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"


def _is(element: Element, name: str, system: str, *codes: str) -> bool:
    concept = element.get(name)
    codings = concept.get("coding") if type(concept) is dict else None
    return type(codings) is list and any(
        type(coding) is dict and coding.get("system") == system and coding.get("code") in codes
        for coding in codings
    )


def _condition(element: Element) -> list[Problem] | None:
    abated = any(name.startswith(("abatement", "_abatement")) for name in element)
    ended = _is(element, "clinicalStatus", _CLINICAL, "inactive", "resolved", "remission")
    if abated and not ended:
        return _broken("con-4", "abated, but clinicalStatus is not inactive or the like")
    if "clinicalStatus" in element and _is(
        element, "verificationStatus", _VERIFIED, "entered-in-error"
    ):
        return _broken("con-5", "entered in error: no clinicalStatus")
    return None


def _allergy(element: Element) -> list[Problem] | None:
    in_error = _is(element, "verificationStatus", _ALLERGY_VERIFIED, "entered-in-error")
    if in_error and "clinicalStatus" in element:
        return _broken("ait-2", "entered in error: no clinicalStatus")
    if not in_error and "clinicalStatus" not in element:
        return _broken("ait-1", "clinicalStatus is needed unless entered in error")
    return None


def _organization(element: Element) -> list[Problem] | None:
    if not _has(element, "identifier", "name"):
        return _broken("org-1", "an organization has a name or an identifier")
    return None


def _bundle(element: Element) -> list[Problem] | None:
    kind, entries = element.get("type"), element.get("entry")
    if kind not in ("transaction", "batch", "history") or type(entries) is not list:
        return None
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        if type(entry) is dict and "request" not in entry:
            text = f"an entry of a {kind} has a request"
            problems += _broken("bdl-3", text, f".entry[{index}]")
    return problems or None


_RULES: dict[str, tuple[Rule, ...]] = {
    "AllergyIntolerance": (_allergy,),
    "Attachment": (_attachment,),
    "Bundle": (_bundle,),
    "Condition": (_condition,),
    "ContactPoint": (_contact_point,),
    "Extension": (_extension,),
    "Observation": (_observation,),
    "Observation.referenceRange": (_reference_range,),
    "Organization": (_organization,),
    "Patient.contact": (_patient_contact,),
    "Period": (_period,),
    "Quantity": (_quantity,),
    "Range": (_range,),
    "Ratio": (_ratio,),
}
