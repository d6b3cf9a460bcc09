"""How scanning goes at a unit, week by week: for those who mend it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from litestar import Request, Response, get

from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.scanning import words
from helsevev.medication.scanning.weeks import statistics
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_WEEKS: Final = 12


@get("/medicines/scanning", opt={"decision": "signed-in"})
async def scanning_page(request: _Request) -> Response[Any]:
    """What was scanned, stopped and signed without scanning at the unit that one works in."""
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    today = clock.now().astimezone(OSLO).date()
    last = today - timedelta(days=today.weekday())
    first = last - timedelta(weeks=_WEEKS - 1)
    counts = await services.scan_counts.of_units(actor.unit, first)
    reasons = {each.code: each.label for each in loading.rounds().not_scanned}
    since = min((each.week for each in counts), default=last)
    found = statistics(counts, reasons, max(first, since), last)
    points = [
        {
            "time": datetime.combine(week.begins, time(12), UTC),
            "value": week.share,
            "source": _("%(scanned)s of %(doses)s doses")
            % {"scanned": week.scanned, "doses": week.doses},
        }
        for week in found.weeks
        if week.share is not None
    ]
    return render(
        request, "medication/scanning.html", found=found, points=points, reasons=reasons,
        outcomes=words.outcomes(), unit=actor.unit_name, place="rounds",
        page_title=_("Scanning by week"),
    )  # fmt: skip


ROUTES: Final = (scanning_page,)
