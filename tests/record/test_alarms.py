"""Alarms of signing in reach those who act, who answer by name, and nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helsevev.access.actor import Actor
from helsevev.access.audit.answering import AlarmBook
from helsevev.access.errors import Invalid, NotFound, Refused
from helsevev.access.identity.alarms import Alarms
from helsevev.access.services import Services

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_alarm_is_answered_by_name_once_and_stays_to_be_read(
    services: Services, nurse: Actor, secretary: Actor
) -> None:
    officer = replace(nurse, id="Practitioner/nina", name="Nina", profession="privacy-officer")
    administrator = replace(
        officer, id="Practitioner/t", name="T", profession="system-administrator"
    )
    alarms, book = Alarms(services.gate.store.database), AlarmBook(services.gate)
    await alarms.raise_alarm("emergency-login", nurse, "Signed in by the emergency login.")
    (alarm,) = [each for each in await book.listed(officer) if each.person == nurse.id]
    assert (alarm.kind, alarm.seen_at, alarm.done) == ("emergency-login", None, "")
    for stranger in (nurse, secretary, Actor("inhabitant", "Patient/x", "X", "", "")):
        with pytest.raises(Refused):
            await book.listed(stranger)
        with pytest.raises(Refused):
            await book.answer(stranger, alarm.id, "It was me, all is well.")
    with pytest.raises(Invalid):
        await book.answer(officer, alarm.id, " ok ")
    with pytest.raises(NotFound):
        await book.answer(officer, alarm.id + 1, "Asked her; it was her.")
    await book.answer(officer, alarm.id, "Asked her; it was her.")
    # A second answer does not take the place of the first.
    await book.answer(administrator, alarm.id, "Something else altogether.")
    (alarm,) = [each for each in await book.listed(administrator) if each.id == alarm.id]
    assert (alarm.seen_by_name, alarm.done) == ("Nina", "Asked her; it was her.")
    assert alarm.seen_at is not None
