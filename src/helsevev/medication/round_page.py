"""The page of one patient's round, and the way back to it after something was signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from litestar import Request, Response
from litestar.response import Redirect

from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.kit.web import WITH_WASM
from helsevev.locale import gettext as _
from helsevev.medication.infusion_shown import version_of, words_of
from helsevev.medication.outside_plan import may_acknowledge
from helsevev.medication.round_filters import filters_of
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.medication.round_signing import Signed
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]


async def after(request: _Request, patient_id: str, ends: Sequence[Signed]) -> Response[Any]:
    """Back to the doses; what was refused is told there, and what was signed beside it."""
    signed = sum(not end.problem for end in ends)
    problems = [end for end in ends if end.problem]
    if not problems:
        query = filters_of(request.query_params).query
        more = f"{query}&" if query else "?"
        return Redirect(f"/rounds/{patient_id}{more}signed={signed}", status_code=303)
    services: Services = request.app.state.services
    opened = await open_round(services, staff_of_request(request), patient_id)
    return page(request, opened, problems, signed=signed)


def page(
    request: _Request, opened: OpenedRound, problems: Sequence[Signed], *, signed: int = 0
) -> Response[Any]:
    """One patient's doses to be signed, with what was refused of those that were."""
    content = loading.rounds()
    filters = filters_of(request.query_params)
    return render(
        request,
        "medication/round.html",
        headers=WITH_WASM,
        status_code=422 if problems else 200,
        opened=opened,
        round=filters.of(opened.round),
        filters=filters,
        problems=problems,
        signed=signed,
        key=str(uuid4()),
        content=content,
        may_acknowledge=may_acknowledge(opened.permit.actor),
        stopped_options=[{"value": each.code, "label": each.label} for each in content.stopped],
        version_of=version_of,
        rate_words=words_of,
        not_given_options=[{"value": each.code, "label": each.label} for each in content.not_given],
        place="rounds",
        base=f"/patient/{opened.patient_id}",
        page_title=_("Medicine round"),
    )
