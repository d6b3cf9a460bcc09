"""A NEWS2 that asks for somebody: a Task for a named person, in the transaction of the score.

By `follow_up` it has a deadline, and moves on to the unit and those above it until it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from helsevev.content.score_shapes import News2, Response
from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.reading import (
    codes,
    codings,
    mapping,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.follow_up.asking import ask
from helsevev.follow_up.coding import Who, matter_of
from helsevev.follow_up.standing import standing_of
from helsevev.locale import gettext as _
from helsevev.observation.news2 import Score

MATTER: Final = "deterioration"
RISK: Final = "http://helsevev.no/fhir/CodeSystem/news2-risk"
_LEADS: Final = ("ATND", "PPRF")


def called_for(
    found: Score,
    score_url: str,
    *,
    patient_id: str,
    at: datetime,
    measurer: Who,
    unit: Who,
    encounters: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    table: News2,
    now: datetime,
) -> dict[str, Any] | None:
    """The Task that calls somebody; None when nobody has to be called.

    `score_url` is the entry of the score, which the Task is about; the deadline counts from `at`,
    when it was measured, so that the same form sent twice makes the same Task. Whom the content
    calls is looked for in `encounters`; who measured is called when the record names nobody else.
    A call at the same level or above that nobody has ended (`tasks`) is not made twice. What is
    written down a day late calls nobody.
    """
    response = found.response
    if response is None or not response.calls or found.total is None:
        return None
    within = timedelta(minutes=response.within_minutes)
    key = f"news2 {score_url}"
    others = [each for each in tasks if key not in _needs(each)]
    if now - at > max(within, timedelta(hours=1)) or _is_called(others, response, table):
        return None
    stays = [each for each in encounters if each.get("status") in ONGOING]
    owner = _whom(response, measurer, stays)
    return ask(
        _("%(name)s %(total)s at %(time)s. %(action)s") % {
            "name": table.title, "total": found.total, "time": f"{at:%H:%M}",
            "action": response.action,
        },
        patient_id=patient_id, owner=owner, at=at, matter=MATTER,
        title=_("Deterioration: %(name)s %(total)s") % {
            "name": table.title, "total": found.total,
        },
        asked_by=measurer, due=at + within, why=score_url, key=key,
        unit=_unit(stays) or unit, coding=({"system": RISK, "code": response.risk},),
    )  # fmt: skip


def _needs(task: Mapping[str, Any]) -> set[str]:
    return {text(i.get("value")) for i in objects(task.get("identifier"))}


def _whom(response: Response, measurer: Who, stays: Sequence[Mapping[str, Any]]) -> Who:
    for role in response.calls:
        found = responsible(stays) if role == "responsible" else measurer
        if found is not None and found.reference:
            return found
    return measurer


def responsible(stays: Iterable[Mapping[str, Any]]) -> Who | None:
    """The person responsible for a stay that goes on, None when the record names none."""
    for stay in stays:
        for participant in objects(stay.get("participant")):
            person = mapping(participant.get("individual"))
            leads = any(codes(kind) & set(_LEADS) for kind in objects(participant.get("type")))
            if leads and reference_key(person):
                return Who(reference_key(person), reference_text(person))
    return None


def _unit(stays: Iterable[Mapping[str, Any]]) -> Who | None:
    for stay in stays:
        provider = mapping(stay.get("serviceProvider"))
        if reference_key(provider):
            return Who(reference_key(provider), reference_text(provider))
    return None


def _is_called(tasks: Iterable[Mapping[str, Any]], response: Response, table: News2) -> bool:
    """Whether somebody is called already, as urgently, and has not ended it."""
    order = [each.risk for each in table.response]
    for task in tasks:
        if matter_of(task).code != MATTER or not standing_of(task).is_open:
            continue
        called = {code for system, code in codings(task.get("code")) if system == RISK}
        if any(order.index(text(c)) >= order.index(response.risk) for c in called if c in order):
            return True
    return False
