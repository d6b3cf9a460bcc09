"""R4's error invariants that records lean on, written by hand.

A rule takes an element (an object) and returns None, or problems with paths below the element.
The keys are R4's own; http://hl7.org/fhir/R4 lists them under each type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
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
    if type(kind) is not str:
        return None
    problems: list[Problem] = []
    if _has(element, "total") and kind not in ("searchset", "history"):
        problems += _broken("bdl-1", f"a {kind} has no total", ".total")
    items = entries if type(entries) is list else []
    for index, entry in enumerate(items):
        if type(entry) is dict:
            problems += _entry(kind, entry, f".entry[{index}]")
    if kind != "history":
        problems += _same_urls(items)
    if kind in ("document", "message"):
        problems += _first(kind, element, items)
    return problems or None


_ASKED = frozenset({"transaction", "batch", "history"})
_ANSWERED = frozenset({"transaction-response", "batch-response", "history"})


def _entry(kind: str, entry: Element, place: str) -> list[Problem]:
    problems: list[Problem] = []
    if "search" in entry and kind != "searchset":
        problems += _broken("bdl-2", f"an entry of a {kind} has no search", f"{place}.search")
    for name, key, kinds in (("request", "bdl-3", _ASKED), ("response", "bdl-4", _ANSWERED)):
        if (name in entry) != (kind in kinds):
            wanted = f"has a {name}" if kind in kinds else f"has no {name}"
            problems += _broken(key, f"an entry of a {kind} {wanted}", place)
    if not _has(entry, "resource", "request", "response"):
        problems += _broken("bdl-5", "an entry has a resource, a request or a response", place)
    if type(url := entry.get("fullUrl")) is str and "/_history/" in url:
        problems += _broken("bdl-8", "a fullUrl names no version", f"{place}.fullUrl")
    return problems


def _same_urls(entries: list[Any]) -> list[Problem]:
    seen: set[tuple[str, Any]] = set()
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if type(entry) is dict else None
        if type(resource) is not dict or type(entry.get("fullUrl")) is not str:
            continue
        meta = resource.get("meta")
        version = meta.get("versionId") if type(meta) is dict else None
        named = (entry["fullUrl"], version if type(version) is str else None)
        if named in seen:
            text = "each fullUrl and version stands once"
            problems += _broken("bdl-7", text, f".entry[{index}].fullUrl")
        seen.add(named)
    return problems


def _first(kind: str, element: Element, entries: list[Any]) -> list[Problem]:
    problems: list[Problem] = []
    first = entries[0].get("resource") if entries and type(entries[0]) is dict else None
    named = first.get("resourceType") if type(first) is dict else None
    if kind == "message":
        if named != "MessageHeader":
            problems += _broken("bdl-12", "a message begins with a MessageHeader", ".entry")
        return problems
    identifier = element.get("identifier")
    if type(identifier) is not dict or not {"system", "value"} <= identifier.keys():
        text = "a document has an identifier with system and value"
        problems += _broken("bdl-9", text, ".identifier")
    if "timestamp" not in element:
        problems += _broken("bdl-10", "a document has a timestamp", ".timestamp")
    if named != "Composition":
        problems += _broken("bdl-11", "a document begins with a Composition", ".entry")
    return problems


def _timing(element: Element) -> list[Problem] | None:
    problems: list[Problem] = []
    for name, key, needed in _TIMED:
        if _has(element, name) and not _has(element, needed):
            problems += _broken(key, f"{name} needs {needed}", f".{needed}")
    for name, key in (("duration", "tim-4"), ("period", "tim-5")):
        value = element.get(name)
        if isinstance(value, (int, Decimal)) and value < 0:
            problems += _broken(key, f"{name} is not below 0", f".{name}")
    when = element.get("when")
    if _has(element, "offset") and (
        not _has(element, "when") or (type(when) is list and not _MEALS.isdisjoint(map(str, when)))
    ):
        problems += _broken("tim-9", "an offset is from an event that is no meal", ".offset")
    if _has(element, "timeOfDay") and _has(element, "when"):
        problems += _broken("tim-10", "timeOfDay and when exclude each other", ".timeOfDay")
    return problems or None


_TIMED = (
    ("duration", "tim-1", "durationUnit"), ("period", "tim-2", "periodUnit"),
    ("periodMax", "tim-6", "period"), ("durationMax", "tim-7", "duration"),
    ("countMax", "tim-8", "count"),
)  # fmt: skip
_MEALS = frozenset({"C", "CM", "CD", "CV"})


def _enable_when(element: Element) -> list[Problem] | None:
    # R4's expression asks for FHIRPath's Boolean, which no answer of a form is.
    if element.get("operator") == "exists" and not _has(element, "answerBoolean"):
        return _broken("que-7", "the operator exists needs answerBoolean", ".answer")
    return None


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
    "Questionnaire.item.enableWhen": (_enable_when,),
    "Range": (_range,),
    "Ratio": (_ratio,),
    "Timing.repeat": (_timing,),
}
