"""The demo with inhabitants who are hidden, served: every byte that leaves it can be scanned."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.policy import decide
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import open_services
from helsevev.record import keys

from .address_scan import found_in
from .hidden_people import PEOPLE, STRICT, WORDS, bundles
from .hidden_questions import relations
from .tapping import Tap

HELSEVEV: Final = (
    sys.executable,
    "-c",
    "import sys; from helsevev.main import cli; sys.exit(cli())",
)
STRICT_ID: Final = "vern-streng"


@dataclass
class Watched:
    """A served record, what it printed, and everything that it answered."""

    url: str
    data: Path
    log: Path
    environment: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    hits: list[tuple[str, set[str]]] = field(default_factory=list)
    answers: int = 0

    def take(self, where: str, data: bytes, asked: str = "") -> None:
        """Scan what came; what was asked is said again in links, and tells nobody anything."""
        self.answers += 1
        if found := found_in(data, WORDS):
            found -= found_in(asked.encode(), WORDS)
        if found:
            self.hits.append((where, found))

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A command beside the server."""
        return subprocess.run(
            [*HELSEVEV, *words], env=self.environment, capture_output=True, check=False
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Watched]:
    """The demo with those who are hidden, served; its output kept to be scanned."""
    folder = tmp_path_factory.mktemp("watched")
    environment = {**os.environ, "HELSEVEV_DATA": str(folder / "data")}
    log = folder / "serve.log"
    with log.open("wb") as out:
        serving = subprocess.Popen(  # noqa: ASYNC220
            [*HELSEVEV, "serve", "--demo", "--port", "0"],
            env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        last = time.monotonic() + 90
        while "Ctrl-C" not in (said := log.read_text("utf-8")):
            assert serving.poll() is None, said
            assert time.monotonic() < last, said
            await asyncio.sleep(0.05)
        url = said.split("answers at ")[1].split()[0]
        made = Watched(url, folder / "data", log, environment)
        made.links = {m[1]: m[0] for m in re.finditer(r"/sign-in/([a-z-]+)\?key=\S+", said)}
        await plant(made)
        yield made
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(60)
    made.take("the server's log", log.read_bytes())
    assert made.hits == []


async def plant(watched: Watched) -> None:
    """Write those who are hidden as a system, and let those who may not see them in."""
    async with open_services(Settings(data=watched.data)) as services:
        for bundle in bundles():
            await services.bundles.transact(SYSTEM, bundle)
        for name, actor in relations().items():
            watched.tokens[name] = await services.credentials.issue_token(actor)
        for name in PEOPLE:
            told = PEOPLE[name][0]
            reason = f"Funnet bevisstløs i {told['line']}, {told['city']}"
            with contextlib.suppress(Exception):
                await services.gate.state_relation(relations()["stated"], name, "DELBEHAN", reason)
            if told is STRICT:
                # An emergency shows a physician the address of the other grade.
                await services.gate.break_glass(relations()["emergency"], name, "BLAALYS", reason)
        watched.tokens["system"] = await services.credentials.issue_token(SYSTEM)


def whole(answer: httpx.Response) -> bytes:
    """Status line, headers with cookies, and the content unpacked."""
    head = b"\n".join(b": ".join(pair) for pair in answer.headers.raw)
    return answer.reason_phrase.encode() + b"\n" + head + b"\n\n" + answer.content


async def until(happened: Callable[[], object]) -> None:
    """Wait until something has arrived."""
    async with asyncio.timeout(20):
        while not happened():
            await asyncio.sleep(0.05)


_LINK: Final = re.compile(r'(?:href|hx-get|src|data-url|action)="(/[^"#]*)')


async def walk(
    watched: Watched, browser: httpx.AsyncClient, persona: str, start: str, most: int
) -> None:
    """Open a page and what it leads to about the same inhabitant, so many pages at most."""
    waiting, seen = [start], {start}
    for _ in range(most):
        if not waiting:
            return
        path = waiting.pop(0)
        if "/live" in path or path.startswith("/static"):
            continue
        answer = await browser.get(path)
        assert answer.status_code < 500, (persona, path)
        watched.take(f"{persona}: {path}", whole(answer), path)
        for found in _LINK.findall(answer.text):
            found = found.replace("&amp;", "&")
            if found not in seen and start.rpartition("/")[2] in found:
                seen.add(found)
                waiting.append(found)


async def replay(watched: Watched, what: str, at_least: int) -> None:
    """Play the staff's work through a tap, and scan every byte that the server said."""
    tap = Tap(watched.url)
    async with tap as url:
        done = await asyncio.to_thread(
            watched.run, "region", "replay", *what.split(), "--json", url
        )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["begun"] >= at_least
    assert report["errors"] == 0
    lawful = await may_see(watched, {key for each in tap.heard for key in each.asked})
    said = [
        bytes(answer)
        for each in tap.heard
        for key, answer in zip(each.asked, each.said, strict=False)
        if key not in lawful
    ]
    assert len(said) > at_least
    assert STRICT_ID.encode() in b"".join(said), "nobody opened the hidden records"
    for number, answer in enumerate(said):
        watched.take(f"replay, answer {number}", answer)
    watched.take("the replay's report", done.stdout + done.stderr)
    watched.take("the server's log", watched.log.read_bytes())
    assert watched.hits == []


async def may_see(watched: Watched, keys_used: set[bytes]) -> set[bytes]:
    """Those of some tokens and sessions whose owner the rules let see one of the addresses.

    The system that reads back, and who came to treat one of them personally in the day's work.
    """
    found = set()
    patients = [keys.patient_key(name) for name in PEOPLE]
    async with open_services(Settings(data=watched.data)) as services:
        for key in keys_used - {b""}:
            token = key.decode()
            actor = await services.credentials.token_actor(token)
            actor = actor or await services.credentials.session_actor(token)
            assert actor is not None
            known = await services.gate.permits.known(actor, patients, clock.now())
            ways = (decide(actor, "read-address", each.facts) for each in known.values())
            if any(way.allowed for way in ways):
                found.add(key)
    return found


__all__ = ["STRICT_ID", "Watched", "plant", "replay", "until", "walk", "watched", "whole"]
