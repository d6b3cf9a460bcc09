"""ViewDefinition as if R4 had the type: kept as a Library, sent and shown as what it is.

https://sql-on-fhir.org/ig/latest. The views that come with the program are read here too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from helsevev.access import views
from helsevev.access.errors import AccessError, Gone, Invalid, NotFound
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.views.keeping import TYPE_CODE, TYPE_SYSTEM, VIEW, is_view, library_of, view_of
from helsevev.fhir_api import (
    create,
    delete,
    history_instance,
    read,
    search_type,
    update,
    vread,
)
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.negotiation import FHIR_XML, media_type
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.written import refuse_other_type

_KEPT_AS: Final = "Library"
_WITHIN: Final = (("type", f"{TYPE_SYSTEM}|{TYPE_CODE}"),)
_SEARCHED: Final = {
    **{name: name for name in ("url", "identifier", "version", "name", "title", "status", "date",
                               "publisher", "description", "_id", "_lastUpdated", "_security",
                               "_tag", "_count", "_sort", "_total", "_cursor", "_format")},
    "resource": "topic",
}  # fmt: skip
"""What a search knows, and what the same is called where views are kept."""

Answering = Callable[[Doors, Request], Awaitable[Answer]]


async def answer_read(doors: Doors, request: Request) -> Answer:
    """200 with a view that is kept, or one that comes with the program; 404, 410, 304 as read."""
    if offered := views.offered().get(request.segments[1]):
        request.refuse_parameters()
        return Answer(200, serialization.encode(offered))
    return await _passed(doors, request, read.answer)


async def answer_version(doors: Doors, request: Request) -> Answer:
    """200 with one version of a view; failures as vread."""
    return await _passed(doors, request, vread.answer)


async def answer_history(doors: Doors, request: Request) -> Answer:
    """200 with a history Bundle of a view; failures as the history of any resource."""
    await _kept(doors, request, even_deleted=True)
    return await _passed(doors, request, history_instance.answer)


async def answer_create(doors: Doors, request: Request) -> Answer:
    """201 with the view as it is kept; 400 or 422 for one that could not be run."""
    condition = request.header(b"if-none-exist")
    if condition:
        query = urlencode([*_WITHIN, *_mapped(request, condition)])
        request.headers = {**request.headers, b"if-none-exist": query.encode()}
    return await _sent(doors, request, create.answer)


async def answer_update(doors: Doors, request: Request) -> Answer:
    """200 or 201 as an update of any resource; 409 for the id of what is no view."""
    if request.segments[1] in views.offered():
        raise Problem(409, error("conflict", f"{request.segments[1]} comes with the program."))
    try:
        await _kept(doors, request)
    except Gone:
        pass
    except NotFound:
        if await _is_taken(doors, request):
            text = f"Library/{request.segments[1]} is kept under this id, and is no view."
            raise Problem(409, error("conflict", text)) from None
    return await _sent(doors, request, update.answer)


async def answer_delete(doors: Doors, request: Request) -> Answer:
    """204 as a deletion of any resource; 404 for what is no view."""
    try:
        await _kept(doors, request)
    except Gone:
        pass
    return await _passed(doors, request, delete.answer)


async def answer_search(doors: Doors, request: Request) -> Answer:
    """200 with a searchset of views; the parameters are R4's for a Library, and `resource`."""
    return await _found(doors, request, request.parameters)


async def answer_search_by_post(doors: Doors, request: Request) -> Answer:
    """The same, with parameters in the body as well as in the URL."""
    return await _found(doors, request, await search_type.posted(request))


async def referred_to(doors: Doors, request: Request, reference: str) -> dict[str, Any]:
    """The view that a reference `ViewDefinition/[id]` or a canonical `url|version` names.

    Raises `NotFound`, `Gone` or `Refused`; `Problem` 400 for what is no reference to a view.
    """
    text = reference.removeprefix(f"{request.base}/")
    kind, _, name = text.partition("/_history/")[0].rpartition("/")
    if kind in (VIEW, _KEPT_AS):
        if kind == VIEW and (offered := views.offered().get(name)):
            return offered
        return await _kept(doors, replace(request, segments=(VIEW, name)))
    url, _, version = reference.partition("|")
    if ":" not in url:
        text = f"A view is named as {VIEW}/[id], or by its canonical URL."
        raise bad_request(text, "value", "viewReference")
    pairs = [*_WITHIN, ("url", url), *([("version", version)] if version else [])]
    found = await doors.searcher.match(request.actor, _KEPT_AS, urlencode(pairs))
    if not found:
        raise NotFound(reference[:200])
    if len(found) > 1:
        text = "Several views have this URL: name the version as well."
        raise bad_request(text, "multiple-matches", "viewReference")
    return view_of(found[0].resource)


async def _kept(doors: Doors, request: Request, *, even_deleted: bool = False) -> dict[str, Any]:
    """The view that the path names, as it is kept. Raises `NotFound`, `Gone`, `Refused`."""
    name = request.segments[1]
    try:
        stored = await doors.gate.open_resource(request.actor, _KEPT_AS, name)
    except Gone:
        if even_deleted:
            return {}
        raise
    if not is_view(stored.resource):
        raise NotFound(f"{VIEW}/{name}")
    return view_of(stored.resource)


async def _is_taken(doors: Doors, request: Request) -> bool:
    try:
        await doors.gate.open_resource(request.actor, _KEPT_AS, request.segments[1])
    except AccessError:
        return False
    return True


async def _sent(doors: Doors, request: Request, answering: Answering) -> Answer:
    """Let what was sent be stored; what is wrong with it is told of the view."""
    view = await request.resource()
    refuse_other_type(view, VIEW)
    request.content = library_of(view)
    try:
        return await _passed(doors, request, answering)
    except Invalid as invalid:
        raise Invalid([_of_view(issue) for issue in invalid.issues]) from None


def _of_view(issue: Issue) -> Issue:
    own = "Library."
    if issue.expression.startswith(own):
        return replace(issue, expression=f"{VIEW}.{issue.expression.removeprefix(own)}")
    return issue


async def _passed(doors: Doors, request: Request, answering: Answering) -> Answer:
    """What the interaction answers of the Library, told of the view. Raises `NotFound`."""
    answer = await answering(doors, replace(request, segments=(_KEPT_AS, *request.segments[1:])))
    answer.location = answer.location.replace(f"/{_KEPT_AS}/", f"/{VIEW}/", 1)
    if answer.body:
        told = _told(serialization.decode(answer.body), request)
        answer.body = serialization.encode(told)
    return answer


def _told(resource: dict[str, Any], request: Request) -> dict[str, Any]:
    match resource.get("resourceType"):
        case "Library" if is_view(resource):
            return view_of(resource)
        case "Library":
            raise NotFound("/".join((VIEW, *request.segments[1:])))
        case "Bundle":
            resource["entry"] = [_entry(entry, request) for entry in resource.get("entry", ())]
            for link in resource.get("link", ()):
                link["url"] = link["url"].replace(f"/{_KEPT_AS}", f"/{VIEW}", 1)
                link["url"] = link["url"].replace("topic", "resource")
            if not resource["entry"]:
                del resource["entry"]
    return resource


def _entry(entry: dict[str, Any], request: Request) -> dict[str, Any]:
    if "fullUrl" in entry:
        entry["fullUrl"] = entry["fullUrl"].replace(f"/{_KEPT_AS}/", f"/{VIEW}/")
    if "request" in entry:
        entry["request"]["url"] = entry["request"]["url"].replace(_KEPT_AS, VIEW, 1)
    if "resource" in entry:
        entry["resource"] = _told(entry["resource"], request)
    return entry


async def _found(doors: Doors, request: Request, asked: search_type.Pairs) -> Answer:
    mapped = []
    for name, value in asked:
        stem, colon, modifier = name.partition(":")
        if stem in _SEARCHED:
            mapped.append((f"{_SEARCHED[stem]}{colon}{modifier}", value))
        elif stem not in ("_summary", "_elements", "_pretty") and request.prefer.strict:
            text = f"Views are not searched by {stem[:80]}; by {', '.join(_SEARCHED)}."
            raise bad_request(text, "not-supported", stem[:80])
    answer = await search_type.search(doors, request, _KEPT_AS, mapped, _WITHIN)
    told = _told(serialization.decode(answer.body or b"{}"), request)
    answer.body = serialization.encode(told)
    return answer


def _mapped(request: Request, condition: str) -> list[tuple[str, str]]:
    found = replace(request, query=condition, _parameters=None).parameters
    return [(_SEARCHED.get(name, name), value) for name, value in found]


def _in_json(answering: Answering) -> Answering:
    """The same for those who take JSON; a view has no XML."""

    async def answer(doors: Doors, request: Request) -> Answer:
        accepted = request.headers.get(b"accept", b"")
        if media_type(accepted, request.parameter("_format")) is FHIR_XML:
            raise Problem(406, error("not-supported", f"A {VIEW} is JSON only."))
        return await answering(doors, request)

    return answer


ROUTES: Final[Mapping[str, Mapping[str, Interaction]]] = {
    VIEW: {
        "GET": Interaction("search-type", _in_json(answer_search)),
        "POST": Interaction("create", _in_json(answer_create)),
    },
    f"{VIEW}/_search": {"POST": Interaction("search-type", _in_json(answer_search_by_post))},
    f"{VIEW}/[id]": {
        "GET": Interaction("read", _in_json(answer_read)),
        "PUT": Interaction("update", _in_json(answer_update)),
        "DELETE": Interaction("delete", _in_json(answer_delete)),
    },
    f"{VIEW}/[id]/_history": {"GET": Interaction("history-instance", _in_json(answer_history))},
    f"{VIEW}/[id]/_history/[vid]": {"GET": Interaction("vread", _in_json(answer_version))},
}
