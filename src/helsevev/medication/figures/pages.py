"""The pages of who leads a unit: its figures by week, their definitions, and the doses behind."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import StringIO
from typing import Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.reading import OSLO, full_name, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.dosage import dose_amount
from helsevev.medication.figures import right_time
from helsevev.medication.figures.counting import PARTS, week_of
from helsevev.medication.figures.keeping import first_day, last_day, tables_of, told_of
from helsevev.medication.figures.right_time import Fate, day_span
from helsevev.medication.figures.view import (
    Figure,
    figures_of,
    monday_of,
    part_name,
    rounded,
    rows_of,
)
from helsevev.medication.round import name_of
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LINKS: Final = ("late", "early", "unanswered", "not-given")


class Person(Struct, frozen=True):
    """Somebody of a unit's week, with how many doses came to what."""

    patient_id: str
    name: str
    birth_date: str
    sex: str
    may_open: bool
    parts: dict[str, int]

    @property
    def off_time(self) -> int:
        """Doses that were due and not given on time."""
        return sum(n for part, n in self.parts.items() if part in _LINKS)


@get("/figures", opt=_RECORD)
async def figures_page(request: _Request, unit: str = "") -> Response[str]:
    """The figures of one's unit, week by week."""
    services, actor = _services(request), staff_of_request(request)
    units, chosen = await _chosen(services, actor, unit)
    figures = await _figures(services, actor, chosen)
    progress = await services.medicine_figures.progress()
    return render(
        request, "medication/figures.html", figures=figures, units=units, chosen=chosen,
        unit_id=chosen.partition("/")[2], counted_to=progress.day, part_name=part_name,
        rounded=rounded, content=loading.medication_indicators(), place="figures",
        page_title=_("Figures of my unit"),
    )  # fmt: skip


@get("/figures/table.csv", opt=_RECORD)
async def figures_file(request: _Request, unit: str = "") -> Response[str]:
    """The same figures as a table that spreadsheets open."""
    services, actor = _services(request), staff_of_request(request)
    units, chosen = await _chosen(services, actor, unit)
    rows = rows_of(await _figures(services, actor, chosen), units[chosen])
    written = StringIO()
    if rows:
        writer = csv.DictWriter(written, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    name = f"figures-{chosen.partition('/')[2]}.csv"
    return Response(
        written.getvalue(), media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


@get("/figures/definitions", opt={"decision": "signed-in"})
async def definitions_page(request: _Request) -> Response[str]:
    """What each figure counts of what, and what is left out."""
    staff_of_request(request)
    return render(
        request, "medication/figure_definitions.html", place="figures",
        content=loading.medication_indicators(), page_title=_("Definitions of the figures"),
    )  # fmt: skip


@get("/figures/{unit_id:str}/{week:str}", opt=_RECORD)
async def week_page(request: _Request, unit_id: str, week: str) -> Response[str]:
    """Those whom a unit's week was counted of, the doses that were off their time first."""
    services, actor = _services(request), staff_of_request(request)
    unit, monday = f"Organization/{unit_id}", _monday(week)
    listed = await services.medicine_figures.people_of_week(actor, unit, monday)
    people = []
    for found, counts in listed:
        parts = dict(zip(PARTS["M1"], counts.get("M1", ()), strict=False))
        if parts:
            people.append(Person(
                found.patient_id, full_name(found.resource.get("name")),
                text(found.resource.get("birthDate")), text(found.resource.get("gender")),
                found.may_open, parts,
            ))  # fmt: skip
    people.sort(key=lambda each: (-each.off_time, each.name.casefold()))
    return render(
        request, "medication/figure_week.html", people=people, unit_id=unit_id, monday=monday,
        unit_name=await _name(services, actor, unit), part_name=part_name, place="figures",
        page_title=_("Week %(number)s") % {"number": monday.isocalendar().week},
    )  # fmt: skip


@get("/figures/{unit_id:str}/{week:str}/{patient_id:str}", opt=_RECORD)
async def doses_page(request: _Request, unit_id: str, week: str, patient_id: str) -> Response[str]:
    """What became of each dose of one inhabitant in a unit's week: their record is opened."""
    services, actor = _services(request), staff_of_request(request)
    unit, monday = f"Organization/{unit_id}", _monday(week)
    await services.medicine_figures.decide(actor, unit)
    await services.gate.open_chart(actor, patient_id, interaction="figures")
    fates = await _fates(services, patient_id, unit, monday)
    wanted = {("MedicationRequest", each.dose.order) for each in fates}
    seen = await services.gate.open_many(actor, wanted, interaction="figures")
    shown = [each for each in fates if ("MedicationRequest", each.dose.order) in seen]
    doses = [
        {
            "at": each.dose.at, "name": name_of(each.order),
            "amount": dose_amount(each.dose.dosage), "what": each.what, "given_at": each.given_at,
            "limit": int(each.limit.total_seconds() // 60),
        }
        for each in shown
    ]  # fmt: skip
    person = await services.gate.open_resource(actor, "Patient", patient_id)
    return render(
        request, "medication/figure_doses.html", doses=doses, withheld=len(fates) - len(shown),
        name=full_name(person.resource.get("name")), patient_id=patient_id, unit_id=unit_id,
        monday=monday, part_name=part_name, place="figures",
        page_title=_("Doses of week %(number)s") % {"number": monday.isocalendar().week},
    )  # fmt: skip


ROUTES: Final = (figures_page, figures_file, definitions_page, week_page, doses_page)


async def _fates(
    services: Services, patient_id: str, unit: str, monday: date
) -> list[Fate]:  # fmt: skip
    """What became of an inhabitant's doses at a unit, worked out as the figures are."""
    figures, now = services.medicine_figures, clock.now()
    within = day_span(monday, min(monday + timedelta(days=6), last_day(now)), OSLO)
    told = told_of(await figures.told_of_one(patient_id, within.start, within.end))
    times = (await tables_of(figures, services.unit_times)).of(told.places.units())
    content = loading.medication_indicators()
    found = right_time.fates(told, within, OSLO, times, content, now)
    return [each for each in found if each.unit == unit]


async def _figures(services: Services, actor: Actor, unit: str) -> tuple[Figure, ...]:
    since = first_day(last_day(clock.now()))
    weeks = await services.medicine_figures.weeks(actor, [unit], since)
    scanned = {week_of(each.week) for each in await services.scan_counts.of_units([unit], since)}
    return figures_of(weeks, unit, loading.medication_indicators(), scanned)


async def _chosen(services: Services, actor: Actor, unit: str) -> tuple[dict[str, str], str]:
    """The units whose figures one sees, with names, and the one that is shown now."""
    units = await services.medicine_figures.units_of(actor)
    chosen = f"Organization/{unit}" if unit else next(iter(units), "")
    if chosen not in units:
        raise NotFoundException("There are no figures of such a unit for you.")
    return units, chosen


async def _name(services: Services, actor: Actor, unit: str) -> str:
    return (await services.medicine_figures.units_of(actor)).get(unit, "")


def _monday(week: str) -> date:
    found = monday_of(week)
    if found is None:
        raise NotFoundException("There is no such week.")
    return found


def _plain(value: str) -> str:
    """A value that no spreadsheet works out as a formula."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
