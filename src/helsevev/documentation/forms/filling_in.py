"""What a form opens with: answers that the record has already, each with the entry it is from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from helsevev.access.errors import AccessError
from helsevev.documentation.forms.given import Given
from helsevev.documentation.forms.opened import Opened
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.questionnaire import Query, populate, queries
from helsevev.fhir.questionnaire.extracting import sources
from helsevev.fhir.reading import concept_text, full_name, text
from helsevev.fhir.search_query import SearchError
from helsevev.kit import clock
from helsevev.locale import gettext as _


async def given_by(opened: Opened) -> Given:
    """Look in the record for what the form asks, by the searches that it names.

    A search that is refused or cannot be made finds nothing: the question stands open.
    """
    now, context = clock.now(), opened.context
    found = {
        query.name: await _found_by(opened, query)
        for query in queries(opened.prepared, context, now)
    }
    response: Mapping[str, Any] = opened.corrects
    if not response:
        response = populate(opened.prepared, context, found, now)
    every = {
        f"{each.get('resourceType')}/{each.get('id')}": each
        for resources in (*found.values(), [opened.patient])
        for each in resources
    }
    names = {source: _name_of(every.get(source, {})) for source in sources(response)}
    return Given(response, names, found)


async def _found_by(opened: Opened, query: Query) -> list[Mapping[str, Any]]:
    kind, _mark, words = query.search.partition("?")
    services, actor = opened.services, opened.actor
    if kind == "Patient":
        return [opened.patient]
    try:
        if not query.type:
            kind, _slash, name = query.search.partition("/")
            return [(await services.gate.open_resource(actor, kind, name)).resource]
        asked = await services.searcher.read(
            kind, _bound(kind, words, opened), strict=True, base=""
        )
        page = await services.searcher.search(actor, asked)
    except (AccessError, SearchError):
        return []
    return [each.resource for each in page.matches]


def _bound(kind: str, words: str, opened: Opened) -> list[tuple[str, str]]:
    """The search, about the patient whose form it is, whatever the form's author wrote."""
    asked = parse_qsl(words)
    if not is_clinical(kind):
        return asked
    patient = f"Patient/{opened.permit.patient_id}"
    return [*((n, v) for n, v in asked if n not in ("patient", "subject")), ("patient", patient)]


def _name_of(resource: Mapping[str, Any]) -> str:
    """What the record calls the entry that an answer was taken from."""
    if text(resource.get("resourceType")) == "Patient":
        return _("personal data")
    return (
        concept_text(resource.get("code"))
        or concept_text(resource.get("medicationCodeableConcept"))
        or concept_text(resource.get("type"))
        or full_name(resource.get("name"))
    )
