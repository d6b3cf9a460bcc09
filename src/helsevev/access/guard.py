"""Who is asking, for pages: the signed-in actor of a request, and each route's own decision."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import (
    ImproperlyConfiguredException,
    NotFoundException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from helsevev.access.actor import Actor
from helsevev.access.limits import Limits, network_of
from helsevev.access.packs import USED_AT
from helsevev.access.session import Session
from helsevev.kit.caller import CALLER, caller_of
from helsevev.record.wall import behind

DECISIONS: Final = frozenset({"public", "signed-in", "record", "token"})
"""What a route may say of itself: open to all; for those signed in; opens records through the gate;
asks for a bearer token itself."""

_Connection = ASGIConnection[Any, Any, Any, Any]


class NotSignedIn(Exception):
    """The page is for those who are signed in; they are sent to sign in and back again."""


def signed_in_middleware(app: ASGIApp) -> ASGIApp:
    """Puts into the scope who asks: `user` (None: nobody, or locked), and about their session."""

    async def with_actor(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            # No address of ours has control characters; in the log and the record they lie.
            if not scope["path"].isprintable():
                raise NotFoundException
            CALLER.set(caller_of(scope, dict(scope["headers"])))
            connection: _Connection = ASGIConnection(scope)
            door: Any = connection.app.state.door
            credentials = door.services.credentials
            token = door.cookies.session(connection)
            session = await credentials.session(token) if token else None
            if token and session is not None and not session.locked and _is_use(connection):
                await credentials.seen(token, session)
            add_to(scope, token, session)
            if scope["user"] is not None:
                USED_AT.set(scope["user"].organisations)
                seconds = int(credentials.lock_after.total_seconds())
                scope["lock_after"] = seconds  # type: ignore[typeddict-unknown-key]
        with behind():
            await app(scope, receive, send)

    return with_actor


def add_to(scope: Scope, token: str | None, session: Session | None) -> None:
    """What pages read of a session."""
    is_open = session is not None and not session.locked
    found: dict[str, Any] = {
        "user": session.actor if session is not None and is_open else None,
        "auth": token,
        "signed_in": session,
        "units": session.sign_in.roles if session is not None and is_open else (),
    }
    scope.update(found)  # type: ignore[typeddict-item]


def _is_use(connection: _Connection) -> bool:
    """Whether somebody did something: opened a page or sent a form; what a page asks for by itself,
    live streams and panels that refresh, keeps no session awake.
    """
    headers = connection.headers
    if connection.scope.get("method") not in ("GET", "HEAD"):
        return True
    return "hx-request" not in headers and headers.get("sec-fetch-mode", "navigate") == "navigate"


async def require_decision(connection: _Connection, handler: BaseRouteHandler) -> None:
    """Litestar guard for every route: refuses what nobody decided, and who is not signed in."""
    decision = handler.opt.get("decision")
    if decision not in DECISIONS:
        raise ImproperlyConfiguredException(f"{handler} does not say who may use it")
    if decision in ("signed-in", "record") and connection.scope.get("user") is None:
        raise NotSignedIn


async def within_limits(connection: _Connection, handler: BaseRouteHandler) -> None:
    """Litestar guard: counts what a route limits. Raises 429, with when to come again."""
    name = handler.opt.get("limit")
    if name is None:
        return
    limits: Limits = connection.app.state.services.limits
    if seconds := await limits.knock(name, who_knocks(connection)):
        raise TooManyRequestsException(headers={"Retry-After": str(seconds)})


def who_knocks(connection: _Connection) -> str:
    """Whom a knock is counted for: the device when we have signed its name, else the address.

    We name a device when somebody has signed in there, so that who floods from the same address
    cannot shut out those who work behind it.
    """
    device = connection.app.state.door.cookies.device(connection)
    if device:
        return f"device {device}"
    return f"address {network_of(connection.client.host if connection.client else '')}"


def actor_of_request(request: Request[Any, Any, Any]) -> Actor:
    """The signed-in actor. Raises `NotSignedIn`."""
    actor: Actor | None = request.scope.get("user")
    if actor is None:
        raise NotSignedIn
    return actor


def staff_of_request(request: Request[Any, Any, Any]) -> Actor:
    """The signed-in actor, on pages for those who work here: others find no such page."""
    actor = actor_of_request(request)
    if actor.kind != "practitioner":
        raise NotFoundException("There is no such page.")
    return actor


def session_in(request: Request[Any, Any, Any]) -> Session | None:
    """The session that the request is part of, locked or not; None when there is none."""
    scope: Any = request.scope
    found: Session | None = scope.get("signed_in")
    return found


def session_of_request(request: Request[Any, Any, Any]) -> Session:
    """The session, not locked, that the request is part of. Raises `NotSignedIn`."""
    session = session_in(request)
    if session is None or session.locked:
        raise NotSignedIn
    return session
