"""What SCIM's requests say and what is answered, without the web: schemas, errors, ETags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    NotFoundException,
    PatchOp,
    Resource,
    ResponseParameters,
    Schema,
    SCIMException,
    SearchRequest,
    ServiceProviderConfig,
)

from helsevev.access.actor import Actor
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.administration.scim.models import (
    MODELS,
    TOLERANT,
    Role,
    Staff,
    resource_types,
)
from helsevev.access.administration.scim.provisioning import Provisioning
from helsevev.access.errors import AccessError, Conflict, NotFound, Refused

PATH: Final = "/scim/v2"
MEDIA: Final = "application/scim+json"
LARGEST: Final = 2_000_000
"""Bytes of a request: a group of 2,000 members fits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the parts of its path after /scim/v2, and what came with it."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes
    if_match: str = ""
    if_none_match: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; `body` None: nothing."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as JSON."""
        return b"" if self.body is None else msgspec.json.encode(self.body)


def refused(status: int, detail: str, scim_type: str | None = None) -> Answer:
    """An error as RFC 7644 section 3.12 has it."""
    told = Error(status=status, detail=detail, scim_type=scim_type)
    return Answer(status, told.model_dump())


async def answer(keeper: StaffKeeper, actor: Actor, asked: Asked, base: str) -> Answer:
    """Carry out a request of a system that is known; never raises for what the system did wrong."""
    try:
        with TOLERANT:
            return await _carried_out(Provisioning(keeper, actor, base), asked, base)
    except ValidationError as problem:
        found = Error.from_validation_errors(problem)
        detail = "; ".join(str(each.detail) for each in found)
        return refused(found[0].status or 400, detail, found[0].scim_type)
    except SCIMException as problem:
        return refused(problem.status, problem.detail, problem.scim_type or None)
    except Refused as problem:
        return refused(403, str(problem))
    except NotFound as problem:
        return refused(404, str(problem))
    except Conflict as problem:
        return refused(412, str(problem))
    except AccessError as problem:
        return refused(400, str(problem), "invalidValue")


async def _carried_out(people: Provisioning, asked: Asked, base: str) -> Answer:
    head, *rest = asked.parts or ("",)
    if asked.parts[-1:] == (".search",) and asked.method == "POST" and len(asked.parts) < 3:
        return await _searched(people, (head,) if head in MODELS else tuple(MODELS), asked)
    if head in MODELS and len(rest) < 2:
        return await (
            _of_one(people, head, rest[0], asked) if rest else _of_all(people, head, asked)
        )
    if asked.method != "GET":
        known = head in (*MODELS, "Schemas", "ResourceTypes", "ServiceProviderConfig")
        return refused(405 if known else 404, f"{asked.method} is not for {PATH}/{head}.")
    if "filter" in asked.query:
        return refused(403, "What the service says of itself cannot be filtered.")
    match head, *rest:
        case "ServiceProviderConfig", *nothing if not nothing:
            return Answer(200, _config(base))
        case (("Schemas" | "ResourceTypes"), *named) if len(named) < 2:
            return _described(head, named[0] if named else "", base)
    raise NotFoundException(detail=f"There is nothing at {PATH}/{'/'.join(asked.parts)[:200]}.")


async def _of_all(people: Provisioning, kind: str, asked: Asked) -> Answer:
    model = MODELS[kind]
    if asked.method == "POST":
        wanted = model.model_validate(_json(asked.body), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
        made = await people.create(kind, wanted)
        return _one(made, 201, Context.RESOURCE_CREATION_RESPONSE)
    if asked.method != "GET":
        return refused(405, f"{asked.method} is not for {PATH}/{kind}.")
    return await _found(people, (kind,), _numbers(asked.query))


async def _searched(people: Provisioning, kinds: tuple[str, ...], asked: Asked) -> Answer:
    """A search by POST (RFC 7644 section 3.4.3), of one type or of both."""
    said = _json(asked.body)
    said.pop("sortBy", None)
    said.pop("sortOrder", None)
    return await _found(people, kinds, said)


async def _found(people: Provisioning, kinds: tuple[str, ...], said: dict[str, Any]) -> Answer:
    total, shown = 0, list[dict[str, Any]]()
    start, most = 1, 200
    for kind in kinds:
        model: Any = MODELS[kind]
        query = SearchRequest[model].model_validate(said, scim_ctx=Context.SEARCH_REQUEST)
        start, most = query.start_index or 1, 200 if query.count is None else query.count
        fitting, page = await people.find(kind, query, max(0, start - 1 - total), most - len(shown))
        total += fitting
        context = Context.RESOURCE_QUERY_RESPONSE
        shown += [each.model_dump(scim_ctx=context, response_parameters=query) for each in page]
    return Answer(200, {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total, "startIndex": start, "itemsPerPage": len(shown),
        "Resources": shown,
    })  # fmt: skip


async def _of_one(people: Provisioning, kind: str, name: str, asked: Asked) -> Answer:
    model = MODELS[kind]
    versions = [each.strip() for each in asked.if_match.split(",") if each.strip()]
    match asked.method:
        case "GET":
            shown = ResponseParameters[model].model_validate(dict(asked.query))  # type: ignore[valid-type]
            found = await people.get(kind, name)
            assert found.meta is not None
            if asked.if_none_match and asked.if_none_match in ("*", found.meta.version):
                return Answer(304, None, {"etag": found.meta.version or ""})
            return _one(found, 200, Context.RESOURCE_QUERY_RESPONSE, shown)
        case "PUT":
            wanted = model.model_validate(
                _json(asked.body), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST
            )
            kept = await people.replace(kind, name, wanted, versions)
            return _one(kept, 200, Context.RESOURCE_REPLACEMENT_RESPONSE)
        case "PATCH":
            change = PatchOp[model].model_validate(  # type: ignore[valid-type]
                _json(asked.body), scim_ctx=Context.RESOURCE_PATCH_REQUEST
            )
            kept = await people.patch(kind, name, change, versions)
            return _one(kept, 200, Context.RESOURCE_PATCH_RESPONSE)
        case "DELETE":
            await people.remove(kind, name, versions)
            return Answer(204)
    return refused(405, f"{asked.method} is not for {PATH}/{kind}/{name[:64]}.")


def _one(
    found: Resource[Any],
    status: int,
    context: Context,
    shown: ResponseParameters[Any] | None = None,
) -> Answer:
    assert found.meta is not None
    headers = {"etag": found.meta.version or "", "location": found.meta.location or ""}
    told = found.model_dump(scim_ctx=context, response_parameters=shown)
    return Answer(status, told, headers)


def _json(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InvalidSyntaxException(
            detail=f"The body is not a JSON object: {problem}"
        ) from problem


def _numbers(query: Mapping[str, str]) -> dict[str, Any]:
    known = ("filter", "startIndex", "count", "attributes", "excludedAttributes", "sortBy",
             "sortOrder")  # fmt: skip
    found: dict[str, Any] = {name: query[name] for name in known if name in query}
    for name in ("attributes", "excludedAttributes"):
        if name in found:
            found[name] = found[name].split(",")
    for name in ("sortBy", "sortOrder"):
        # Not supported, which the service says of itself; it may be passed over.
        found.pop(name, None)
    return found


def _config(base: str) -> dict[str, Any]:
    supported = {"supported": True}
    told = ServiceProviderConfig.model_validate({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": supported,
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": 1000},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": supported,
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "OAuth bearer token",
            "description": "A token of a registered system (SMART Backend Services).",
            "specUri": "https://www.rfc-editor.org/info/rfc6750", "primary": True,
        }],
        "meta": {"resourceType": "ServiceProviderConfig",
                 "location": f"{base}/ServiceProviderConfig"},
    })  # fmt: skip
    return told.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)


def _described(head: str, name: str, base: str) -> Answer:
    found: dict[str, dict[str, Any]] = {}
    models: tuple[Any, ...] = (*MODELS.values(), Staff, Role)
    parts: list[Any] = (
        [model.to_schema() for model in models]
        if head == "Schemas" else list(resource_types())
    )  # fmt: skip
    for part in parts:
        told = part.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
        kind = "Schema" if isinstance(part, Schema) else "ResourceType"
        told["meta"] = {"resourceType": kind, "location": f"{base}/{head}/{part.id}"}
        found[str(part.id)] = told
    if name:
        if name not in found:
            raise NotFoundException(detail=f"There is no {head[:-1]} {name[:100]}.")
        return Answer(200, found[name])
    return Answer(200, {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(found), "startIndex": 1, "itemsPerPage": len(found),
        "Resources": list(found.values()),
    })  # fmt: skip
