"""Options that are not in the form itself: of value sets elsewhere, and entries of the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helsevev.access.expansion import Asked
from helsevev.access.slices import Slice
from helsevev.access.terminology_errors import CannotTell, NotKnown
from helsevev.content.packs.value_sets import ValueSet
from helsevev.documentation.forms.opened import Opened
from helsevev.fhir.questionnaire import Item, Option
from helsevev.fhir.reading import concept_text, full_name, mapping, of_patient, text

_MOST: Final = 300


async def offered_for(opened: Opened) -> dict[str, list[Option]]:
    """The options of every question whose list lies elsewhere, by linkId.

    A list that cannot be had is left out: an open choice still takes words, and the page says of
    any other that it has no options.
    """
    found: dict[str, list[Option]] = {}
    for link, item in opened.prepared.by_link.items():
        if item.value_set and not item.options:
            found[link] = await _of_value_set(opened, item.value_set)
        elif item.type == "reference":
            found[link] = await _of_chart(opened, item)
    return found


async def _of_value_set(opened: Opened, url: str) -> list[Option]:
    address = url.partition("|")[0]
    services = opened.services
    shelf = await services.packs.current(opened.actor)
    own = next((v for v in shelf.all(ValueSet).values() if v.url == address), None)
    wanted = own.resources()[0] if own is not None else address
    try:
        _definition, expansion = await services.terminology.expand(wanted, Asked(count=_MOST))
    except (CannotTell, NotKnown):
        return []
    return [_coded(each) for each in expansion.contains if each.get("code")]


def _coded(member: Mapping[str, Any]) -> Option:
    coding = {key: member[key] for key in ("system", "code", "display") if key in member}
    return Option({"valueCoding": coding}, text(member.get("display")) or text(member.get("code")))


async def _of_chart(opened: Opened, item: Item) -> list[Option]:
    """The patient's own entries of the types that the question takes."""
    kinds = [kind for kind in item.targets if kind not in ("Patient", *_NOT_IN_CHARTS)]
    slices = [Slice(kind, 50) for kind in kinds]
    found: Mapping[str, Sequence[Mapping[str, Any]]] = (
        await opened.services.gate.open_slices(opened.permit, slices, interaction="form")
        if slices
        else {}
    )
    options = [_referring(each) for kind in kinds for each in of_patient(found[kind])]
    if "Patient" in item.targets:
        options.insert(0, _referring(opened.patient))
    if "Practitioner" in item.targets:
        who = {"reference": opened.actor.id, "display": opened.actor.name}
        options.insert(0, Option({"valueReference": who}, opened.actor.name))
    return options


_NOT_IN_CHARTS: Final = (
    "Practitioner", "PractitionerRole", "Organization", "Location", "Device", "Group", "Resource",
)  # fmt: skip


def _referring(resource: Mapping[str, Any]) -> Option:
    kind, name = text(resource.get("resourceType")), text(resource.get("id"))
    label = (
        concept_text(resource.get("code"))
        or concept_text(resource.get("type"))
        or full_name(resource.get("name"))
        or text(mapping(resource.get("medicationCodeableConcept")).get("text"))
        or kind
    )
    return Option({"valueReference": {"reference": f"{kind}/{name}", "display": label}}, label)
