"""What apps and their users meet: authorize, token, launch, and the apps that I have let in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from litestar import Request, Response, get, post
from litestar.exceptions import (
    NotFoundException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.actor import Actor
from helsevev.access.apps.authorizing import CONSENT_LASTS, Asked, SentBack, needs_patient
from helsevev.access.apps.door import Apps
from helsevev.access.apps.refusals import NotLetIn
from helsevev.access.apps.tokens import hash_of_session
from helsevev.access.apps.words import wishes
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request, session_in
from helsevev.access.people import Found
from helsevev.access.staff import name_of
from helsevev.kit import web
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_ANYWHERE: Final = {"Access-Control-Allow-Origin": "*"}
_NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LARGEST_FORM: Final = 64 * 1024
_API: Final = {"decision": "token", "limit": "token", "exclude_from_csrf": True}


def _too_often(_: _Request, problem: TooManyRequestsException) -> Response[dict[str, str]]:
    told = NotLetIn("temporarily_unavailable", "You ask too often. Wait, and keep your tokens.")
    headers = {**_ANYWHERE, **_NOT_KEPT, **(problem.headers or {})}
    return Response(told.as_data(), status_code=429, headers=headers)


_TOLD_APPS: Final[dict[int | type[Exception], Any]] = {TooManyRequestsException: _too_often}
_PAGE_NAMES: Final = frozenset({"patient", "choice", "lasts", "answer", "find", "_csrf_token"})


@get(
    ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"],
    opt={"decision": "public"},
)
async def metadata(request: _Request) -> Response[dict[str, Any]]:
    """How apps are let in, as OAuth and OpenID Connect tell it (RFC 8414)."""
    return Response(_apps(request).configuration(), headers=_ANYWHERE)


@get("/auth/keys", opt={"decision": "public"})
async def keys(request: _Request) -> Response[dict[str, Any]]:
    """The keys by which id_tokens are checked."""
    return Response(_apps(request).signing.public(), headers=_ANYWHERE)


@get("/app-style.json", opt={"decision": "public"})
async def style() -> Response[dict[str, str]]:
    """How our screens look, for apps that want to look alike (SMART's smart_style_url)."""
    told = {
        "color_background": "#ffffff", "color_error": "#b3253a", "color_highlight": "#00616e",
        "color_modal_backdrop": "#22303480", "color_success": "#136c3a", "color_text": "#1e2b2f",
        "dim_border_radius": "4px", "dim_font_size": "16px", "dim_spacing_size": "16px",
        "font_family_body": "Inter, system-ui, sans-serif",
        "font_family_heading": "Inter, system-ui, sans-serif",
    }  # fmt: skip
    return Response(told, headers=_ANYWHERE)


@get("/auth/authorize", opt={"decision": "public", "limit": "sign-in"})
async def authorize(request: _Request) -> Response[Any]:
    """Let an app in, at once or by a page that asks (RFC 6749 section 4.1.1)."""
    return await _authorize(request, parse_qsl(request.url.query or "", keep_blank_values=True))


@post("/auth/authorize", opt={"decision": "public", "limit": "sign-in", "exclude_from_csrf": True})
async def authorize_by_post(request: _Request) -> Response[Any]:
    """The same with the request in a form (authorize-post): asked again as an address of ours.

    The browser sends no cookie with another's form, so that nothing is decided here.
    """
    pairs = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in pairs[:50])
    return Redirect(f"/auth/authorize?{query}", status_code=HTTP_303_SEE_OTHER)


@post("/auth/consent", opt={"decision": "signed-in", "limit": "sign-in"})
async def consent(request: _Request) -> Response[Any]:
    """What the user decided on the page that asked."""
    form = [(name, str(value)) for name, value in (await request.form()).multi_items()]
    apps, actor, session = _apps(request), actor_of_request(request), _session(request)
    chosen = dict(form)
    try:
        asked = await apps.authorizing.read([(n, v) for n, v in form if n not in _PAGE_NAMES])
        if chosen.get("answer") != "yes":
            return _to(await apps.authorizing.decline(asked, actor))
        launched = await apps.authorizing.launched(asked, actor, session)
        patient = _own(actor) if actor.kind == "inhabitant" else chosen.get("patient", "")
        if needs_patient(asked, launched) and not patient:
            return await _page(request, asked, actor, chosen)
        granted = asked.allowed
        if actor.kind == "inhabitant":
            picked = {s for name, value in form if name == "choice" for s in value.split()}
            # What opens nothing by itself comes along with what was chosen.
            granted = tuple(s for s in asked.allowed if s in picked or s.startswith("launch"))
        return _to(
            await apps.authorizing.grant(
                asked, actor, session, chosen=granted, patient_id=patient,
                lasts=chosen.get("lasts", "session"),
            )
        )  # fmt: skip
    except SentBack as back:
        return _to(back.address)
    except NotLetIn as refusal:
        return _told(request, refusal)


@post("/auth/token", opt=_API, exception_handlers=_TOLD_APPS)
async def token(request: _Request) -> Response[Any]:
    """Codes, refresh tokens and assertions for access tokens (RFC 6749 section 3.2)."""
    return await _answered(request, lambda apps, form, header: apps.answer(form, header))


@post("/auth/introspect", opt=_API, exception_handlers=_TOLD_APPS)
async def introspect(request: _Request) -> Response[Any]:
    """What a token is for (RFC 7662), for the app that holds it and shows who it is."""

    async def answer(apps: Apps, form: Mapping[str, str], header: str) -> dict[str, Any]:
        client = await apps.client_of(form, header)
        if client.kind == "public":
            raise NotLetIn("unauthorized_client", "Only an app that shows who it is may ask.")
        return await apps.granting.introspect(client, form.get("token", ""))

    return await _answered(request, answer)


@post("/auth/revoke", opt=_API, exception_handlers=_TOLD_APPS)
async def revoke(request: _Request) -> Response[Any]:
    """Take a token back (RFC 7009)."""

    async def answer(apps: Apps, form: Mapping[str, str], header: str) -> dict[str, Any]:
        client = await apps.client_of(form, header)
        await apps.granting.revoke(client, form.get("token", ""))
        return {}

    return await _answered(request, answer)


@get("/patient/{patient_id:str}/apps/{client_id:str}", opt={"decision": "record"})
async def launch(request: _Request, patient_id: str, client_id: str) -> Response[Any]:
    """Open an app for the inhabitant of the chart (EHR launch)."""
    # Only from our own pages: nobody is led into an app, for somebody else, by a link elsewhere.
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise PermissionDeniedException("Apps are opened from the chart.")
    try:
        address = await _apps(request).authorizing.start_launch(
            actor_of_request(request), _session(request), client_id, patient_id
        )
    except NotLetIn as refusal:
        raise NotFoundException(refusal.description) from refusal
    return _to(address)


@get("/my-apps", opt={"decision": "signed-in"})
async def my_apps(request: _Request) -> Response[str]:
    """The apps that I have let in, what each may do, and when it was last used."""
    apps, actor = _apps(request), actor_of_request(request)
    rows = []
    for grant in await apps.tokens.grants_of(actor.id):
        client = await apps.clients.read(grant.client)
        if client is not None:
            told = wishes(grant.context.scopes)
            rows.append({"grant": grant, "app": client.registration, "wishes": told})
    return render(request, "access/my_apps.html", rows=rows)


@post("/my-apps/{grant_id:str}/withdraw", opt={"decision": "signed-in"})
async def withdraw(request: _Request, grant_id: str) -> Response[Any]:
    """Take back what an app may do, at once."""
    if not await _apps(request).granting.withdraw(actor_of_request(request), grant_id):
        raise NotFoundException("There is no such access.")
    return Redirect("/my-apps", status_code=HTTP_303_SEE_OTHER)


async def _authorize(request: _Request, pairs: Sequence[tuple[str, str]]) -> Response[Any]:
    apps = _apps(request)
    try:
        asked = await apps.authorizing.read([(n, v) for n, v in pairs if n not in _PAGE_NAMES])
        actor: Actor | None = request.scope.get("user")
        if actor is None:
            here = quote(f"{request.url.path}?{request.url.query}", safe="")
            is_locked = session_in(request) is not None
            return _to(f"/{'locked' if is_locked else 'sign-in'}?next={here}")
        launched = await apps.authorizing.launched(asked, actor, _session(request))
        # Staff's apps were approved by an administrator; an inhabitant is asked each time.
        if actor.kind == "inhabitant" or needs_patient(asked, launched):
            return await _page(request, asked, actor, dict(pairs))
        address = await apps.authorizing.grant(
            asked, actor, _session(request), chosen=asked.allowed
        )
        return _to(address)
    except SentBack as back:
        return _to(back.address)
    except NotLetIn as refusal:
        return _told(request, refusal)


async def _page(
    request: _Request, asked: Asked, actor: Actor, said: Mapping[str, str]
) -> Response[str]:
    """The page that asks: an inhabitant what the app may do, staff for which patient."""
    is_inhabitant = actor.kind == "inhabitant"
    people, problem = ([], "") if is_inhabitant else await _people(request, said.get("find", ""))
    answer = render(
        request, "access/app_authorize.html", app=asked.client.registration, pairs=asked.pairs,
        wishes=wishes(asked.allowed), is_inhabitant=is_inhabitant, people=people, problem=problem,
        find=said.get("find", ""), durations=list(CONSENT_LASTS),
        is_lasting="offline_access" in asked.allowed,
    )  # fmt: skip
    # The form's answer leads to the app, which the browser has to be told it may.
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(asked.redirect_uri))
    policy = web.CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action 'self' {origin}"
    )
    answer.headers["Content-Security-Policy"] = policy
    return answer


async def _people(request: _Request, text: str) -> tuple[list[dict[str, str]], str]:
    services, actor = request.app.state.services, actor_of_request(request)
    problem, found = "", list[Found]()
    try:
        found = (
            await services.people.find(actor, text) if text else await services.people.mine(actor)
        )
    except Invalid as invalid:
        problem = str(invalid)
    rows = [
        {"id": f.patient_id, "name": name_of(f.resource), "born": f.resource.get("birthDate", "")}
        for f in found
        if f.may_open
    ]
    return sorted(rows, key=lambda row: row["name"])[:100], problem


async def _answered(request: _Request, answer: Any) -> Response[Any]:
    headers = {**_ANYWHERE, **_NOT_KEPT}
    try:
        form = await _form(request)
        told = await answer(_apps(request), form, request.headers.get("authorization", ""))
    except NotLetIn as refusal:
        if refusal.status == 401 and request.headers.get("authorization"):
            headers["WWW-Authenticate"] = 'Basic realm="Helsevev"'
        return Response(refusal.as_data(), status_code=refusal.status, headers=headers)
    return Response(told, status_code=200, headers=headers)


async def _form(request: _Request) -> dict[str, str]:
    """The form of a request by an app, each name once. Raises `NotLetIn`."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or len(body) > _LARGEST_FORM:
        raise NotLetIn("invalid_request", "The body is a form (x-www-form-urlencoded).")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError as problem:
        raise NotLetIn("invalid_request", "The form cannot be read.") from problem
    form = dict(pairs)
    if len(form) != len(pairs):
        raise NotLetIn("invalid_request", "A parameter is there more than once.")
    if any("\0" in value for value in form.values()):
        raise NotLetIn("invalid_request", "The form cannot be read.")
    return form


def _told(request: _Request, refusal: NotLetIn) -> Response[Any]:
    """A page that says what is wrong: nobody can be sent anywhere."""
    return render(
        request, "access/app_refused.html", status_code=400, description=refusal.description
    )


def _to(address: str) -> Redirect:
    return Redirect(
        address, status_code=HTTP_303_SEE_OTHER,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )  # fmt: skip


def _own(actor: Actor) -> str:
    return (actor.patient or "").removeprefix("Patient/")


def _session(request: _Request) -> bytes:
    return hash_of_session(request.scope["auth"])


def _apps(request: _Request) -> Apps:
    apps: Apps = request.app.state.services.apps
    return apps


ROUTES: Final = (
    metadata, keys, style, authorize, authorize_by_post, consent, token, introspect, revoke,
    launch, my_apps, withdraw,
)  # fmt: skip
