"""Pages to print: a patient's wristband, labels of prepared doses, and codes to try it with."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue import demo
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.medication.scanning import own_codes
from helsevev.medication.scanning.drawing import datamatrix
from helsevev.medication.scanning.fitting import ordered_of
from helsevev.medication.scanning.labels import label_of
from helsevev.medication.scanning.samples import samples_of
from helsevev.patient.banner import national_number
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_SOMEBODY_ELSE: Final = "somebody-else"


@get("/rounds/{patient_id:str}/wristband", opt=_RECORD)
async def wristband_page(request: _Request, patient_id: str) -> Response[Any]:
    """The patient's wristband: in the code an id that says nothing, beside it who it is."""
    opened = await _open(request, patient_id)
    return _page(
        request, "medication/wristband.html", opened, _("Wristband"),
        picture=datamatrix(own_codes.wristband(patient_id)),
        number=national_number(opened.patient)[0], is_demo=await _is_demo(request),
    )  # fmt: skip


@get("/rounds/{patient_id:str}/labels", opt=_RECORD)
async def labels_page(request: _Request, patient_id: str) -> Response[Any]:
    """Labels of the doses that are chosen, of all that are due when none is."""
    opened = await _open(request, patient_id)
    now = clock.now()
    offered = [
        row for row in opened.round.rows if row.is_open or row.state == "upcoming"
    ]  # fmt: skip
    wanted = set(request.query_params.getall("dose", []))
    chosen = [row for row in offered if (row.key in wanted if wanted else row.is_open)]
    return _page(
        request, "medication/labels.html", opened, _("Labels"), offered=offered,
        chosen={row.key for row in chosen}, labels=[label_of(row, now) for row in chosen],
        prepared_by=staff_of_request(request).name, prepared_at=now,
        is_demo=await _is_demo(request),
    )  # fmt: skip


@get("/rounds/{patient_id:str}/sample-codes", opt=_RECORD)
async def samples_page(request: _Request, patient_id: str) -> Response[Any]:
    """Codes of what is due to the patient; 404 when the catalogue is not the demo's."""
    opened = await _open(request, patient_id)
    if not await _is_demo(request):
        raise NotFoundException("These codes are of the demo's catalogue, which is not in use.")
    today = clock.now().astimezone(OSLO).date()
    packed = list(demo.packed())
    listed = []
    for row in opened.round.rows:
        if not row.is_open and row.state != "upcoming":
            continue
        ordered = ordered_of(row.order, {})
        of_substance = [each for each in packed if each[0].atc in ordered.atc]
        if found := samples_of(row, ordered, of_substance, today):
            listed.append((row, found))
    return _page(
        request, "medication/sample_codes.html", opened, _("Codes to try"), listed=listed,
        band=datamatrix(own_codes.wristband(patient_id)),
        other_band=datamatrix(own_codes.wristband(_SOMEBODY_ELSE)),
    )  # fmt: skip


async def _is_demo(request: _Request) -> bool:
    """Whether the catalogue is the one that comes with the program."""
    services: Services = request.app.state.services
    release = await services.medicines.release()
    return release is not None and release.source == demo.SOURCE


async def _open(request: _Request, patient_id: str) -> OpenedRound:
    services: Services = request.app.state.services
    return await open_round(services, staff_of_request(request), patient_id)


def _page(
    request: _Request, template: str, opened: OpenedRound, title: str, **context: Any
) -> Response[Any]:
    return render(
        request, template, opened=opened, base=f"/patient/{opened.patient_id}", place="rounds",
        page_title=title, **context,
    )  # fmt: skip


ROUTES: Final = (wristband_page, labels_page, samples_page)
