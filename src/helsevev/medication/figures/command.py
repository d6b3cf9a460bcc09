"""`helsevev figures`: count anew how medicines are given, and say how far counting has come."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import date
from typing import Final

import uvloop

from helsevev.access.services import Services
from helsevev.kit import clock
from helsevev.kit.chapter import Command, CommandContext
from helsevev.kit.progress import Bar
from helsevev.medication.figures.keeping import Counting, first_day, last_day


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do with the figures"
    )
    rebuild = actions.add_parser("rebuild", help="count everything anew from the record")
    rebuild.add_argument(
        "--since", type=_day, metavar="DAY",
        help="from this day on, as 2026-11-02 (default: the first week that is shown)",
    )  # fmt: skip
    actions.add_parser("status", help="say how far counting has come")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is no day, such as 2026-11-02") from None


def _run(context: CommandContext, arguments: Namespace) -> int:
    return uvloop.run(_do(context, arguments))


async def _do(context: CommandContext, arguments: Namespace) -> int:
    async with context.services() as services:
        if arguments.action == "rebuild":
            return await _rebuild(services, arguments.since)
        progress = await services.medicine_figures.progress()
        _say(f"Counted up to {progress.day or 'nothing yet'}; closed: {progress.week or 'none'}.")
    return 0


async def _rebuild(services: Services, since: date | None) -> int:
    first = since or first_day(last_day(clock.now()))
    began, used = time.monotonic(), time.process_time()
    with Bar() as bar:
        done = await Counting(services.medicine_figures, services.unit_times).rebuild(
            first, lambda done, total: bar.show("Counting", done, total)
        )
    took, cpu = time.monotonic() - began, time.process_time() - used
    _say(f"Counted {done} inhabitants since {first} in {took:.1f} s, {cpu:.1f} s of one core.")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


FIGURES: Final = Command(
    "figures", "count how medicines are given, and tend the counts", _add_arguments, _run
)
