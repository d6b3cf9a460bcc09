"""What an answered form says besides: Observations, and resources by definition or template.

https://hl7.org/fhir/uv/sdc/extraction.html. An answer that was taken from the record and left as
it was is not written again: what it was taken from is referred to instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from helsevev.fhir.questionnaire import definition_extraction, origins, template_extraction
from helsevev.fhir.questionnaire.answering import unit_of
from helsevev.fhir.questionnaire.comparing import value_of
from helsevev.fhir.questionnaire.extensions import every, first
from helsevev.fhir.questionnaire.extensions import value_of as extension_value
from helsevev.fhir.questionnaire.filling import Working
from helsevev.fhir.questionnaire.places import Answer, Place
from helsevev.fhir.questionnaire.structure import Band, Prepared

_CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATIONS: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_SEVERITIES: Final = {"none": "N", "low": "A", "medium": "A", "high": "AA"}
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_WEIGHT: Final = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
_RELATIONS: Final = frozenset({"component", "member", "derived", "independent"})


class Extracted(NamedTuple):
    """One resource, and its address in the transaction that creates it (urn:uuid)."""

    address: str
    resource: dict[str, Any]


def extract(
    prepared: Prepared,
    response: Mapping[str, Any],
    *,
    subject: str,
    author: Mapping[str, Any],
    at: datetime,
    encounter: str | None = None,
    url: str = "",
    context: Mapping[str, Any] | None = None,
) -> list[Extracted]:
    """The resources that follow from a filled form, each under an address of its own.

    `subject` and `encounter` are "Type/id", `author` a Reference, `url` the response's own
    address: from it the same addresses come every time. `response` is as `fill` gave it.
    """
    working = Working(prepared, response, context or {}, at)
    working.enable_only()
    made = _Extraction(working, url or prepared.url, {
        "subject": {"reference": subject},
        **({"encounter": {"reference": encounter}} if encounter else {}),
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "issued": at.isoformat(timespec="seconds"),
        "performer": [dict(author)],
        **({"derivedFrom": [{"reference": url}]} if url else {}),
    })  # fmt: skip
    return [
        *made.observations(),
        *(Extracted(*each) for each in definition_extraction.resources(working, made.address)),
        *(Extracted(*each) for each in template_extraction.resources(working, made.address)),
    ]


@dataclass(slots=True)
class _Made:
    """An Observation while it is put together; `reused` is one of the record in its place."""

    address: str
    resource: dict[str, Any]
    reused: bool = False
    parts: int = 0


@dataclass(slots=True)
class _Extraction:
    working: Working
    url: str
    shared: Mapping[str, Any]
    made: list[_Made] = field(default_factory=list)
    by_link: dict[str, list[_Made]] = field(default_factory=dict)

    def address(self, place: str) -> str:
        """The address in the transaction of what comes of a place."""
        name = self.url.removeprefix("urn:uuid:")
        try:
            space = UUID(name)
        except ValueError:
            space = uuid5(NAMESPACE_URL, name)
        return f"urn:uuid:{uuid5(space, place)}"

    def observations(self) -> list[Extracted]:
        """By the codes of items (observation-based), and sums with their parts."""
        whole = _relation(self.working.prepared.questionnaire)
        for root in self.working.layout.roots:
            self._walk(root, None, whole)
        self._sums()
        return [
            Extracted(each.address, each.resource)
            for each in self.made
            if not each.reused and (_has_value(each.resource) or each.parts)
        ]

    def _walk(self, place: Place, above: _Made | None, whole: str) -> None:
        if not place.enabled:
            return
        item = place.item
        relation = _relation(item.raw) or (whole if item.codes else "")
        mine = above
        if relation and item.codes and item.type == "group":
            mine = self._begun(place, "")
            self.made.append(mine)
        elif relation and item.codes and item.asks:
            for index, answer in enumerate(place.answers):
                found = self._answered(place, index, answer, relation, above)
                mine = found or mine
        for each in place.places:
            self._walk(each, mine, whole)

    def _answered(
        self, place: Place, index: int, answer: Answer, relation: str, above: _Made | None
    ) -> _Made | None:
        value = _with_unit(observed(answer), place)
        if first(place.item.raw, "storePoints") is True:
            value = _as_points(self.working.points_of(answer))
        if not value:
            return None
        if relation == "component" and above is not None:
            component = {"code": _concept(place), **value}
            above.resource.setdefault("component", []).append(component)
            above.parts += 1
            return None
        made = self._reused(answer) or self._begun(place, f"#{index}")
        if not made.reused:
            made.resource.update(value)
        self.made.append(made)
        self.by_link.setdefault(place.item.link_id, []).append(made)
        if relation == "member" and above is not None:
            above.resource.setdefault("hasMember", []).append({"reference": made.address})
            above.parts += 1
        if relation == "derived" and above is not None and not made.reused:
            _add_source(made, above.address)
        return made

    def _reused(self, answer: Answer) -> _Made | None:
        origin = origins.of(answer)
        if origin is None or origin.kind != "populated":
            return None
        if not origin.source.startswith("Observation/"):
            return None
        return _Made(origin.source, {}, reused=True)

    def _begun(self, place: Place, suffix: str) -> _Made:
        item = place.item
        category = first(item.raw, "observationExtractCategory") or {
            "coding": [{"system": _CATEGORIES, "code": "survey"}]
        }
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "category": [category],
            "code": _concept(place),
            **self.shared,
        }
        if "derivedFrom" in resource:
            resource["derivedFrom"] = [*resource["derivedFrom"]]
        return _Made(self.address(f"Observation:{place.key}{suffix}"), resource)

    def _sums(self) -> None:
        """A sum has the answers it was made of as its parts, and what they were measured from."""
        for place in self.working.layout.all:
            links = [extension_value(each) for each in every(place.item.raw, "parts")]
            sums = self.by_link.get(place.item.link_id)
            if not links or not sums:
                continue
            made = sums[0]
            for link in links:
                for part in self.working.layout.by_link.get(str(link), ()):
                    self._part(made, part)
            value = made.resource.get("valueQuantity", {}).get("value")
            if value is not None:
                made.resource.update(_interpreted(place.item.bands, value))

    def _part(self, made: _Made, place: Place) -> None:
        if not place.enabled:
            return
        for answer in place.answers:
            value = _with_unit(observed(answer, self.working.points_of(answer)), place)
            if value:
                component = {"code": _concept(place), **value}
                made.resource.setdefault("component", []).append(component)
        measured = self.by_link.get(place.item.link_id.removesuffix("_points"), ())
        for each in measured:
            if each is not made:
                _add_source(made, each.address)


def _add_source(made: _Made, address: str) -> None:
    sources = made.resource.setdefault("derivedFrom", [])
    if {"reference": address} not in sources:
        sources.append({"reference": address})


def _relation(element: Mapping[str, Any]) -> str:
    """How an element is extracted: independent, component, member or derived; "" when it is not."""
    said = first(element, "observationExtract")
    for code in element.get("code", ()) if said is None else ():
        said = first(code, "observationExtract") if type(code) is dict else None
        if said is not None:
            break
    if said is True:
        return "independent"
    return said if said in _RELATIONS else ""


def _concept(place: Place) -> dict[str, Any]:
    text = place.item.look.short or place.item.text
    coding = [
        {key: value for key, value in code.items() if key != "extension"}
        for code in place.item.codes
    ]
    return {**({"coding": coding} if coding else {}), **({"text": text} if text else {})}


def _with_unit(value: dict[str, Any], place: Place) -> dict[str, Any]:
    """A number in the unit that its question asks for."""
    number = value.get("valueInteger", value.get("valueQuantity", {}).get("value"))
    unit = unit_of(place.item)
    if number is None or not unit or place.item.type == "quantity":
        return value
    return {"valueQuantity": {"value": number, **unit}}


def observed(answer: Answer, points: Any = None) -> dict[str, Any]:
    """An answer as the value of an Observation; empty when it can be none (a file, a reference).

    `points` are kept beside a chosen code as R4's ordinalValue.
    """
    value = value_of(answer)
    key = next((key for key in answer if key.startswith("value")), "")
    if key == "valueCoding":
        coding = {name: each for name, each in value.items() if name != "extension"}
        if points is not None:
            coding["extension"] = [{"url": _WEIGHT, "valueDecimal": points}]
        text = {"text": value["display"]} if value.get("display") else {}
        return {"valueCodeableConcept": {"coding": [coding], **text}}
    if key == "valueDecimal":
        return {"valueQuantity": {"value": value}}
    if key == "valueDate":
        return {"valueDateTime": value}
    if key == "valueUri":
        return {"valueString": value}
    known = ("valueQuantity", "valueInteger", "valueBoolean", "valueString", "valueDateTime",
             "valueTime")  # fmt: skip
    return {key: value} if key in known else {}


def _interpreted(bands: tuple[Band, ...], value: Any) -> dict[str, Any]:
    band = next((each for each in bands if each.holds(value)), None)
    if band is None:
        return {}
    coding = {"system": _INTERPRETATIONS, "code": _SEVERITIES.get(band.severity, "N")}
    return {"interpretation": [{"coding": [coding], "text": band.label}]}


def _as_points(points: Any) -> dict[str, Any]:
    """A chosen answer by its points alone; one that gives none says that it does not apply."""
    if points is not None:
        return {"valueInteger": int(points)}
    coding = {"system": _ABSENT, "code": "not-applicable"}
    return {"dataAbsentReason": {"coding": [coding]}}


def _has_value(resource: Mapping[str, Any]) -> bool:
    return any(key.startswith(("value", "dataAbsent")) for key in resource)


def sources(response: Mapping[str, Any]) -> Iterator[str]:
    """What of the record the answers of a response were taken from, as "Type/id"."""
    for item in response.get("item", ()):
        yield from sources(item)
        for answer in item.get("answer", ()):
            origin = origins.of(answer)
            if origin is not None and origin.kind == "populated" and origin.source:
                yield origin.source
            yield from sources(answer)
