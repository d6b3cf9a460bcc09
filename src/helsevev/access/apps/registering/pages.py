"""The register of apps as pages: who is in it, one app's registration, suspending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.apps.clients import Clients
from helsevev.access.apps.registering.form import asked_of, filled
from helsevev.access.apps.registration import KINDS
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]


@get("/apps", opt={"decision": "record"})
async def every(request: _Request) -> Response[str]:
    """All that are registered."""
    clients = await _clients(request).every(actor_of_request(request))
    return render(request, "access/apps.html", clients=clients, part="apps", place="apps")


@get("/apps/new", opt={"decision": "record"})
async def new(request: _Request) -> Response[str]:
    """A form for a new app."""
    await _clients(request).decide(actor_of_request(request))
    return _form(request, {})


@post("/apps", opt={"decision": "record", "limit": "register"})
async def register(request: _Request) -> Response[Any]:
    """Register what the form says; a secret is shown this once."""
    await _clients(request).decide(actor_of_request(request))
    said = await _said(request)
    try:
        client, secret = await _clients(request).register(actor_of_request(request), asked_of(said))
    except Invalid as problem:
        return _form(request, said, problem)
    if secret:
        return render(request, "access/app_secret.html", client=client, secret=secret, place="apps")
    return Redirect(f"/apps/{client.id}", status_code=HTTP_303_SEE_OTHER)


@get("/apps/{client_id:str}", opt={"decision": "record"})
async def one(request: _Request, client_id: str) -> Response[str]:
    """One app's registration, to be changed."""
    await _clients(request).decide(actor_of_request(request))
    client = await _clients(request).read(client_id)
    if client is None:
        raise NotFoundException("There is no such app.")
    return _form(request, filled(client.registration), client=client)


@post("/apps/{client_id:str}", opt={"decision": "record", "limit": "register"})
async def change(request: _Request, client_id: str) -> Response[Any]:
    """Change the registration, suspend the app, or let it in again."""
    actor, clients = actor_of_request(request), _clients(request)
    await clients.decide(actor)
    said = await _said(request)
    if said.get("act") == "suspend":
        await clients.suspend(actor, client_id)
    elif said.get("act") == "activate":
        await clients.activate(actor, client_id)
    else:
        client = await clients.read(client_id)
        if client is None:
            raise NotFoundException("There is no such app.")
        try:
            await clients.change(actor, client_id, asked_of({**said, "kind": client.kind}))
        except Invalid as problem:
            return _form(request, said, problem, client=client)
    return Redirect(f"/apps/{client_id}", status_code=HTTP_303_SEE_OTHER)


def _form(
    request: _Request, said: Mapping[str, str], problem: Invalid | None = None, client: Any = None
) -> Response[str]:
    errors: dict[str, str] = {}
    for issue in problem.issues if problem else ():
        # Keys are one field, whichever way they are given.
        field = "keys" if issue.expression.startswith("jwks") else issue.expression
        errors.setdefault(field, _(issue.diagnostics))
    return render(
        request, "access/app.html", said=said, errors=errors, client=client, kinds=KINDS,
        part="apps", place="apps", status_code=422 if errors else 200,
    )  # fmt: skip


async def _said(request: _Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}


def _clients(request: _Request) -> Clients:
    clients: Clients = request.app.state.services.apps.clients
    return clients


ROUTES: Final = (every, new, register, one, change)
