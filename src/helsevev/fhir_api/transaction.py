"""http://hl7.org/fhir/R4/http.html#transaction: many requests in one Bundle.

A transaction is carried out whole or not at all, by the gate; a batch is its entries, each through
the same interactions as a request of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from helsevev.access.bundle_plan import MOST_ENTRIES, check_shape
from helsevev.fhir import serialization
from helsevev.fhir.bundle import BundleError, Entry, read_entry
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.problem import answer_to, bad_request
from helsevev.fhir_api.request import LARGEST_BUNDLE, Request
from helsevev.fhir_api.written import refuse_other_type

_AT_A_TIME: Final = 8
"""Entries of a batch under way together; FHIR gives them no order."""

_PHRASES: Final = {
    200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified",
    400: "400 Bad Request", 403: "403 Forbidden", 404: "404 Not Found",
    405: "405 Method Not Allowed", 409: "409 Conflict", 410: "410 Gone",
    412: "412 Precondition Failed", 422: "422 Unprocessable Entity",
    500: "500 Internal Server Error", 503: "503 Service Unavailable",
}  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the response Bundle; a transaction that cannot be done tells why."""
    request.refuse_parameters()
    bundle = await request.resource(LARGEST_BUNDLE)
    refuse_other_type(bundle, "Bundle")
    match bundle.get("type"):
        case "transaction":
            response = await _transact(doors, request, bundle)
        case "batch":
            response = await _batch(doors, request, bundle)
        case other:
            text = f"A Bundle of type {str(other)[:40]!r} cannot be posted here."
            raise bad_request(text, "value", "Bundle.type")
    return Answer(200, serialization.encode(response))


async def _transact(doors: Doors, request: Request, bundle: dict[str, Any]) -> dict[str, Any]:
    async def read(entry: Entry) -> dict[str, Any]:
        return await _answer_entry(doors, request, entry)

    # Without a preference the answer is short: a thousand entries need not come back.
    prefers = b"return=" in request.headers.get(b"prefer", b"")
    return await doors.bundles.transact(
        request.actor,
        bundle,
        idempotency_key=request.idempotency_key,
        returning=request.prefer.returning if prefers else "minimal",
        answer=read,
    )


async def _batch(doors: Doors, request: Request, bundle: dict[str, Any]) -> dict[str, Any]:
    given = bundle.get("entry", [])
    if not isinstance(given, list):
        raise bad_request("entry is an array.", "structure", "Bundle.entry")
    if len(given) > MOST_ENTRIES:
        text = f"A Bundle holds {MOST_ENTRIES} entries at most, this one {len(given)}."
        raise bad_request(text, "too-long", "Bundle.entry")
    entries: list[dict[str, Any]] = [{}] * len(given)
    waiting = iter(enumerate(given))

    async def work() -> None:
        for index, item in waiting:
            entries[index] = await _answer_item(doors, request, index, item)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_AT_A_TIME, len(given))):
            group.create_task(work())
    response: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    if entries:
        response["entry"] = entries
    return response


async def _answer_item(doors: Doors, request: Request, index: int, item: Any) -> dict[str, Any]:
    try:
        check_shape({"resourceType": "Bundle", "type": "batch", "entry": [item]})
        entry = read_entry(index, item)
    except BundleError as failure:
        return _entry(answer_to(failure))
    return await _answer_entry(doors, request, entry)


async def _answer_entry(doors: Doors, request: Request, entry: Entry) -> dict[str, Any]:
    asked = _request_of(request, entry)
    try:
        return _entry(await doors.dispatch(asked), asked.base)
    except Exception as failure:  # noqa: BLE001 - one entry's failure is its own
        return _entry(answer_to(failure))


def _request_of(request: Request, entry: Entry) -> Request:
    """The entry as a request of its own, by the same actor, with the same preferences."""
    path, _, query = entry.url.partition("?")
    headers = {b"prefer": request.headers.get(b"prefer", b"return=minimal")}
    for name, value in (
        (b"if-match", entry.if_match),
        (b"if-none-match", entry.if_none_match),
    ):
        if value is not None:
            headers[name] = f'W/"{value}"'.encode("latin-1", "replace")
    if entry.if_none_exist is not None:
        # A header's own alphabet is narrower than a condition's.
        headers[b"if-none-exist"] = entry.if_none_exist.encode()
    segments = tuple(unquote(part) for part in path.split("/"))
    return Request(
        actor=request.actor, method=entry.method, segments=segments, query=query,
        headers=headers, base=request.base, read=_no_body, content=entry.resource,
    )  # fmt: skip


async def _no_body(_limit: int) -> bytes:
    return b""


def _entry(answer: Answer, base: str = "") -> dict[str, Any]:
    response: dict[str, Any] = {"status": _PHRASES.get(answer.status, str(answer.status))}
    if answer.location:
        response["location"] = answer.location.removeprefix(f"{base}/")
    if answer.version is not None:
        response["etag"] = f'W/"{answer.version}"'
    if answer.last_modified is not None:
        response["lastModified"] = answer.last_modified.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if answer.body is None:
        return {"response": response}
    if answer.status >= 400:
        return {"response": {**response, "outcome": msgspec.Raw(answer.body)}}
    return {"resource": msgspec.Raw(answer.body), "response": response}


INTERACTION: Final = Interaction("transaction", answer)
