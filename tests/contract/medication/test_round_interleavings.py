"""Any interleaving of work with and without contact: nothing is lost, and nothing is doubled.

The phones are the real queue and seal, run by Node; what they send is taken in by the real gate and
rules over PostgreSQL. The network between is ours: it loses, repeats, delays and reorders.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio
from tools.build_assets import MODULES, find_node

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.brought import DONE, is_apart
from helsevev.access.services import Services, services_over
from helsevev.access.slices import Slice
from helsevev.kit import clock
from helsevev.main import CHAPTERS, rules, rules_beside
from helsevev.medication.administration import ANSWERS, due_key, is_contradiction, said_outside
from helsevev.medication.offline.arriving import Answer, Item, take_in
from helsevev.medication.offline.doses import known_late
from helsevev.medication.offline.envelope import Seals, Ticket
from helsevev.medication.outside_plan import is_awaiting
from helsevev.medication.timing import key_of
from helsevev.record.database import Database

log = logging.getLogger(__name__)
Resource = dict[str, Any]
HERE = Path(__file__).parent
VERBS = {kind: verb for chapter in CHAPTERS for kind, verb in chapter.brought.items()}
NURSE = Actor(
    "practitioner", "Practitioner/nora", "Nora Ness", "nurse", "nurse", "Organization/ward",
    "Ward", "Ward", ("Organization/ward",),
)  # fmt: skip
OTHER = replace(NURSE, id="Practitioner/odd", name="Odd Olsen")
PEOPLE = {"a": NURSE, "b": NURSE, "c": OTHER}
_SLICES = tuple(
    Slice(kind, 200) for kind in ("MedicationAdministration", "Observation", "Composition", "Task")
)


class Phones:
    """The queue's own process, asked one line at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._turn = asyncio.Lock()

    async def ask(self, phone: str, **what: Any) -> Any:
        """What a phone answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps({"phone": phone, **what}).encode() + b"\n")
            line = await self.process.stdout.readline()
        assert line, "The phones' process ended."
        return json.loads(line)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phones]:
    node, _ = find_node()
    built = tmp_path_factory.mktemp("phones") / "phones.mjs"
    esbuild = [node, str(MODULES / "esbuild" / "bin" / "esbuild"), str(HERE / "phones.ts")]
    options = ["--bundle", "--platform=node", "--format=esm", f"--outfile={built}"]
    building = await asyncio.create_subprocess_exec(*esbuild, *options, "--log-level=error")
    assert await building.wait() == 0
    process = await asyncio.create_subprocess_exec(
        node, str(built), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )  # fmt: skip
    yield Phones(process)
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    projections = tuple(p for chapter in CHAPTERS for p in chapter.projections)
    made = services_over(database, rules(), projections, beside=rules_beside())
    await made.feed.start()
    yield made
    await made.feed.stop()


@dataclass
class Ordered:
    """A planned medicine, and when its one dose is due."""

    id: str
    due: datetime

    @property
    def key(self) -> str:
        return key_of(self.id, self.due)


@dataclass
class Case:
    """One patient, whose round has been taken along by every phone."""

    patient: str
    orders: list[Ordered]
    needed: str
    stay: str
    taken_at: datetime


def _order(patient: str, due: datetime | None) -> Resource:
    repeat: Resource = {"frequency": 1, "period": 12, "periodUnit": "h"}
    dosage: Resource = {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}]}
    if due is None:
        repeat["period"] = 2
        dosage["asNeededBoolean"] = True
    else:
        repeat["boundsPeriod"] = {"start": due.isoformat()}
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": patient}, "medicationCodeableConcept": {"text": "Medisin"},
        "requester": {"reference": "Practitioner/doctor", "display": "Doktor"},
        "dosageInstruction": [{**dosage, "timing": {"repeat": repeat}}],
    }  # fmt: skip


async def prepare(services: Services, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A patient on the ward whose orders were written two hours ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    minute = now.replace(second=0)
    dues = [minute + timedelta(minutes=m) for m in (-25, -5, 20)]
    urls = [f"urn:uuid:{uuid4()}" for _ in range(6)]
    patient = urls[0]
    stay = {
        "resourceType": "Encounter", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": patient}, "period": {"start": "2026-01-01"},
        "serviceProvider": {"reference": "Organization/ward"},
    }  # fmt: skip
    made: list[Resource] = [
        {"resourceType": "Patient", "name": [{"family": "Rund"}], "birthDate": "1950-01-01"},
        stay, *(_order(patient, due) for due in dues), _order(patient, None),
    ]  # fmt: skip
    entries = [
        {"fullUrl": url, "resource": r, "request": {"method": "POST", "url": r["resourceType"]}}
        for url, r in zip(urls, made, strict=True)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    with monkeypatch.context() as earlier:
        earlier.setattr(clock, "now", lambda: now - timedelta(hours=2))
        answer = await services.bundles.transact(SYSTEM, bundle)
    ids = [e["response"]["location"].split("/")[1] for e in answer["entry"]]
    orders = [Ordered(name, due) for name, due in zip(ids[2:5], dues, strict=True)]
    return Case(ids[0], orders, ids[5], ids[1], now - timedelta(minutes=10))


@dataclass
class Schedule:
    """One random schedule over one patient: what was done, and what is under way."""

    services: Services
    phones: Phones
    seals: Seals
    case: Case
    chance: random.Random
    done: dict[str, Resource] = field(default_factory=dict)
    asked: list[tuple[str, list[Item]]] = field(default_factory=list)
    answers: list[tuple[str, list[Answer]]] = field(default_factory=list)
    wiped: set[str] = field(default_factory=set)
    online: int = 0

    async def run(self) -> None:
        steps = [self.act] * 7 + [self.send] * 5 + [self.deliver] * 7 + [self.hear] * 5
        steps += [self.colleague, self.change_order, self.change_access, self.wipe]
        for _ in range(self.chance.randint(15, 40)):
            await self.chance.choice(steps)()
        await self.bring_all()
        await self.check()

    def phone(self, name: str) -> str:
        return f"{self.case.patient}.{name}"

    def ticket(self, name: str) -> str:
        later = self.case.taken_at + timedelta(hours=12)
        actor = PEOPLE[name].as_data()
        return self.seals.ticket(Ticket(actor, "s", self.case.taken_at, later))

    async def act(self) -> None:
        name = self.chance.choice(list(PEOPLE))
        kind = self.chance.choice(["given"] * 4 + ["withheld", "needed", "measured", "noted"])
        one = self.chance.choice(self.case.orders)
        said: Resource = {"order": one.id, "version": 1, "place": 0, "due": one.key}
        if kind == "withheld":
            said["reason"] = "refused"
        elif kind == "needed":
            said = {"order": self.case.needed, "version": 1, "place": 0, "reason": "vondt"}
        elif kind == "measured":
            said = {"values": {"pulse": "70", "temperature": "37.1"}}
        elif kind == "noted":
            said = {"type": "nursing", "text": "Sov godt."}
        at = datetime.now(UTC).replace(microsecond=0)
        at -= timedelta(seconds=self.chance.randint(0, 400))
        key = str(UUID(int=self.chance.getrandbits(128), version=4))
        told = {"kind": kind, "patient": self.case.patient, "at": at.isoformat(), "said": said}
        self.done[key] = {**told, "phone": name, "moment": at}
        sealed = {**told, "ticket": self.ticket(name)}
        act = {"key": key, "at": at.timestamp() * 1000, "told": sealed, "server": self.seals.public}
        await self.phones.ask(self.phone(name), act=act)

    async def send(self, name: str = "", now: float = 0) -> None:
        name = name or self.chance.choice(list(PEOPLE))
        # Now and then so much later that what was not answered is sent again.
        now = now or self.chance.choice([0, 1e6, 1e12])
        items = await self.phones.ask(self.phone(name), send={"now": now})
        if items and self.chance.random() > 0.2:  # Else the request is lost.
            self.asked.append((name, msgspec.convert(items, list[Item])))

    async def deliver(self) -> None:
        count = self.chance.choice([1, 1, 2, 3])
        chosen = [self.chance.choice(self.asked) for _ in range(count) if self.asked]
        for each in chosen:
            if each in self.asked and self.chance.random() < 0.7:  # Else it comes again.
                self.asked.remove(each)
        await asyncio.gather(*(self.take(name, items) for name, items in chosen))

    async def take(self, name: str, items: list[Item]) -> None:
        # Whoever is signed in on the phone by then brings it.
        reader = self.chance.choice([PEOPLE[name], OTHER])
        answers = await take_in(self.services, VERBS, self.seals, reader, items)
        if self.chance.random() > 0.25:  # Else the answer is lost.
            self.answers.append((name, answers))

    async def hear(self) -> None:
        if not self.answers:
            return
        name, answers = self.chance.choice(self.answers)
        if self.chance.random() < 0.7:  # Else it comes again.
            self.answers.remove((name, answers))
        await self.phones.ask(self.phone(name), hear=msgspec.to_builtins(answers))

    async def colleague(self) -> None:
        """Somebody signs a dose with contact, as the record's own rules let them."""
        one = self.chance.choice(self.case.orders)
        key = str(uuid4())
        said = {"order": one.id, "version": 1, "place": 0, "due": one.key}
        told = {"kind": "given", "patient": self.case.patient, "said": said}
        at = datetime.now(UTC).replace(microsecond=0)
        self.done[key] = {**told, "phone": "c", "moment": at}
        sealed = {**told, "at": at.isoformat(), "ticket": self.ticket("c")}
        act = {"key": key, "at": 0, "told": sealed, "server": self.seals.public}
        await self.phones.ask(self.phone("c"), act=act)

    async def change_order(self) -> None:
        one = self.chance.choice(self.case.orders)
        stored = await self.services.gate.open_resource(SYSTEM, "MedicationRequest", one.id)
        status = self.chance.choice(["stopped", "on-hold", "active"])
        if stored.resource["status"] != status:
            changed = {**stored.resource, "status": status}
            await self.services.writer.write(SYSTEM, changed, if_match=stored.version)

    async def change_access(self) -> None:
        stored = await self.services.gate.open_resource(SYSTEM, "Encounter", self.case.stay)
        is_open = stored.resource["status"] == "in-progress"
        status = "entered-in-error" if is_open else "in-progress"
        changed = {**stored.resource, "status": status}
        await self.services.writer.write(SYSTEM, changed, if_match=stored.version)

    async def wipe(self) -> None:
        """Somebody signs out, or the shift is over."""
        name = self.chance.choice(list(PEOPLE))
        rows = await self.phones.ask(self.phone(name), send={"now": -1})
        assert rows == []
        before = await self.phones.ask(self.phone(name), hear=[])
        self.wiped |= {row["key"] for row in before if row["state"] != "waiting"}
        left = await self.phones.ask(self.phone(name), wipe=True)
        assert {row["key"] for row in left} == {r["key"] for r in before} - self.wiped

    async def bring_all(self) -> None:
        """The network is back: what is under way comes late, and all that waits is sent."""
        self.chance.shuffle(self.asked)
        for name, items in self.asked:
            await self.take(name, items)
        for round_ in range(1, 12):
            waiting = 0
            for name, who in PEOPLE.items():
                items = await self.phones.ask(self.phone(name), send={"now": 1e13 * round_})
                waiting += len(items)
                if items:
                    asked = msgspec.convert(items, list[Item])
                    heard = await take_in(self.services, VERBS, self.seals, who, asked)
                    await self.phones.ask(self.phone(name), hear=msgspec.to_builtins(heard))
            if not waiting:
                break
        for name, answers in self.answers:
            await self.phones.ask(self.phone(name), hear=msgspec.to_builtins(answers))

    async def check(self) -> None:
        permit = await self.services.gate.open_chart(SYSTEM, self.case.patient)
        found = await self.services.gate.open_slices(permit, _SLICES)
        by_key = Counter(k for kind in found.values() for each in kind for k in _keys(each))
        assert [key for key, count in by_key.items() if count > 1] == [], "doubled"
        homes = {key.partition(".")[0] for key in by_key}
        assert homes == self.done.keys(), "lost, or out of nowhere"
        told = self._each_answer(found)
        states = {}
        for name in PEOPLE:
            for row in await self.phones.ask(self.phone(name), hear=[]):
                states[row["key"]] = row["state"]
            await self.phones.ask(self.phone(name), forget=True)
        # What each phone says of each act is what became of it.
        assert states == {key: state for key, state in told.items() if key not in self.wiped}
        signed = Counter(
            due_key(each) for each in found["MedicationAdministration"]
            if due_key(each) and each["status"] in ANSWERS
        )  # fmt: skip
        assert [key for key, count in signed.items() if count > 1] == [], "one dose, two answers"

    def _each_answer(self, found: dict[str, list[Resource]]) -> dict[str, str]:
        """Each act is what was done, when it was done, by whom; what is unsettled is a task.

        Gives what became of each.
        """
        ends = {}
        focuses = [t.get("focus", {}).get("reference") for t in found["Task"] if is_awaiting(t)]
        apart = {key for t in found["Task"] if is_apart(t) for key in _keys(t)}
        kinds: dict[str, str] = {
            "given": "MedicationAdministration", "withheld": "MedicationAdministration",
            "needed": "MedicationAdministration", "measured": "Observation", "noted": "Composition",
        }  # fmt: skip
        for key, done in self.done.items():
            kept = [r for r in found[kinds[done["kind"]]] if key in _keys(r)]
            assert len(kept) + (key in apart) == 1, f"{done['kind']}: once, somewhere"
            ends[key] = "refused" if key in apart else "stored"
            for each in kept:
                said = each.get("effectiveDateTime") or each["date"]
                assert datetime.fromisoformat(said) == done["moment"]
                assert PEOPLE[done["phone"]].id in json.dumps(each)
                if done["kind"] == "measured":
                    values = [r for r in found["Observation"] if _keys(r)[0].startswith(key)]
                    assert len(values) == 2
                if each["resourceType"] != "MedicationAdministration":
                    continue
                settles = said_outside(each) is not None or bool(known_late(each))
                told = focuses.count(f"MedicationAdministration/{each['id']}")
                assert told == (1 if settles else 0)
                gave = each["status"] in ("completed", "in-progress")
                assert gave or is_contradiction(each) or done["kind"] == "withheld"
                if settles or is_contradiction(each):
                    ends[key] = "conflict"
        return ends


def _keys(resource: Resource) -> list[str]:
    said = resource.get("identifier", [])
    listed = said if isinstance(said, list) else [said]
    return [each["value"] for each in listed if each.get("system") == DONE]


async def schedules(
    services: Services, phones: Phones, monkeypatch: pytest.MonkeyPatch, count: int, seed: int
) -> None:
    seals = Seals("of the tests")
    for first in range(0, count, 8):
        cases = [await prepare(services, monkeypatch) for _ in range(min(8, count - first))]
        runs = [
            Schedule(services, phones, seals, case, random.Random(seed + first + place))
            for place, case in enumerate(cases)
        ]
        ends = await asyncio.gather(*(run.run() for run in runs), return_exceptions=True)
        for place, end in enumerate(ends):
            if isinstance(end, BaseException):
                raise AssertionError(f"schedule {seed + first + place}") from end
        log.info("%s schedules", first + len(runs))


async def test_a_few_schedules_lose_nothing_and_double_nothing(
    services: Services, phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    await schedules(services, phones, monkeypatch, 80, seed=1)


@pytest.mark.soak
async def test_ten_thousand_schedules_lose_nothing_and_double_nothing(
    services: Services, phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = int(os.environ.get("HELSEVEV_SCHEDULES", "10000"))
    await schedules(services, phones, monkeypatch, count, seed=1_000)
