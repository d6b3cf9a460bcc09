"""The page of a form that is filled in or corrected, and what comes back from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response

from helsevev.documentation.forms.opened import Opened
from helsevev.documentation.forms.sheet import Sheet
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.screens.rendering import render, render_text

_Request = Request[Any, Any, Any]
PREFIX: Final = "a:"
"""What stands before the names of a form's own inputs: a linkId may be any word."""
_MOST_INPUTS: Final = 6_000


def shown_sheet(
    request: _Request,
    opened: Opened,
    sheet: Sheet,
    issues: Sequence[Issue] = (),
    *,
    task: str = "",
    action: str = "",
    corrects: str = "",
    version: str = "",
    reason: str = "",
) -> Response[Any]:
    """The form's page; `issues` are why it was not signed.

    `action` is where it is signed, else the form's own address; `corrects` is the id of the signed
    form that is made right, `version` the one of it that was seen.
    """
    began = opened.draft
    form_url = f"{opened.base}/forms/{quote(opened.form.key, safe='')}"
    return render(
        request, "documentation/forms/fill.html", status_code=422 if issues else 200,
        opened=opened, base=opened.base, patient_id=opened.permit.patient_id, sheet=sheet,
        ids=sheet.ids(), problems=sheet.problems(), prefix=PREFIX, task=task,
        form_url=form_url, action=action or form_url, corrects=corrects, version=version,
        reason=reason, issues=[each.diagnostics for each in issues],
        saved_at=began.updated_at if began else None, place="patients",
        page_title=opened.form.title,
    )  # fmt: skip


def followed(sheet: Sheet, *, rows: bool = False) -> Response[Any]:
    """What follows from what is typed, as the page's own script takes it in."""
    places = sheet.filled.by_key
    told: dict[str, Any] = {
        "saved": f"{clock.now().astimezone(OSLO):%H:%M:%S}",
        "hidden": sheet.hidden(),
        "told": {
            key: sheet.told(place)
            for key, place in places.items()
            if sheet.control(place.item) == "told"
        },
        "problems": sheet.problems(),
        "origins": [key for key, place in places.items() if sheet.origin(place)],
        "scores": render_text("documentation/forms/_scores.html", sheet=sheet),
    }
    if rows:
        told["items"] = render_text(
            "documentation/forms/_items.html", sheet=sheet, ids=sheet.ids(),
            problems=told["problems"], prefix=PREFIX,
        )  # fmt: skip
    return Response(told, headers={"Cache-Control": "no-store"})


async def typed_in(request: _Request) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What stands in the form's own inputs, and what the page says besides."""
    form = await request.form()
    typed: dict[str, list[str]] = {}
    said: dict[str, str] = {}
    for number, (name, value) in enumerate(form.multi_items()):
        if number > _MOST_INPUTS or not isinstance(value, str):
            continue
        if name.startswith(PREFIX):
            typed.setdefault(name[len(PREFIX) :], []).append(value)
        else:
            said[name] = value
    return typed, said
