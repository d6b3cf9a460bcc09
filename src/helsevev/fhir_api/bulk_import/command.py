"""`helsevev import PATH…`: what it is asked, what it shows meanwhile, what it says at the end."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

import uvloop
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

from helsevev.fhir_api.bulk_import.carrying_out import Import, Tally
from helsevev.fhir_api.bulk_import.crew import Crew, Lost
from helsevev.fhir_api.bulk_import.portion import Fault
from helsevev.fhir_api.bulk_import.reading import Unreadable, sources
from helsevev.kit.chapter import Command, CommandContext
from helsevev.kit.progress import Bar

_TOLD: Final = 200
"""Faults that are written out one by one; the summary holds more."""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH",
        help="a .json, .ndjson, .gz, .bz2 or .zip file, or a folder of them",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")
    parser.add_argument(
        "--replace", action="store_true",
        help="store a new version of what is in the record with other content",
    )  # fmt: skip


class _Screen:
    """The progress bar and the faults, on stderr."""

    def __init__(self) -> None:
        self.bar = Bar(
            BarColumn(), DownloadColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
        )
        self._begun = time.monotonic()
        self._told = 0

    def show(self, tally: Tally, done: int, total: int) -> None:
        """Move the bar through what is read."""
        rate = tally.resources / max(time.monotonic() - self._begun, 0.001)
        self.bar.show(f"{rate:,.0f} resources/s", done, total)

    def packing(self, done: int, total: int) -> None:
        """Move the bar through the indexes, which are read and written meanwhile."""
        self.bar.show("packing indexes", done, total)

    def tell(self, fault: Fault) -> None:
        """Write a fault above the bar."""
        self._told += 1
        if self._told <= _TOLD:
            self.bar.console.print(str(fault), markup=False, style="red")
        elif self._told == _TOLD + 1:
            self.bar.console.print("More faults follow, which are not written out.", style="red")


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        everything = sources(arguments.paths)
    except Unreadable as problem:
        return _complain(str(problem))
    crew = Crew(context, "replace" if arguments.replace else "keep")
    screen = _Screen()
    with screen.bar:
        work = Import(everything, tell=screen.tell, show=screen.show, packing=screen.packing)
        try:
            uvloop.run(work.run(context, crew))
        except Lost as problem:
            screen.bar.console.print(str(problem), markup=False, style="red")
            screen.bar.console.print("Give the same command again: it goes on where it was.")
            work.tally.failed += 1
        finally:
            crew.end()
    _summarize(work.tally, arguments.json)
    return 1 if work.tally.failed else 0


def _summarize(tally: Tally, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(tally.as_data(), ensure_ascii=False) + "\n")
        return
    for name, count in sorted(tally.by_type.items()):
        sys.stdout.write(f"{count:>12,}  {name}\n")
    sys.stdout.write(
        f"{tally.resources:>12,}  resources in {tally.seconds:.1f} s"
        f" ({tally.rate:,.0f} a second), {tally.unchanged:,} of them unchanged\n"
    )
    if tally.packing_seconds >= 1:
        sys.stdout.write(f"{'':>12}  then {tally.packing_seconds:.1f} s for packing indexes\n")
    if tally.failed:
        sys.stdout.write(f"{tally.failed:>12,}  bundles, files or resources were not stored\n")


def _complain(text: str) -> int:
    sys.stderr.write(f"helsevev import: {text}\n")
    return 2


IMPORT = Command("import", "store bundles, NDJSON and single resources", _add_arguments, _run)
