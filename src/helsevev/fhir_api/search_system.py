"""http://hl7.org/fhir/R4/http.html#search: search without a type in the path, but in `_type`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from helsevev.access.searching import SearchPage
from helsevev.access.stored import Stored
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_query import Query
from helsevev.fhir_api import bundle_text
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.bundle_text import INCLUDE, MATCH
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.national_numbers import refuse_in_url
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.search_type import Pairs, links_of, matches_of, posted, search
from helsevev.fhir_api.shaping import shape_of

MOST_TYPES: Final = 12
DEFAULT_COUNT: Final = 50
LARGEST_COUNT: Final = 1000


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset of the types that `_type` names, 400 when it names none."""
    refuse_in_url(request.actor, request.parameters)
    return await _search(doors, request, request.parameters)


async def answer_post(doors: Doors, request: Request) -> Answer:
    """The same, with parameters in the body as well as in the URL."""
    return await _search(doors, request, await posted(request))


async def _search(doors: Doors, request: Request, asked: Pairs) -> Answer:
    named = [part for name, value in asked if name == "_type" for part in value.split(",") if part]
    kinds = list(dict.fromkeys(named))
    if not kinds or not RESOURCE_TYPES.issuperset(kinds):
        text = "A search of the whole record names its types: _type=Observation,Condition."
        raise bad_request(text, "not-supported", "_type")
    rest = [pair for pair in asked if pair[0] != "_type"]
    if len(kinds) > 1:
        return await _several(doors, request, kinds, rest)
    request.segments = (kinds[0],)
    return await search(doors, request, kinds[0], rest)


async def _several(doors: Doors, request: Request, kinds: list[str], asked: Pairs) -> Answer:
    """Type by type, in the order in which they are named; a page may hold the end of one type and
    the beginning of the next. A cursor says at which type it goes on, and where there."""
    if len(kinds) > MOST_TYPES:
        raise bad_request(f"At most {MOST_TYPES} types are searched at once.", "value", "_type")
    if any(name == "_sort" for name, _ in asked):
        text = "Several types have no order in common: leave _sort out, or name one type."
        raise bad_request(text, "not-supported", "_sort")
    begin, _, cursor = dict(asked).get("_cursor", "").partition(":")
    if begin and begin not in kinds:
        raise bad_request("This link to a page was not made for this search.", "value", "_cursor")
    queries = [
        await doors.searcher.read(
            kind,
            [pair for pair in asked if pair[0] != "_cursor"],
            strict=True,  # what one of them does not know is asked of none
            base=request.base,
        )
        for kind in kinds
    ]
    queries = [replace(query, applied=(), ignored=()) for query in queries]
    total = await _total(doors, request, queries)
    page = SearchPage(total, [], [], None)
    if not queries[0].only_count:
        begun = kinds.index(begin) if begin else 0
        page = await _page(doors, request, queries[begun:], cursor or None, total)
    applied = [("_type", ",".join(kinds)), *asked]
    links, warnings = links_of(request, request.base, queries[0], applied, page)
    shape = shape_of(queries[0].summary, queries[0].elements)
    found = [(MATCH, matches_of(queries[0], page)), (INCLUDE, page.included)]
    return Answer(
        200, bundle_text.searchset(request.base, links, page.total, found, shape, warnings)
    )


async def _page(
    doors: Doors, request: Request, queries: list[Query], cursor: str | None, total: int | None
) -> SearchPage:
    left = min(queries[0].count or DEFAULT_COUNT, LARGEST_COUNT)
    matches: list[Stored] = []
    included: dict[str, Stored] = {}
    within: dict[str, tuple[str, ...]] = {}
    following = None
    for n, query in enumerate(queries):
        if left <= 0:
            following = f"{query.resource_type}:"
            break
        asked = replace(query, count=left, cursor=cursor if n == 0 else None, total="none")
        page = await doors.searcher.search(request.actor, asked)
        matches += page.matches
        within |= page.within
        included |= {stored.reference: stored for stored in page.included}
        left -= len(page.matches)
        if page.next_cursor is not None:
            following = f"{query.resource_type}:{page.next_cursor}"
            break
    there = {stored.reference for stored in matches}
    others = [stored for name, stored in included.items() if name not in there]
    return SearchPage(total, matches, others, following, within)


async def _total(doors: Doors, request: Request, queries: list[Query]) -> int | None:
    if not queries[0].only_count and queries[0].total not in ("accurate", "estimate"):
        return None
    counted = [
        await doors.searcher.search(request.actor, replace(query, summary="count"))
        for query in queries
    ]
    return sum(page.total or 0 for page in counted)


INTERACTION: Final = Interaction("search-system", answer)
BY_POST: Final = Interaction("search-system", answer_post)
