"""A replayed day has the shape of a day, is the same for one seed, and believes no server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from helsevev.region.replay.actions.table import ACTIONS
from helsevev.region.replay.curve import BUSIEST, CONTACTS, ROUNDS, Curve
from helsevev.region.replay.ledger import Ledger
from helsevev.region.replay.notation import digest, plain, read_json, values
from helsevev.region.replay.plan import WHOLE_DAY, Event, Part, is_possible, plan
from helsevev.region.replay.play import moment, play
from helsevev.region.replay.roster import Roster, Unit
from helsevev.region.replay.staff import Staff, form
from helsevev.region.replay.tally import Tally, latencies, percentile
from helsevev.region.replay.turn import Board
from helsevev.region.replay.verify import Verdicts
from helsevev.region.replay.wire import NoAnswer, Wire

DAY = date(2026, 11, 20)
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def staff(unit: str, number: int) -> Staff:
    return Staff(f"{unit}-{number}", f"Practitioner/{unit}-{number}", "Nora Ness", unit, "Ward")


def roster(inhabitants: int = 740_000 // 50) -> Roster:
    ward = Unit("ward", 30, ("a", "b", "c"), (("a", 3), ("c", 1)), (staff("ward", 1),))
    clinic = Unit("clinic", 10, ("d",), (), (staff("clinic", 1), staff("clinic", 2)))
    return Roster(inhabitants, (ward, clinic), ("Berg",))


@pytest.mark.parametrize("curve", [CONTACTS, ROUNDS])
def test_a_fifth_of_the_day_is_in_its_busiest_hour_and_nights_are_quiet(curve: Curve) -> None:
    assert sum(curve.shares) == pytest.approx(1)
    assert max(curve.shares) == curve.shares[8] == BUSIEST
    assert curve.share(0, 6) < 0.05
    assert curve.share(8.5, 9) == pytest.approx(BUSIEST / 2)


@pytest.mark.parametrize("curve", [CONTACTS, ROUNDS])
def test_even_draws_fall_as_the_curve_says(curve: Curve) -> None:
    draws = 20_000
    hours = Counter(int(curve.minute(n / draws) // 60) for n in range(draws))
    for hour, share in enumerate(curve.shares):
        assert hours[hour] == pytest.approx(share * draws, abs=2)


def test_a_plan_is_the_same_for_one_seed_and_another_for_another() -> None:
    once, again, other = (plan(roster(), ACTIONS, DAY, seed, WHOLE_DAY) for seed in (1, 1, 2))
    assert once == again
    assert once != other
    assert [event.minute for event in once] == sorted(event.minute for event in once)


def test_two_parts_make_the_day_between_them() -> None:
    morning, rest = (plan(roster(), ACTIONS, DAY, 1, part) for part in (Part(0, 9), Part(9, 24)))
    assert morning + rest == plan(roster(), ACTIONS, DAY, 1, WHOLE_DAY)


def test_the_volume_is_that_of_the_inhabitants_however_few_work() -> None:
    counted = Counter(event.action.name for event in plan(roster(), ACTIONS, DAY, 1, WHOLE_DAY))
    for action in ACTIONS:
        assert counted[action.name] == pytest.approx(action.a_day / 50, abs=1)


def test_everybody_acts_on_patients_of_their_own_unit_and_doses_go_to_those_who_get_them() -> None:
    for event in plan(roster(), ACTIONS, DAY, 3, WHOLE_DAY):
        own = {"ward": "abc", "clinic": "d"}[event.who.unit]
        assert event.patient in ("ac" if event.action.gives_medicines else own)


def test_what_nobody_can_do_is_left_out() -> None:
    clinic = roster().units[1]
    without = Roster(10_000, (clinic,), ())
    (dose,) = (action for action in ACTIONS if action.gives_medicines)
    assert not is_possible(without, dose)
    assert dose not in {event.action for event in plan(without, ACTIONS, DAY, 1, WHOLE_DAY)}


def test_nothing_is_written_in_the_future() -> None:
    assert moment(DAY, 9 * 60 + 0.5) == "2026-11-20T09:00:30+01:00"
    later = datetime.now(UTC).date() + timedelta(days=2)
    assert datetime.fromisoformat(moment(later, 600)) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("state", "found", "wanted"),
    [
        ("acknowledged", ["as sent"], {"read_back": 1}),
        ("acknowledged", [], {"missing": 1, "lost": 1}),
        ("acknowledged", ["other"], {"altered": 1, "lost": 1}),
        ("acknowledged", ["as sent", "as sent"], {"read_back": 1, "doubled": 1}),
        ("sent", [], {"unanswered_not_stored": 1, "acknowledged": 0}),
        ("sent", ["as sent"], {"unanswered_stored": 1, "acknowledged": 0}),
        ("sent", ["as sent", "as sent"], {"unanswered_stored": 1, "doubled": 1}),
        ("refused", [], {"refused": 1, "doubled": 0}),
        ("refused", ["as sent"], {"refused": 1, "doubled": 1}),
    ],
)
def test_the_ledger_s_verdict(
    tmp_path: Path, state: str, found: list[str], wanted: dict[str, int]
) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    number = ledger.intend("sign dose", "identifier", "Encounter", "a", "mark", "as sent")
    if state == "acknowledged":
        ledger.acknowledge(number, "Encounter/1", "1")
    elif state == "refused":
        ledger.refuse(number)
    ledger.close()
    (entry,) = Ledger(tmp_path / "ledger.sqlite").entries()
    assert entry.state == state
    verdicts = Verdicts()
    verdicts.judge(entry, [digest(content) for content in found])
    data = verdicts.as_data()
    assert {name: data[name] for name in wanted} == wanted
    faults = data["lost"] + data["doubled"]
    assert len(verdicts.examples) == faults


def test_content_is_the_same_however_it_is_written_and_other_by_one_digit() -> None:
    one, other = read_json('{"a": 37.0, "b": "x"}'), read_json('{"b":"x","a":37.0}')
    assert digest(one) == digest(other)
    assert digest(one) != digest(read_json('{"a": 37.00, "b": "x"}'))
    assert plain('<div xmlns="x"><p>Ett &lt;ord</p><p>til</p></div>') == "Ett <ord til"


def test_a_round_s_values_are_those_measured_without_the_score() -> None:
    def measured(code: str, value: int, category: str) -> dict[str, object]:
        return {
            "category": [{"coding": [{"code": category}]}],
            "code": {"coding": [{"code": code}]},
            "valueQuantity": {"value": value},
        }

    found = [measured("8867-4", 74, "vital-signs"), measured("1104051000000101", 3, "survey")]
    assert values(found) == [["8867-4", "74"]]


def test_a_form_is_read_as_it_is_filled_in() -> None:
    page = """<form action="/other"><input name="no" value="1"></form>
    <form method="post" action="/here"><input type="hidden" name="key" value="k&amp;1">
    <input type="checkbox" name="box" value="1"><textarea name="text" rows="8">Funn:\n</textarea>
    <select name="type"><option value="a">A</option><option value="b" selected>B</option></select>
    </form><input name="outside" value="1">"""
    assert form(page.encode(), "/here") == {"key": "k&1", "text": "Funn:\n", "type": "b"}
    with pytest.raises(ValueError, match="no form for /there"):
        form(page.encode(), "/there")


def test_percentiles_are_values_that_were_measured() -> None:
    ordered = [float(n) for n in range(1, 101)]
    assert [percentile(ordered, p) for p in (50, 95, 99)] == [50, 95, 99]
    assert latencies([0.25]) == {"p50": 250, "p95": 250, "p99": 250, "max": 250}
    assert latencies([]) == {}


@asynccontextmanager
async def answering(answer: Answering, most: int = 4) -> AsyncIterator[Wire]:
    """A wire of so many connections to a server that answers each of them so."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(f"http://127.0.0.1:{port}", most, seconds=5)
    try:
        yield wire
    finally:
        await wire.close()
        server.close()


async def _chunked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(2):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    writer.close()


async def _half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await writer.drain()
    writer.close()


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.3)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


async def test_answers_in_pieces_come_over_one_connection() -> None:
    async with answering(_chunked) as wire:
        for _ in range(2):
            assert (await wire.ask("GET", "/", {})).body == b"abc"


async def test_half_an_answer_is_none() -> None:
    async with answering(_half) as wire:
        with pytest.raises(NoAnswer):
            await wire.ask("POST", "/", {}, b"x")


async def _closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n")
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()


async def test_a_stream_is_followed_for_its_time_and_one_that_ends_before_is_a_fault() -> None:
    async with answering(_closed) as wire:
        answer = await wire.follow("/live", {}, 0.01)
        assert (answer.status, b"event" in answer.body) == (200, True)
        with pytest.raises(NoAnswer, match="closed"):
            await wire.follow("/live", {}, 5)


def test_an_address_without_http_is_refused() -> None:
    with pytest.raises(ValueError, match="no http"):
        Wire("localhost:8000")


async def test_those_who_wait_for_a_slow_server_are_counted_from_their_schedule(
    tmp_path: Path,
) -> None:
    """One connection, answers that take 0.3 s: the second waits as long again, and says so."""
    (chart,) = (action for action in ACTIONS if action.name == "look at my patients")
    events = [Event(600, n, chart, staff("ward", 1), "a") for n in range(2)]
    async with answering(_slow, most=1) as wire:
        ledger = Ledger(tmp_path / "ledger.sqlite")
        board = Board(wire, ledger, Tally(), "run", 1, 60, ())
        played = await play(board, events, DAY, 600)
    steps = board.tally.kinds["my patients"]
    assert played.begun == 2
    assert max(steps.sent) == pytest.approx(0.3, abs=0.2)
    assert max(steps.planned) > 0.55
    assert max(board.tally.late) > 0.25
