"""Figures of a unit's weeks: counted from the record, kept fresh, closed, and for who leads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Refused
from helsevev.access.medicine_figures import Week
from helsevev.access.services import Services
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.medication.administration import Signer, given
from helsevev.medication.figures.counting import PARTS
from helsevev.medication.figures.keeping import Counting, first_day, last_day
from helsevev.medication.timing import key_of

NORA = Signer("Practitioner/nurse", "Nora Ness")
WARD = "Organization/ward"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def units(services: Services, anne_and_berit: None) -> None:
    """The ward, of the hospital, and another unit."""
    for own_id, part_of in (("hospital", None), ("ward", "hospital"), ("other", None)):
        unit: dict[str, Any] = {"resourceType": "Organization", "id": own_id, "name": own_id}
        if part_of:
            unit["partOf"] = {"reference": f"Organization/{part_of}"}
        await services.writer.write(SYSTEM, unit)


@pytest.fixture(scope="module")
def leader(nurse: Actor) -> Actor:
    """Who leads the ward."""
    return replace(nurse, role="Avdelingsleder")


def _order(at: str = "08:00:00") -> dict[str, Any]:
    repeat = {"period": 1, "periodUnit": "d", "timeOfDay": [at, "20:00:00"]}
    return {
        "resourceType": "MedicationRequest", "id": "daily", "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": "Paracet"}, "subject": {"reference": "Patient/anne"},
        "dosageInstruction": [{
            "timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": {"value": 1}}],
        }],
    }  # fmt: skip


def _dose(day: date, hour: int, minutes: int = 0) -> dict[str, Any]:
    due = datetime(day.year, day.month, day.day, hour, tzinfo=OSLO)
    order = _order()
    made = given(order, order["dosageInstruction"][0], NORA, due + timedelta(minutes=minutes),
                 due=key_of("daily", due))  # fmt: skip
    return made | {"id": f"dose-{day}-{hour}"}


async def _count(services: Services) -> Counting:
    counting = Counting(services.medicine_figures, services.unit_times)
    while await counting.follow() or await counting.next_days():
        pass
    await counting.close_weeks()
    return counting


async def _weeks(services: Services, leader: Actor) -> list[dict[str, int] | None]:
    """The newest week with doses as it is counted now, and as it was closed."""
    since = first_day(last_day(clock.now()))
    found = await services.medicine_figures.weeks(leader, [WARD], since)
    mine = [each for each in found if each.figure == "M1"]
    newest = max(each.week for each in mine)

    def parts(is_closed: bool) -> dict[str, int] | None:
        of: list[Week] = [
            each for each in mine if each.week == newest and (each.as_of is not None) == is_closed
        ]
        return {p: n for p, n in zip(PARTS["M1"], of[0].counts, strict=True) if n} if of else None

    return [parts(is_closed=False), parts(is_closed=True)]


async def test_a_week_is_counted_kept_fresh_and_closed(
    services: Services, leader: Actor, later: Callable[..., None]
) -> None:
    now = clock.now().astimezone(OSLO)
    later(days=7 - now.weekday(), hours=1 - now.hour)  # The small hours of a Monday.
    monday = clock.now().astimezone(OSLO).date()
    await services.writer.write(SYSTEM, _order())
    later(days=2)
    for day in range(2):
        for hour, minutes in ((8, 5), (20, 90 * day)):
            at = monday + timedelta(days=day)
            await services.writer.write(SYSTEM, _dose(at, hour, minutes))
    later(hours=4)
    await _count(services)
    assert await _weeks(services, leader) == [{"on-time": 3, "late": 1}, None]
    # On Wednesday the plan is moved to when doses are given; Monday and Tuesday stay as they were.
    later(hours=12)
    await services.writer.write(SYSTEM, _order("09:30:00"), if_match=1)
    await services.writer.write(SYSTEM, _order() | {"status": "stopped"}, if_match=2)
    await _count(services)
    assert await _weeks(services, leader) == [{"on-time": 3, "late": 1}, None]
    later(hours=12)
    await _count(services)
    # Wednesday's morning came before the stop, and nobody gave it.
    counted = {"on-time": 3, "late": 1, "unanswered": 1}
    assert await _weeks(services, leader) == [counted, None]
    later(days=8)
    await _count(services)
    assert await _weeks(services, leader) == [counted, counted]
    # What is corrected when the week is closed is told beside it.
    wrong = _dose(monday, 8, 5) | {"status": "entered-in-error"}
    await services.writer.write(SYSTEM, wrong, if_match=1)
    await _count(services)
    corrected = {"on-time": 2, "late": 1, "unanswered": 2}
    assert await _weeks(services, leader) == [corrected, counted]
    assert await Counting(services.medicine_figures, services.unit_times).rebuild(monday) > 0
    assert await _weeks(services, leader) == [corrected, counted]


async def test_figures_are_for_who_leads_the_unit_and_those_above_it(
    services: Services, nurse: Actor, leader: Actor
) -> None:
    figures, monday = services.medicine_figures, date(2026, 11, 2)
    assert await figures.units_of(leader) == {WARD: "ward"}
    above = replace(leader, organisations=("Organization/hospital",))
    assert set(await figures.units_of(above)) == {"Organization/hospital", WARD}
    elsewhere = replace(leader, organisations=("Organization/other",))
    for refused in (nurse, elsewhere):
        with pytest.raises(Refused, match="lead"):
            await figures.weeks(refused, [WARD], monday)
        with pytest.raises(Refused, match="lead"):
            await figures.people_of_week(refused, WARD, monday)
    inhabitant = replace(leader, kind="inhabitant")
    with pytest.raises(Refused):
        await figures.units_of(inhabitant)


async def test_those_of_a_week_are_listed_and_the_list_is_in_their_trail(
    services: Services, leader: Actor
) -> None:
    figures = services.medicine_figures
    counted = await figures.weeks(leader, [WARD], first_day(last_day(clock.now())))
    week = max(each.week for each in counted)
    [(anne, counts)] = await figures.people_of_week(leader, WARD, week)
    assert anne.patient_id == "anne"
    assert anne.may_open
    assert sum(counts["M1"]) == 5
    permit = await services.gate.open_chart(leader, "anne")
    touched = {each.interaction for each in await services.gate.who_has_read(permit)}
    assert "figures" in touched
