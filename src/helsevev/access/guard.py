"""Who is asking, for pages: the signed-in actor of a request, and each route's own decision."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from helsevev.access.actor import Actor
from helsevev.kit.caller import CALLER, caller_of

COOKIE: Final = "helsevev_session"
DECISIONS: Final = frozenset({"public", "signed-in", "record", "token"})
"""What a route may say of itself: open to all; for those signed in; opens records through the gate;
asks for a bearer token itself."""


class NotSignedIn(Exception):
    """The page is for those who are signed in; they are sent to sign in and back again."""


def signed_in_middleware(app: ASGIApp) -> ASGIApp:
    """Puts the actor of the session cookie, or None, in `scope["user"]`."""

    async def with_actor(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            CALLER.set(caller_of(scope, dict(scope["headers"])))
            connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
            token = connection.cookies.get(COOKIE)
            sessions = connection.app.state.services.credentials
            scope["user"] = await sessions.session_actor(token) if token else None
            scope["auth"] = token
        await app(scope, receive, send)

    return with_actor


async def require_decision(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Litestar guard for every route: refuses what nobody decided, and who is not signed in."""
    decision = handler.opt.get("decision")
    if decision not in DECISIONS:
        raise ImproperlyConfiguredException(f"{handler} does not say who may use it")
    if decision in ("signed-in", "record") and connection.scope.get("user") is None:
        raise NotSignedIn


def actor_of_request(request: Request[Any, Any, Any]) -> Actor:
    """The signed-in actor. Raises `NotSignedIn`."""
    actor: Actor | None = request.scope.get("user")
    if actor is None:
        raise NotSignedIn
    return actor
