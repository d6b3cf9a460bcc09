"""The list is fetched and sent over HTTP, once, and what became of it is told."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import uvicorn

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import AccessError, Refused
from helsevev.access.services import Services
from helsevev.fhir.reading import codings
from helsevev.kit import clock
from helsevev.medication.national_list import exchange
from helsevev.medication.national_list.client import HttpService
from helsevev.medication.national_list.exchange import Desk, open_desk
from helsevev.medication.national_list.incoming import allergy_key
from helsevev.medication.national_list.kept import Exchange
from helsevev.medication.national_list.simulator import Simulator
from helsevev.medication.national_list.taking import take_allergy, take_over
from helsevev.medication.order_form import dosages_of
from helsevev.medication.prescription import NotPrescribable, Prescriber, prescribe

NUMBER = "13116900216"
OF_LINE = {"identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": NUMBER}],
           "name": [{"family": "Danser", "given": ["Aslaug"]}], "gender": "female",
           "birthDate": "1969-11-13"}  # fmt: skip


@pytest.fixture(scope="module")
def doctor(nurse: Actor) -> Actor:
    """A physician on the ward."""
    return replace(nurse, id="Practitioner/doctor", name="Line Lege", profession="physician")


@pytest_asyncio.fixture(loop_scope="session")
async def simulator() -> AsyncIterator[tuple[Simulator, str]]:
    """The simulated service on an address of this machine."""
    made = Simulator(delay=4.0)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(made.app(), log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield made, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """The file with the token."""
    path = tmp_path / "token"
    path.write_text("abc\n", "utf-8")
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def line(services: Services, patient: Callable[..., Any], stay: Callable[..., Any]) -> str:
    """A new inhabitant who is treated on the ward, with one medicine of ours."""
    key = f"line-{uuid4().hex[:8]}"
    await services.writer.write(SYSTEM, patient(key, **OF_LINE))
    await services.writer.write(SYSTEM, stay(key))
    await services.writer.write(SYSTEM, order(key, "Eliquis tablett 2,5 mg", "B01AF02", "8 20"))
    return key


def order(key: str, name: str, atc: str, at: str) -> dict[str, Any]:
    blank = dict.fromkeys(("often", "days", "hours", "start", "end", "rate"), "")
    form = {**blank, "how": "daily", "amount": "1", "unit": "tablett", "at": at}
    medicine = {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}], "text": name}
    return prescribe(
        medicine, dosages_of(form, date(2026, 11, 22)), patient_id=key, at=clock.now(),
        prescriber=Prescriber("Practitioner/doctor", "Line Lege"),
    )  # fmt: skip


class Ward:
    """A doctor at a desk, with one service behind it."""

    def __init__(
        self, services: Services, doctor: Actor, key: str, address: str, token: Path
    ) -> None:
        self._services, self._doctor, self._key = services, doctor, key
        self.token = token
        self.service = HttpService(address, token, 3.0)

    async def desk(self) -> Desk:
        return await open_desk(self._services, self.service, self._doctor, self._key)

    async def fetch(self) -> Exchange:
        return await exchange.fetch(await self.desk(), str(uuid4()))

    async def send(self, key: str = "") -> Exchange:
        desk = await self.desk()
        assert desk.state.fetched is not None
        return await exchange.send(desk, key or str(uuid4()), desk.state.fetched.id)


@pytest.fixture
def ward(
    services: Services, doctor: Actor, line: str, simulator: tuple[Simulator, str], token: Path
) -> Ward:
    """The doctor's ward, connected to the simulator."""
    return Ward(services, doctor, line, simulator[1], token)


async def test_a_list_is_fetched_compared_and_sent_with_a_receipt(
    ward: Ward, simulator: tuple[Simulator, str]
) -> None:
    held, _address = simulator
    fetched = await ward.fetch()
    assert fetched.state == "done"
    desk = await ward.desk()
    assert desk.national is not None
    # Where somebody lives is for the register to tell, and to whom.
    assert "Fauske" not in str(desk.national.bundle)
    kinds = {row.kind for row in desk.rows}
    assert kinds == {"only-theirs", "only-ours"}
    sent = await ward.send()
    assert (sent.state, sent.notes, sent.who) == ("done", (), "Line Lege")
    assert sent.answered is not None
    assert len(held.received) == 1
    desk = await ward.desk()
    assert {row.kind for row in desk.rows if row.ours} == {"same"}
    with pytest.raises(NotPrescribable):
        await ward.send()
    assert len(held.received) == 1


async def test_a_button_pressed_many_times_at_once_sends_once(
    ward: Ward, simulator: tuple[Simulator, str]
) -> None:
    held, _address = simulator
    await ward.fetch()
    desk, key = await ward.desk(), str(uuid4())
    assert desk.state.fetched is not None
    done = await asyncio.gather(
        *(exchange.send(desk, key, desk.state.fetched.id) for _ in range(5)),
        return_exceptions=True,
    )
    assert any(isinstance(each, Exchange) and each.state == "done" for each in done)
    assert len(held.received) == 1
    assert (await ward.send(key)).state == "done"
    assert len(held.received) == 1


@pytest.mark.parametrize("fault", ["slow", "lost", "half"])
async def test_a_lost_answer_sends_nothing_twice_and_is_told_until_it_is_known(
    ward: Ward, simulator: tuple[Simulator, str], fault: str
) -> None:
    held, _address = simulator
    await ward.fetch()
    held.next = ["", fault]
    sent = await ward.send()
    assert sent.state == "unknown"
    assert (await ward.desk()).state.open is not None
    with pytest.raises(NotPrescribable):
        await ward.send()
    found, missing = await exchange.settle(await ward.desk(), sent.id)
    assert (found.state, missing) == ("done", ())
    assert (await ward.desk()).state.open is None
    assert len(held.received) == 1


async def test_a_message_that_never_arrived_is_sent_again_as_it_was(
    ward: Ward, simulator: tuple[Simulator, str]
) -> None:
    held, _address = simulator
    await ward.fetch()
    held.next = ["", "down"]
    sent = await ward.send()
    assert sent.state == "unknown"
    _waiting, missing = await exchange.settle(await ward.desk(), sent.id)
    assert len(missing) == 1
    again = await exchange.send_again(await ward.desk(), sent.id)
    assert again.state == "done"
    assert held.received == [sent.number.removeprefix("urn:uuid:")]


async def test_a_repeat_of_what_had_arrived_changes_nothing(
    ward: Ward, simulator: tuple[Simulator, str]
) -> None:
    held, _address = simulator
    await ward.fetch()
    held.next = ["", "lost"]
    sent = await ward.send()
    again = await exchange.send_again(await ward.desk(), sent.id)
    assert (again.state, len(held.received)) == ("done", 1)


async def test_nothing_is_sent_on_a_list_that_others_have_changed(
    ward: Ward, simulator: tuple[Simulator, str]
) -> None:
    held, _address = simulator
    await ward.fetch()
    held.next = ["changed"]
    with pytest.raises(NotPrescribable):
        await ward.send()
    await ward.fetch()
    held.next = ["", "changed"]
    sent = await ward.send()
    assert (sent.state, held.received) == ("failed", [])


async def test_a_dose_that_comes_back_otherwise_is_told(
    ward: Ward, simulator: tuple[Simulator, str]
) -> None:
    held, _address = simulator
    await ward.fetch()
    held.next = ["", "", "mutated"]
    sent = await ward.send()
    assert sent.state == "done"
    assert any("10 1 tablett" in note for note in sent.notes)


@pytest.mark.parametrize(("fault", "said"), [
    ("refused", "Ikke godtatt: 1 tablett, 2 ganger daglig, kl. 08:00, 20:00 (Avvist"),
])  # fmt: skip
async def test_what_was_not_accepted_is_named(
    ward: Ward, simulator: tuple[Simulator, str], fault: str, said: str
) -> None:
    held, _address = simulator
    await ward.fetch()
    held.next = ["", fault]
    sent = await ward.send()
    assert sent.state == "done"
    assert sent.notes[0].startswith(said)


@pytest.mark.parametrize("fault", ["slow", "down", "half", "lost"])
async def test_while_it_is_down_the_list_says_so_and_keeps_what_was_fetched(
    ward: Ward, simulator: tuple[Simulator, str], fault: str
) -> None:
    held, _address = simulator
    before = await ward.fetch()
    held.next = [fault]
    failed = await ward.fetch()
    assert (failed.state, bool(failed.why)) == ("failed", True)
    desk = await ward.desk()
    assert desk.state.is_down
    assert desk.state.fetched is not None
    assert desk.state.fetched.key == before.key
    assert desk.rows


async def test_a_service_that_is_not_there_or_lets_nobody_in_is_told(
    ward: Ward, simulator: tuple[Simulator, str], tmp_path: Path
) -> None:
    ward.service = HttpService("http://127.0.0.1:9", tmp_path / "none", 1.0)
    assert (await ward.fetch()).state == "failed"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ward.service = HttpService(f"http://127.0.0.1:{nobody.getsockname()[1]}", None, 1.0)
        assert "svarer ikke" in (await ward.fetch()).why
    ward.service = HttpService(simulator[1], None, 1.0)
    assert "A token is missing." in (await ward.fetch()).why


async def test_a_row_is_taken_over_once_and_only_by_who_prescribes(
    ward: Ward, services: Services, nurse: Actor, line: str
) -> None:
    await ward.fetch()
    desk = await ward.desk()
    row = next(row for row in desk.rows if row.theirs and row.theirs.name.startswith("Lipitor"))
    assert desk.state.fetched is not None
    seen, key = desk.state.fetched.id, str(uuid4())
    by_nurse = await open_desk(services, ward.service, nurse, line)
    with pytest.raises(NotPrescribable):
        await take_over(by_nurse, str(uuid4()), seen, row.key, {})
    await take_over(desk, key, seen, row.key, {})
    desk = await ward.desk()
    taken = next(r for r in desk.rows if r.ours and r.ours.name.startswith("Lipitor"))
    assert taken.kind == "same"
    assert taken.ours is not None
    assert taken.ours.doses[0].text == "1 tablett om kvelden"
    with pytest.raises(NotPrescribable):
        await take_over(desk, str(uuid4()), seen, row.key, {})


async def test_an_allergy_is_taken_over_once(ward: Ward, services: Services, line: str) -> None:
    await ward.fetch()
    desk = await ward.desk()
    assert desk.state.fetched is not None
    assert desk.national is not None
    number = allergy_key(desk.national.allergies[0])
    await take_allergy(desk, str(uuid4()), desk.state.fetched.id, number)
    desk = await ward.desk()
    (allergy,) = desk.allergies
    assert ("http://www.whocc.no/atc", "J01CE02") in codings(allergy["code"])
    assert desk.state.fetched is not None
    with pytest.raises(NotPrescribable):
        await take_allergy(desk, str(uuid4()), desk.state.fetched.id, number)


async def test_a_stranger_exchanges_nothing(
    services: Services, ward: Ward, stranger: Actor, line: str
) -> None:
    with pytest.raises(Refused):
        await open_desk(services, ward.service, stranger, line)


FAULTS = ("", "", "", "slow", "down", "lost", "half", "stale", "mutated", "changed", "refused")


async def walk(ward: Ward, held: Simulator, seed: int, steps: int) -> None:
    """Press what there is to press, in any order, while the service fails in any way."""
    chance = random.Random(seed)
    keys = [str(uuid4())]
    for _ in range(steps):
        held.next = [chance.choice(FAULTS) for _ in range(3)]
        waiting = (await ward.desk()).state.open
        press = chance.choice(("fetch", "send", "again", "settle", "repeat"))
        with suppress(NotPrescribable, AccessError, AssertionError):
            if press == "fetch":
                await ward.fetch()
            elif press == "send":
                keys.append(str(uuid4()))
                await ward.send(keys[-1])
            elif press == "again" and waiting:
                await exchange.send_again(await ward.desk(), waiting.id)
            elif press == "settle" and waiting:
                await exchange.settle(await ward.desk(), waiting.id)
            elif press == "repeat":
                await ward.send(chance.choice(keys))
        assert len(held.received) == len(set(held.received))


async def come_to_rest(ward: Ward, held: Simulator) -> None:
    """What a person does when the service is well again."""
    held.next = []
    if waiting := (await ward.desk()).state.open:
        _found, missing = await exchange.settle(await ward.desk(), waiting.id)
        if missing:
            again = await exchange.send_again(await ward.desk(), waiting.id)
            assert again.state in ("done", "failed")
    await ward.fetch()
    with suppress(NotPrescribable):
        await ward.send()
    desk = await ward.desk()
    assert desk.state.open is None
    assert [row.kind for row in desk.rows if row.ours] == ["same"]


@pytest.mark.parametrize("seed", [1])
async def test_whatever_fails_each_message_is_taken_once_and_the_lists_agree_in_the_end(
    ward: Ward, simulator: tuple[Simulator, str], seed: int
) -> None:
    held, address = simulator
    ward.service = HttpService(address, ward.token, 0.7)
    held.delay = 1.0
    await walk(ward, held, seed, 8)
    ward.service = HttpService(address, ward.token, 5.0)
    await come_to_rest(ward, held)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
async def test_whatever_fails_for_long_each_message_is_taken_once(
    ward: Ward, simulator: tuple[Simulator, str], seed: int
) -> None:
    held, address = simulator
    ward.service = HttpService(address, ward.token, 0.7)
    held.delay = 1.0
    await walk(ward, held, seed, 25)
    ward.service = HttpService(address, ward.token, 5.0)
    await come_to_rest(ward, held)
