"""What a page answers when the gate does not open, or the record cannot be asked."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from helsevev.access.errors import (
    AccessError,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    Refused,
)
from helsevev.access.guard import session_in
from helsevev.kit import web
from helsevev.locale import gettext as _
from helsevev.record.connection import DatabaseError, WallRefused
from helsevev.screens.problems import problem_page

_log = logging.getLogger(__name__)
_STATUS: Final[dict[type[Exception], int]] = {
    Refused: 403, NotFound: 404, Gone: 410, PreconditionFailed: 412, Conflict: 409, Invalid: 422,
    AccessError: 422,
}  # fmt: skip


def to_sign_in(request: Request[Any, Any, Any], _problem: Exception) -> Response[Any]:
    """To the way in, or to the lock, and from there back to the page that was asked for."""
    is_locked = session_in(request) is not None
    # A panel that refreshes itself belongs to the page around it; a draft is found by its query.
    wanted = urlsplit(request.headers.get("hx-current-url") or str(request.url))
    back = wanted.path + (f"?{wanted.query}" if wanted.query else "")
    page = f"/{'locked' if is_locked else 'sign-in'}?next={quote(back)}"
    if request.headers.get("hx-request"):
        return Response("", status_code=401, headers={"HX-Redirect": page})
    return Redirect(page, status_code=303)


def tell_access_problem(request: Request[Any, Any, Any], problem: Exception) -> Response[Any]:
    """Why the gate did not open, with the status of HTTP for it."""
    status = next(status for kind, status in _STATUS.items() if isinstance(problem, kind))
    why = _(problem.decision.reason) if isinstance(problem, Refused) else ""
    return web.problem_handlers(partial(problem_page, why=why))[HTTPException](
        request, HTTPException(str(problem), status_code=status)
    )


def tell_database_problem(request: Request[Any, Any, Any], problem: Exception) -> Response[Any]:
    """That the record could not be asked, or not keep what was sent."""
    handlers = web.problem_handlers(problem_page)
    if isinstance(problem, WallRefused):
        # A gate that is wider than the wall is a fault of ours: noted, and nothing was stored.
        _log.error("The wall refused what the gate let through.", exc_info=problem)
        return handlers[HTTPException](request, HTTPException(status_code=403))
    # SQLSTATE class 22: text that PostgreSQL cannot keep, such as a zero byte. Nothing was stored.
    if isinstance(problem, DatabaseError) and problem.sqlstate.startswith("22"):
        return handlers[HTTPException](request, HTTPException(status_code=400))
    return handlers[500](request, problem)
