"""What policy, wall and audit cost, and what sessions take: `python -m bench.access`.

Draws charts of the demo with all of it and with none of it by turns, in one process, so that
whatever else the machine does meets both. "None" is made here, by putting other functions in the
place of the program's: the program itself has no switch for it. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import httpx

from helsevev.access import demo, gate, permit, withholding
from helsevev.access.actor import Actor
from helsevev.access.audit_trail import AuditTrail
from helsevev.access.permit import Permits, Verdict
from helsevev.access.policy import Decision
from helsevev.access.services import Services
from helsevev.access.session import SignIn
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import build_app, open_services
from helsevev.record import keys, store, wall

TURNS: Final = 60
CHARTS: Final = 4
SESSIONS: Final = 18_000
TIES: Final = (10, 1_000, 10_000)
"""Inhabitants whom an actor is tied to, for a search across them."""

_TIE: Final = """
INSERT INTO treatment_relation (patient, start_at, end_at, source_type, source_id, grantee)
SELECT n, 0, 9000000000000000, 'CareTeam', 'bench', $2 FROM unnest($1::bigint[]) AS n
"""


async def main() -> None:
    """Measure, and print what was found."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), demo=True)
        async with open_services(settings) as services:
            await demo.load(services, clock.now())
            found = {
                "chart": await _charts(settings, services),
                "search across inhabitants": await _searches(services),
                "sessions": await _sessions(services),
            }
    json.dump(found, sys.stdout, indent=2)
    print()


async def _charts(settings: Settings, services: Services) -> dict[str, Any]:
    actor = next(a for a in demo.personas().values() if a.profession == "physician")
    patients = [each.patient_id for each in await services.people.mine(actor)][:CHARTS]
    token = await services.credentials.start_session(actor, SignIn())
    app: Any = build_app(settings, services)
    spent: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://chart.example",
        cookies={"helsevev_session": token},
    )  # fmt: skip
    async with client:
        for turn in range(TURNS + 5):
            for how in sorted(spent, reverse=bool(turn % 2)):
                with _nothing() if how == "without" else ExitStack():
                    begun = time.perf_counter(), _cpu(settings.data)
                    for patient in patients:
                        answer = await client.get(f"/patient/{patient}")
                        assert answer.status_code == 200, answer.text
                    took = time.perf_counter() - begun[0], _cpu(settings.data) - begun[1]
                if turn >= 5:
                    spent[how].append(took)
    each = {how: statistics.median(took for took, _ in turns) for how, turns in spent.items()}
    return {
        "ms": {how: round(took / len(patients) * 1e3, 2) for how, took in each.items()},
        "cpu ms": {how: round(_mean_cpu(t) / len(patients) * 1e3, 2) for how, t in spent.items()},
        "ratio": round(each["with"] / each["without"], 3),
        "cpu ratio": round(_mean_cpu(spent["with"]) / _mean_cpu(spent["without"]), 3),
    }


def _mean_cpu(turns: list[tuple[float, float]]) -> float:
    return statistics.fmean(cpu for _, cpu in turns)


def _cpu(data: Path) -> float:
    """Processor seconds of this process and of the PostgreSQL in a data folder."""
    server = (data / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if server in (said[1], stat.parent.name):
            ticks += int(said[11]) + int(said[12])
    return time.process_time() + ticks / 100


@contextmanager
def _nothing() -> Iterator[None]:
    """No look at ties, no policy, no filter, no wall and no trail."""

    async def allowed(_self: Permits, _actor: Actor, patients: Any, *_: Any) -> dict[int, Verdict]:
        until = clock.now() + permit.HOLDS
        return {p: Verdict(Decision(True, "relation", ""), "TREAT", until) for p in patients}

    async def untraced(_self: AuditTrail, *_rows: Any) -> None:
        return None

    everything: list[tuple[Any, str, Callable[..., Any]]] = [
        (Permits, "verdicts", allowed), (AuditTrail, "keep", untraced),
        *((module, "asking", lambda: None) for module in (gate, permit, store, wall)),
        (withholding, "judge", lambda stored, *_: withholding.Judged(stored)),
    ]  # fmt: skip
    with ExitStack() as patched:
        for place, name, instead in everything:
            patched.enter_context(patch.object(place, name, instead))
        yield


async def _searches(services: Services) -> dict[str, Any]:
    """Milliseconds of a search across everybody one treats, by how many those are."""
    database = services.gate.store.roles.owner
    found: dict[str, Any] = {}
    asked = {
        "by code": "Observation?code=http://loinc.org|8867-4&_count=50",
        "by identifier": "Patient?identifier=13116900216",
        "newest": "Observation?_sort=-date&_count=50",
    }
    for ties in TIES:
        unit = f"Organization/bench-{ties}"
        patients = [keys.next_key() for _ in range(ties)]
        rows = await database.fetch("SELECT DISTINCT patient FROM resource WHERE patient > 0")
        await database.execute(_TIE, [*patients, *(row[0] for row in rows)], unit)
        await database.execute("ANALYZE treatment_relation")
        someone = next(iter(demo.personas().values()))
        actor = replace(someone, id="Practitioner/bench", organisation=unit, organisations=(unit,))
        for name, text in asked.items():
            kind, _, query = text.partition("?")
            pairs = [tuple(each.split("=", 1)) for each in query.split("&")]
            read = await services.searcher.read(kind, pairs, strict=True, base="")  # type: ignore[arg-type]
            spent: dict[str, list[float]] = {"with": [], "without": []}
            for turn in range(40):
                for how in sorted(spent, reverse=bool(turn % 2)):
                    with wall.behind() if how == "with" else wall.beyond():
                        begun = time.perf_counter()
                        await services.searcher.search(actor, read)
                        spent[how].append(time.perf_counter() - begun)
            found[f"{name}, {ties} tied to"] = {
                how: round(statistics.median(took) * 1e3, 2) for how, took in spent.items()
            }
    return found


async def _sessions(services: Services) -> dict[str, Any]:
    """What open sessions take: rows, and what a process keeps of them in memory."""
    everyone = list(demo.personas().values())
    patients = await services.gate.store.roles.owner.fetch(
        "SELECT id FROM resource WHERE type = 'Patient'"
    )
    before = _resident()
    chance = random.Random(3)
    tokens = []
    for number in range(SESSIONS):
        actor = replace(chance.choice(everyone), id=f"Practitioner/bench-{number}")
        tokens.append(await services.credentials.start_session(actor, SignIn()))
    for token in tokens:
        session = await services.credentials.session(token)
        assert session is not None
        for row in chance.sample(patients, min(2, len(patients))):
            await services.gate.permits.verdict(session.actor, keys.patient_key(row["id"]))
    size = "SELECT pg_total_relation_size('session')"
    rows: int = await services.gate.store.roles.owner.fetchval(size)
    return {
        "sessions": SESSIONS,
        "rows MB": round(rows / 1e6, 1),
        "kept in one process MB": round((_resident() - before) / 1e6, 1),
        "process at its largest MB": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1
        ),
    }


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    asyncio.run(main())
