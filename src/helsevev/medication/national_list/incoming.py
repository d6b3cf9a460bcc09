"""What the national list says, as resources of our record: nothing of it is left behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from helsevev.fhir.reading import codings, concept_text, first, mapping, moment, objects, text
from helsevev.medication.coding import ATC, MULTIDOSE, with_extension
from helsevev.medication.national_list.codes import (
    ADMINISTRATION,
    AMENDMENT,
    DISCONTINUED,
    EFFECTIVE,
    REGISTERED,
    SFM,
    said,
    values,
)
from helsevev.medication.national_list.dosing import read as read_dosing
from helsevev.medication.national_list.message import Line

Resource = dict[str, Any]
_CARE_RECORD_ATC: Final = "http://nhn.no/kj/fhir/CodeSystem/ATC"
_LEFT: Final = frozenset({
    "id", "meta", "text", "subject", "medicationReference", "dosage",
})  # fmt: skip
_KEPT_PLACE: Final = f"{SFM}{EFFECTIVE}"
"""R4 asks an address of each extension; the service gives this one none."""


def statement(line: Line, patient_id: str, people: Mapping[str, Mapping[str, Any]]) -> Resource:
    """A line of the national list as a line of ours (MedicationStatement), with its medicine in it.

    The service's own extensions stay as they are, so that it can be sent back whole. `people` are
    those the message names, by `fullUrl`: outside it they are named by number.
    """
    received = line.statement
    inside = {url: f"m{number}" for number, url in enumerate(line.also, 1)}
    made: Resource = {name: _placed(value, inside, people) for name, value in received.items()
                      if name not in _LEFT}  # fmt: skip
    made["subject"] = {"reference": f"Patient/{patient_id}"}
    reference = text(mapping(received.get("medicationReference")).get("reference"))
    made["contained"] = [
        {**_placed({k: v for k, v in each.items() if k != "meta"}, inside, people),
         "id": inside[url]}
        for url, each in line.also.items()
    ]  # fmt: skip
    for each in made["contained"]:
        if each["id"] == inside.get(reference):
            # A mixture is coded as any mixture; the message names it where it refers to it.
            each["code"] = {"text": line.name, **mapping(each.get("code"))}
    if reference in inside:
        made["medicationReference"] = {"reference": f"#{inside[reference]}", "display": line.name}
    else:
        del made["contained"]
        made["medicationCodeableConcept"] = {"text": line.name}
    dosages, problems = read_dosing(received)
    made["dosage"] = [_placed(each, inside, people) for each in dosages]
    notes = [*problems]
    if line.words and not any(each.get("text") for each in dosages):
        notes.insert(0, line.words)
    if notes:
        made["note"] = [*objects(received.get("note")), *({"text": each} for each in notes)]
    _add_what_lists_show(made, line)
    _name_the_nameless(made)
    return made


def _add_what_lists_show(made: Resource, line: Line) -> None:
    """What lists of ours look for in other places than the service has it."""
    received = line.statement
    if line.reason:
        made["reasonCode"] = [{"text": line.reason}]
    if line.stopped_because and received.get("status") in ("stopped", "completed"):
        made["statusReason"] = [{"text": line.stopped_because}]
    start = said(received, EFFECTIVE) or said(received, AMENDMENT, "reseptdate")
    end = moment(said(received, DISCONTINUED, "timedate"))
    period = {"start": start} if moment(start) else {}
    if end is not None and received.get("status") in ("stopped", "completed"):
        began = moment(start)
        if began is None or began.at <= end.at:
            period["end"] = end.text
    if period:
        made["effectivePeriod"] = period
    registered = first([e for e in objects(received.get("extension"))
                        if e.get("url") == REGISTERED])  # fmt: skip
    if moment(at := said(registered, "timestamp")):
        made["dateAsserted"] = at
    if line.by:
        made["informationSource"] = {"display": line.by}
    if any(each is True for each in values(received, ADMINISTRATION, "mddispensed")):
        made.update(with_extension(made, MULTIDOSE, {"valueBoolean": True}))


def allergy(received: Mapping[str, Any], patient_id: str) -> Resource:
    """An allergy of the national list as one of ours, with its ATC code as ours are coded."""
    made = {name: _placed(value, {}, {}) for name, value in received.items()
            if name not in ("id", "meta", "patient", "recorder", "asserter")}  # fmt: skip
    made["patient"] = {"reference": f"Patient/{patient_id}"}
    if by := text(mapping(received.get("recorder")).get("display")):
        made["recorder"] = {"display": by}
    known = [
        {**each, "system": ATC} for each in objects(mapping(made.get("code")).get("coding"))
        if each.get("system") == _CARE_RECORD_ATC
    ]  # fmt: skip
    if known:
        made["code"] = {**made["code"], "coding": [*made["code"]["coding"], *known]}
    return made


def is_same_allergy(received: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether an allergy of ours is this one: by its number, a code, or what it is called."""
    named = [
        {text(each.get("value")) for each in objects(one.get("identifier"))}
        | {code for _system, code in codings(one.get("code"))}
        | {concept_text(one.get("code")).casefold()}
        for one in (received, ours)
    ]  # fmt: skip
    return bool((named[0] & named[1]) - {""})


def allergy_key(received: Mapping[str, Any]) -> str:
    """What names an allergy of the national list in a form."""
    numbers = [text(each.get("value")) for each in objects(received.get("identifier"))]
    return next((each for each in numbers if each), text(received.get("id")))


def allergy_words(received: Mapping[str, Any]) -> str:
    """An allergy in one line: to what, and what happens."""
    reactions = [concept_text(each) for reaction in objects(received.get("reaction"))
                 for each in objects(reaction.get("manifestation"))]  # fmt: skip
    return ": ".join(filter(None, (concept_text(received.get("code")), ", ".join(reactions))))


def _placed(value: Any, inside: Mapping[str, str], people: Mapping[str, Mapping[str, Any]]) -> Any:
    """The same with references that hold outside the message."""
    if isinstance(value, list):
        return [_placed(each, inside, people) for each in value if not _is_empty(each)]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"numerator"}:
        # R4 asks for both: so much in all of it.
        return {**value, "denominator": {"value": 1}}
    reference = value.get("reference")
    if isinstance(reference, str) and reference.startswith("urn:uuid:"):
        if reference in inside:
            return {"reference": f"#{inside[reference]}",
                    **{k: v for k, v in value.items() if k == "display"}}  # fmt: skip
        kept = {k: v for k, v in value.items() if k not in ("reference", "type")}
        number = first(mapping(people.get(reference)).get("identifier"))
        shown = {k: v for k, v in number.items() if k in ("system", "value")}
        return {**kept, "identifier": shown} if shown else kept or {"display": reference}
    return {name: _placed(each, inside, people) for name, each in value.items()
            if not _is_empty(each)}  # fmt: skip


def _is_empty(value: Any) -> bool:
    """Whether it says nothing: an empty list, or an extension of empty lists."""
    if isinstance(value, Mapping):
        return all(name == "url" or _is_empty(inner) for name, inner in value.items())
    return isinstance(value, list) and all(_is_empty(each) for each in value)


def _name_the_nameless(made: Resource) -> None:
    made["extension"] = [
        {**each, "url": _KEPT_PLACE} if each.get("url") == EFFECTIVE else each
        for each in objects(made.get("extension"))
    ]
    if not made["extension"]:
        del made["extension"]
