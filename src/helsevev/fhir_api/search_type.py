"""http://hl7.org/fhir/R4/http.html#search: search one resource type, by GET or POST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from helsevev.access.searching import SearchPage
from helsevev.fhir import search_query
from helsevev.fhir.contained import contained_in
from helsevev.fhir.outcome import Issue
from helsevev.fhir.search_query import Query
from helsevev.fhir_api import audit_events, bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import INCLUDE, MATCH, ContainedEntry
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.national_numbers import names_person, refuse_in_url
from helsevev.fhir_api.negotiation import check_content
from helsevev.fhir_api.request import LONGEST_FORM, Request, parse_parameters
from helsevev.fhir_api.shaping import Shown, shape_of

Pairs = Sequence[tuple[str, str]]
_FORM: Final = frozenset({"application/x-www-form-urlencoded"})


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset of what the actor may see, 400 naming each bad parameter."""
    refuse_in_url(request.actor, request.parameters)
    return await search(doors, request, request.segments[0], request.parameters)


async def answer_post(doors: Doors, request: Request) -> Answer:
    """The same, with parameters in the body as well as in the URL."""
    parameters = await posted(request)
    return await search(doors, request, request.segments[0], parameters)


async def posted(request: Request) -> list[tuple[str, str]]:
    """The parameters of the URL and of the form in the body. Raises `Problem`."""
    refuse_in_url(request.actor, request.parameters)
    check_content(request.headers.get(b"content-type", b""), _FORM)
    body = await request.read(LONGEST_FORM)
    form = parse_parameters(body.decode("latin-1"), LONGEST_FORM)
    return [*request.parameters, *form]


async def search(
    doors: Doors, request: Request, resource_type: str, asked: Pairs, within: Pairs = ()
) -> Answer:
    """A searchset Bundle. The path adds to what is `asked` that one of `within` holds."""
    if resource_type == audit_events.TYPE and audit_events.is_about_the_trail([*within, *asked]):
        return await audit_events.search(doors, request, [*within, *asked])
    only = within if len(within) == 1 else ()
    query = await doors.searcher.read(
        resource_type, [*only, *asked], strict=request.prefer.strict, base=request.base
    )
    if len(within) > 1:
        query = search_query.within_any(query, within)
    page = await doors.searcher.search(request.actor, query)
    path = "/".join((request.base, *(s for s in request.segments if s != "_search")))
    links, warnings = links_of(request, path, query, query.applied[len(only) :], page)
    body = bundle_text.searchset(
        request.base,
        links,
        page.total,
        [(MATCH, matches_of(query, page)), (INCLUDE, page.included)],
        shape_of(query.summary, query.elements),
        warnings,
    )
    return Answer(200, body)


def matches_of(query: Query, page: SearchPage) -> Sequence[Shown]:
    """What is shown as matches: what stands within others by itself, if that is asked for.

    (http://hl7.org/fhir/R4/search.html#contained)
    """
    if query.contained_type != "contained" or not page.within:
        return page.matches
    found: list[Shown] = []
    for stored in page.matches:
        fitting = page.within.get(stored.reference)
        if fitting is None:
            found.append(stored)
            continue
        inner = {each["id"]: each for each in contained_in(stored.resource)}
        found += [ContainedEntry(stored, name, inner[name]) for name in fitting if name in inner]
    return found


def links_of(
    request: Request, path: str, query: Query, applied: Pairs, page: SearchPage
) -> tuple[list[bundle_text.Link], list[Issue]]:
    """Links to this page and the next, and what else to tell."""
    warnings = list(query.ignored)
    hidden = names_person(applied) and request.actor.kind != "system"
    # National numbers do not belong in links either, which clients follow by GET.
    links = [("self", path if hidden else bundle_text.url(path, applied))]
    if page.next_cursor is not None:
        if hidden:
            text = f"There is more: post the same form with _cursor={page.next_cursor}."
            warnings.append(Issue("information", "incomplete", text))
        else:
            following = [pair for pair in applied if pair[0] != "_cursor"]
            following.append(("_cursor", page.next_cursor))
            links.append(("next", bundle_text.url(path, following)))
    return links, warnings


INTERACTION: Final = Interaction("search-type", answer)
BY_POST: Final = Interaction("search-type", answer_post)
