"""Problem pages: what happened, what was kept, what to do, in plain words."""

from __future__ import annotations

from typing import Any

from litestar import Request

from helsevev.locale import gettext as _
from helsevev.screens.rendering import render_text


def problem_words(status: int) -> tuple[str, str, str]:
    """Return (what happened, what was kept, what to do) for an HTTP status."""
    nothing_changed = _("Nothing was changed.")
    if status == 404:
        return (
            _("There is nothing at this address."),
            nothing_changed,
            _("Go back, or search for what you need with Ctrl K."),
        )
    if status in (401, 403):
        return (
            _("You do not have access to this."),
            _("Nothing was opened or changed. The attempt is recorded."),
            _("If you have been signed in for long, sign in again. Ask the unit for access."),
        )
    if status == 409 or status == 412:
        return (
            _("Somebody else changed this while you were working on it."),
            _("Their version is kept. What you wrote is on this device."),
            _("Go back, look at their version, and save yours again."),
        )
    if status == 413:
        return (_("This is too large to receive."), nothing_changed, _("Send a smaller file."))
    if status == 429:
        return (
            _("There were too many attempts."),
            nothing_changed,
            _("Wait a minute and try again."),
        )
    if status >= 500:
        return (
            _("Something failed with us."),
            _("What was signed is kept. What you were writing is on this device."),
            _("Try again in a moment. If it happens again, tell the support the code below."),
        )
    return (
        _("The request could not be understood."),
        nothing_changed,
        _("Go back and try again."),
    )


def problem_page(
    request: Request[Any, Any, Any] | None, status: int, incident: str = "", *, why: str = ""
) -> str:
    """Render a problem as a page, or as a fragment for htmx; works when nothing else does.

    `why` is a sentence about this very problem, for the reader.
    """
    what, kept, next_step = problem_words(status)
    partial = request is not None and bool(request.headers.get("hx-request"))
    return render_text(
        "screens/_problem.html" if partial else "screens/problem.html",
        page_title=what,
        what=what,
        kept=f"{why} {kept}".strip(),
        next_step=next_step,
        incident=incident,
    )
