"""The FHIR API as one raw ASGI application: who asks, what is asked, bytes in, bytes out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.compartment import Compartments
from helsevev.access.conditional import Conditionals
from helsevev.access.services import Services
from helsevev.access.walled import behind, see_whole
from helsevev.fhir import serialization
from helsevev.fhir.outcome import error
from helsevev.fhir.xml.writing import to_xml
from helsevev.fhir_api import app_scopes, cross_origin, pretty, throttling
from helsevev.fhir_api.answer import Answer, Header
from helsevev.fhir_api.body import body_reader
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.negotiation import FHIR_JSON, FHIR_XML, media_type
from helsevev.fhir_api.problem import Problem, answer_to
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.routing import ROUTES, find
from helsevev.fhir_api.streaming import answers_in_own_format, asks_for_events, send_pieces
from helsevev.kit.caller import CALLER, Caller, caller_of
from helsevev.kit.web import HTTPS_ONLY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX: Final = "/fhir"
LARGEST_HEADERS: Final = 32 * 1024
LONGEST_PATH: Final = 2048
_HOST: Final = re.compile(r"[A-Za-z0-9.\-_\[\]:]{1,255}")
_ALWAYS: Final[list[Header]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_PRIVATE: Final = (b"cache-control", b"private, no-cache")


class FhirApi:
    """Answers FHIR requests, by bearer token only: cookies open nothing here.

    Answers name resources below `base`; without one, below the host that the request names.
    """

    def __init__(
        self, services: Services, *, deletes_several: bool = False, base: str = ""
    ) -> None:
        self._own_base = base
        self._credentials = services.credentials
        self._limits = services.limits
        self._doors = Doors(
            services=services,
            gate=services.gate,
            writer=services.writer,
            bundles=services.bundles,
            searcher=services.searcher,
            history=services.history,
            conditionals=Conditionals(services.writer, services.searcher),
            compartments=Compartments(services.gate),
            dispatch=self.dispatch,
            routes=ROUTES,
            deletes_several=deletes_several,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await send(
                {"type": "http.response.start", "status": 204, "headers": cross_origin.PREFLIGHT}
            )
            await send({"type": "http.response.body", "body": b""})
            return
        caller = caller_of(scope, headers)
        CALLER.set(caller)
        with behind():
            await self._serve(scope, headers, caller, receive, send)

    async def _serve(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        caller: Caller,
        receive: Receive,
        send: Send,
    ) -> None:
        content_type = FHIR_JSON
        try:
            query = scope.get("query_string", b"").decode("latin-1")
            _check_lengths(scope, headers)
            asked = pretty.asked_format(query) if query else None
            accept = headers.get(b"accept", b"")
            if not answers_in_own_format(scope["path"]):
                content_type = media_type(b"" if asks_for_events(accept) else accept, asked)
            answer = await self._answer(scope, headers, query, receive)
            if query and answer.body is not None and pretty.is_asked(query):
                answer.body = pretty.indented(answer.body)
        except Exception as failure:  # noqa: BLE001 - the client is told, the log has the rest
            answer = answer_to(failure)
            if throttling.is_costly(failure):
                await throttling.count(self._limits, await self._actor(headers))
        has_own_type = any(name == b"content-type" for name, _ in answer.extra)
        if content_type is FHIR_XML and answer.body and not has_own_type:
            answer.body = to_xml(serialization.decode_kept(answer.body))
        told = self._told(answer, caller.number, content_type)
        if scope.get("scheme") == "https":
            told.append(HTTPS_ONLY)
        if b"origin" in headers:
            told += cross_origin.ALLOWED
        body = answer.body or b""
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        if answer.stream is not None:
            await send_pieces(answer.stream, receive, send)
            return
        sent = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})

    async def dispatch(self, request: Request) -> Answer:
        """Answer a request whose actor is known: an entry of a Bundle."""
        if not request.segments or request.segments == ("",):
            raise Problem(400, error("not-supported", "A Bundle in a Bundle is not carried out."))
        interaction = find(request.method, request.segments)
        app_scopes.refuse_outside(interaction, request)
        answer = await interaction.answer(self._doors, request)
        if answer.stream is not None:
            await answer.stream.aclose()
            text = "This answer comes in pieces, which no Bundle holds: ask for it by itself."
            raise Problem(400, error("too-costly", text))
        return answer

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], query: str, receive: Receive
    ) -> Answer:
        segments = _segments(scope["path"])
        interaction = find(scope["method"], segments)
        actor = await self._actor(headers)
        if actor is None:
            if not interaction.public:
                told = headers.get(b"authorization", b"") != b""
                await throttling.refuse_stranger(self._doors.gate, self._limits, has_token=told)
            actor = _NOBODY
        request = Request(
            actor, scope["method"], segments, query, headers,
            self._own_base or _base(scope, headers),
            body_reader(headers, receive),
        )  # fmt: skip
        app_scopes.refuse_outside(interaction, request)
        throttling.refuse_waiting(self._limits, interaction, actor)
        return await interaction.answer(self._doors, request)

    async def _actor(self, headers: dict[bytes, bytes]) -> Actor | None:
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not token or len(token) > 512:
            return None
        actor = await self._credentials.token_actor(token.decode("latin-1").strip())
        if actor is not None and actor.kind == "system":
            see_whole()
        return actor

    def _told(self, answer: Answer, number: str, content_type: bytes) -> list[Header]:
        told = [(b"x-request-id", number.encode()), *_ALWAYS, *answer.headers()]
        if not any(name == b"cache-control" for name, _ in answer.extra):
            told.append(_PRIVATE)
        if answer.body is not None and not any(name == b"content-type" for name, _ in told):
            told.append((b"content-type", content_type))
        if answer.status not in (204, 304) and answer.stream is None:
            told.append((b"content-length", b"%d" % len(answer.body or b"")))
        return told


_NOBODY: Final = Actor(kind="inhabitant", id="", name="", profession="", role="")


def _check_lengths(scope: Scope, headers: dict[bytes, bytes]) -> None:
    if len(scope["path"]) > LONGEST_PATH:
        raise Problem(414, error("too-long", f"The path is longer than {LONGEST_PATH}."))
    if sum(len(name) + len(value) for name, value in headers.items()) > LARGEST_HEADERS:
        raise Problem(431, error("too-long", f"The headers are larger than {LARGEST_HEADERS}."))


def _segments(path: str) -> tuple[str, ...]:
    if path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in ("", "/"):
        path = path[len(PREFIX) :]
    path = path.strip("/")
    return tuple(path.split("/")) if path else ()


def _base(scope: Scope, headers: dict[bytes, bytes]) -> str:
    host = headers.get(b"host", b"").decode("latin-1")
    if not _HOST.fullmatch(host):
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    return f"{scope.get('scheme', 'http')}://{host}{PREFIX}"
