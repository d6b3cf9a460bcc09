"""SCIM's addresses under /scim/v2, for a registered system with its bearer token."""

from __future__ import annotations

from typing import Any, Final

from litestar import HttpMethod, Request, Response, route

from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.services import Services
from helsevev.kit.caller import CALLER, caller_of
from helsevev.record.wall import see_whole

_Request = Request[Any, Any, Any]
_METHODS: Final = [
    HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE,
]  # fmt: skip


@route(
    ["/scim/v2", "/scim/v2/{path:path}"], http_method=_METHODS, status_code=200,
    opt={"decision": "token", "exclude_from_csrf": True},
)  # fmt: skip
async def scim(request: _Request, path: str = "") -> Response[bytes]:
    """Users, groups, and what the service says of itself."""
    # Loaded with the first request: most processes never meet one.
    from helsevev.access.administration.scim import door

    services: Services = request.app.state.services
    headers = request.headers
    kind, _, token = headers.get("authorization", "").partition(" ")
    actor = None
    if kind.lower() == "bearer" and token.strip():
        actor = await services.credentials.token_actor(token.strip())
    body = await request.body()
    if actor is None:
        found = door.refused(401, "Send the bearer token of a registered system.")
        found.headers["www-authenticate"] = 'Bearer realm="scim"'
    elif len(body) > door.LARGEST:
        found = door.refused(413, f"A request has at most {door.LARGEST} bytes.")
    else:
        CALLER.set(caller_of(request.scope, dict(request.scope["headers"])))
        if actor.kind == "system":
            see_whole()
        asked = door.Asked(
            request.method, tuple(p for p in path.split("/") if p), dict(request.query_params),
            body, headers.get("if-match", ""), headers.get("if-none-match", ""),
        )  # fmt: skip
        base = f"{services.apps.address}{door.PATH}"
        keeper = StaffKeeper(services.gate, services.bundles)
        found = await door.answer(keeper, actor, asked, base)
    return Response(
        found.content, status_code=found.status, headers=found.headers, media_type=door.MEDIA
    )


ROUTES: Final = (scim,)
