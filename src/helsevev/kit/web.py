"""Web glue that knows no health: security headers on every answer, and problems told plainly."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Message, Scope

log = logging.getLogger("helsevev.web")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "manifest-src 'self'",
    )
)

WITH_WASM: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY.replace(
        "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"
    )
}
"""The policy of a page whose scripts, all of them ours, may compile WebAssembly."""

_ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(self), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    (b"cache-control", b"no-store"),
)
# What Litestar says when a browser gave up its own request; nobody hears the answer.
_GONE = "client disconnected prematurely"
HTTPS_ONLY = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")

ProblemPage = Callable[[Request[Any, Any, Any], int, str], str]
"""(request, status, incident) -> HTML; `incident` is "" or the word that finds the log line."""

ExceptionHandler = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


def secure_headers(present: Iterable[bytes], *, https: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers an answer lacks; what a handler set itself stays (e.g. its caching)."""
    names = {name.lower() for name in present}
    wanted = (*_ALWAYS, HTTPS_ONLY) if https else _ALWAYS
    return [header for header in wanted if header[0] not in names]


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Complete an answer's headers: give it to Litestar as `before_send`."""
    if message["type"] != "http.response.start":
        return
    headers = list(message.get("headers", ()))
    https = scope.get("scheme") in ("https", "wss")
    headers += secure_headers((name for name, _ in headers), https=https)
    message["headers"] = headers


def problem_handlers(page: ProblemPage) -> dict[int | type[Exception], ExceptionHandler]:
    """Return Litestar exception handlers that answer with `page`, never with a stack trace.

    A request by htmx gets its problem swapped in above what was there, which therefore stays.
    """

    def answer(request: Request[Any, Any, Any], status: int, incident: str = "") -> Response[str]:
        headers = {"Cache-Control": "no-store"}
        if request.headers.get("hx-request"):
            headers["HX-Reswap"] = "afterbegin"
        return Response(
            page(request, status, incident),
            status_code=status,
            media_type="text/html",
            headers=headers,
        )

    def tell_refusal(request: Request[Any, Any, Any], problem: Exception) -> Response[str]:
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        if status < 500:
            response = answer(request, status)
            if isinstance(problem, HTTPException) and problem.headers:
                response.headers.update(problem.headers)
            return response
        return tell_failure(request, problem)

    def tell_failure(request: Request[Any, Any, Any], problem: Exception) -> Response[str]:
        if isinstance(problem, HTTPException) and problem.detail == _GONE:
            return Response("", status_code=HTTPStatus.BAD_REQUEST)
        incident = secrets.token_hex(4)
        log.error(
            "incident %s: %s %s", incident, request.method, request.url.path, exc_info=problem
        )
        return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, incident)

    return {HTTPException: tell_refusal, HTTPStatus.INTERNAL_SERVER_ERROR.value: tell_failure}
