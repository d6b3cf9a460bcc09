"""`helsevev terminology`: load code systems from their distributions, and list what is here."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import uvloop
from rich.console import Console

from helsevev.access.terminology import Terminology
from helsevev.kit.chapter import Command, CommandContext
from helsevev.record.terminology_loading import Loaded
from helsevev.terminology.distributions import READERS, read
from helsevev.terminology.opening import fingerprint
from helsevev.terminology.shapes import BadDistribution

_SHOWN_ONE_BY_ONE: Final = 20
_FRAME_SECONDS: Final = 0.1


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do with code systems"
    )
    load = actions.add_parser("load", help="load a distribution, whole or not at all")
    kinds = "; ".join(f"{kind}: {about}" for kind, (_, about) in READERS.items())
    load.add_argument("kind", choices=sorted(READERS), metavar="KIND", help=kinds)
    load.add_argument("path", type=Path, metavar="PATH", help="a file, a folder or an archive")
    load.add_argument("--version", default="", help="the version, where the files do not say it")
    load.add_argument(
        "--keep-current", action="store_true",
        help="leave the version that is current as it is; questions may name the new one",
    )  # fmt: skip
    actions.add_parser("list", help="list the code systems and versions that are here")


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        return uvloop.run(
            _load(context, arguments) if arguments.action == "load" else _list(context)
        )
    except BadDistribution as problem:
        sys.stderr.write(f"helsevev terminology: {problem}\n")
        return 1


async def _load(context: CommandContext, arguments: Namespace) -> int:
    begun = time.perf_counter()
    screen = _Screen()
    distribution = read(arguments.kind, arguments.path, arguments.version)
    digest = fingerprint(arguments.path, arguments.kind, arguments.version)
    async with context.services() as services:
        terminology: Terminology = services.terminology
        loaded = await terminology.load(
            distribution, digest, make_current=not arguments.keep_current, progress=screen.show
        )
    screen.end()
    _tell(loaded, len(distribution.definitions), len(distribution.maps), begun)
    return 0


def _tell(loaded: Sequence[Loaded], value_sets: int, maps: int, begun: float) -> None:
    if len(loaded) <= _SHOWN_ONE_BY_ONE:
        for each in loaded:
            named = f"{each.system} {each.version}".strip()
            became = "is here already" if each.unchanged else f"{each.concepts:,} concepts"
            sys.stdout.write(f"{named}: {became}\n")
    else:
        fresh = [each for each in loaded if not each.unchanged]
        count = sum(each.concepts for each in fresh)
        same = len(loaded) - len(fresh)
        line = f"{len(fresh)} code systems, {count:,} concepts; {same} were here already\n"
        sys.stdout.write(line)
    if value_sets or maps:
        sys.stdout.write(f"{value_sets} value sets, {maps} concept maps\n")
    sys.stdout.write(f"in {time.perf_counter() - begun:.1f} s\n")


async def _list(context: CommandContext) -> int:
    async with context.services() as services:
        rows: list[Any] = await services.terminology.releases()
    for row in rows:
        current = "current" if row["is_current"] else ""
        version = row["version"] or "-"
        line = (
            row["system"], version, f"{row['concepts']:,}", row["content"], current,
            row["origin"] or row["source"],
        )  # fmt: skip
        sys.stdout.write("\t".join(line) + "\n")
    return 0


class _Screen:
    """One line on stderr about how far the loading has come, where somebody is looking."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("Reading ...")
        self._shown = 0.0
        if self._console.is_terminal:
            self._status.start()

    def show(self, what: str, count: int) -> None:
        """Say how much there is, some times a second."""
        now = time.monotonic()
        if now - self._shown >= _FRAME_SECONDS:
            self._shown = now
            self._status.update(f"{what}: {count:,}")

    def end(self) -> None:
        """Leave no line behind."""
        if self._console.is_terminal:
            self._status.stop()


TERMINOLOGY: Final = Command("terminology", "load and list code systems", _add_arguments, _run)
