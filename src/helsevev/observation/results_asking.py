"""Asks somebody, by name, to acknowledge each result, whichever door it came in through.

A need is one Task, however often it is looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from helsevev.access.actor import SYSTEM
from helsevev.access.entries import replaced, transaction
from helsevev.access.following import Following
from helsevev.access.results_waiting import ResultsWaiting
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.reading import concept_text, objects, reference_key, text
from helsevev.follow_up import asking
from helsevev.follow_up.coding import NEED, stamp
from helsevev.follow_up.standing import standing_of
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.orders.coding import AWAIT, PERFORM, step_of
from helsevev.observation.results_due import (
    critical,
    early_key_of,
    is_acknowledged,
    key_of,
    measured_by,
    need_of,
    responsible,
    title_of,
)

_SLICES: Final = (
    Slice("Patient", 1), Slice("DiagnosticReport", 60), Slice("Task", 400), Slice("Encounter", 50),
    Slice("ServiceRequest", 200), Slice("Observation", 600),
    Slice("EpisodeOfCare", 50),
)  # fmt: skip
_log = logging.getLogger(__name__)
_Found = Mapping[str, list[dict[str, Any]]]


class ResultsFollowed(Following):
    """Asks for every result to be acknowledged, and closes the orders that it answers."""

    name = "results"
    every = 1.0

    def __init__(self, services: Services) -> None:
        super().__init__(ResultsWaiting(services.gate))
        self._services = services

    async def look_at(self, patient_id: str) -> int:
        """Ask about what nobody is asked about of one inhabitant; how many results that were."""
        return await ask_about(self._services, patient_id)


async def ask_about(services: Services, patient_id: str) -> int:
    """Ask about one inhabitant's results; how many were asked about. Raises `AccessError`."""
    _permit, found = await services.gate.open_chart_at(
        SYSTEM, patient_id, _SLICES, interaction="results"
    )
    entries, asked = [], 0
    for report in found["DiagnosticReport"]:
        task = _task(report, found, patient_id)
        if task is not None:
            asked += 1
            entries += [asking.entry(task), *_closing(report, found)]
    if entries:
        await services.bundles.transact(SYSTEM, transaction(_each_once(entries)))
    return asked


def _task(report: Mapping[str, Any], found: _Found, patient_id: str) -> dict[str, Any] | None:
    """The Task that asks for a result to be acknowledged, when nobody is asked and nobody has."""
    observed = {f"Observation/{each['id']}": each for each in found["Observation"]}
    grave = critical(measured_by(report, observed))
    key = key_of(report) or (early_key_of(report) if grave else "")
    if not key:
        return None
    known = [task for task in found["Task"] if need_of(task) == key]
    if any(is_acknowledged(task) or _waits(task) for task in known):
        return None
    orders = {f"ServiceRequest/{each['id']}": each for each in found["ServiceRequest"]}
    patient = next(iter(found["Patient"]), {})
    owner, unit = responsible(report, orders, found["Encounter"], found["EpisodeOfCare"], patient)
    if not owner.reference:
        _log.error("Nobody is responsible for a result: DiagnosticReport/%s", report["id"])
        return None
    title = title_of(report)
    words = ", ".join(concept_text(each.get("code")) for each in grave) if grave else title
    return asking.ask(
        words or title or _("Result"), patient_id=patient_id, owner=owner, at=clock.now(),
        matter="critical-result" if grave else "result", why=f"DiagnosticReport/{report['id']}",
        title=_("Critical result: %(title)s") % {"title": title} if grave else title,
        key=f"{key}/{len(known)}" if known else key, unit=unit,
    )  # fmt: skip


def _waits(task: Mapping[str, Any]) -> bool:
    return standing_of(task).is_open and bool(reference_key(task.get("owner")))


def _closing(report: Mapping[str, Any], found: _Found) -> list[dict[str, Any]]:
    """The orders that the report answers are done, and nobody waits for them any longer."""
    if not key_of(report):
        return []
    answered = {reference_key(each) for each in objects(report.get("basedOn"))}
    done = [
        {**order, "status": "completed"}
        for order in found["ServiceRequest"]
        if f"ServiceRequest/{order['id']}" in answered and text(order.get("status")) == "active"
    ]
    ended = {
        f"ServiceRequest/{order['id']}"
        for order in found["ServiceRequest"]
        if text(order.get("status")) != "active"
    }
    for task in found["Task"]:
        about = {reference_key(each) for each in objects(task.get("basedOn"))}
        is_step = step_of(task) in (AWAIT, PERFORM) and standing_of(task).is_open
        if is_step and about & answered and about <= answered | ended:
            done.append({**task, "status": "completed", "lastModified": stamp(clock.now())})
    return [replaced(each) for each in done]


def _each_once(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two reports may answer the same order: it is written once."""
    named = {}
    for entry in entries:
        resource = entry["resource"]
        where = resource.get("id") or next(
            i["value"] for i in resource["identifier"] if i["system"] == NEED
        )
        named[resource["resourceType"], where] = entry
    return list(named.values())
