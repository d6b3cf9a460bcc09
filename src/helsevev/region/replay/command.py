"""`helsevev region replay`: what it is asked, what it shows while it plays, how it ends."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .admission import Admission
from .limit import Limit, find_limit
from .plan import WHOLE_DAY, Part
from .record import Unreadable
from .report import Report
from .roster import NobodyToCareFor
from .stage import NotAdmitted, Wanted, replay
from .wire import NoAnswer

_OSLO: Final = ZoneInfo("Europe/Oslo")
_FRAME_SECONDS: Final = 0.2
_SPEED: Final = 60.0
_ACCESS_LASTS: Final = timedelta(weeks=3)
_BUSIEST: Final = Part(8, 9)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date such as 2026-11-20") from None
    today = datetime.now(_OSLO).date()
    if day > today:
        raise ArgumentTypeError(f"{day} has not come yet")
    if day < today - _ACCESS_LASTS:
        raise ArgumentTypeError(f"{day} is long ago: units may no longer open those charts")
    return day


def _latest_weekday() -> date:
    day = datetime.now(_OSLO).date()
    return day - timedelta(days=max(0, day.weekday() - 4))


def _hours(text: str) -> Part:
    first, _, last = text.partition("-")
    part = Part(float(first), float(last))
    if not 0 <= part.first < part.last <= 24:
        raise ArgumentTypeError("hours are two numbers from 0 to 24, the smaller first: 9-10")
    return part


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1_000_000:
        raise ArgumentTypeError("a number above 0")
    return value


def _some(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 5000:
        raise ArgumentTypeError("a whole number from 1 to 5,000")
    return value


def add_arguments(parser: ArgumentParser) -> None:
    """What stands after `helsevev region replay`."""
    add = parser.add_argument
    add("url", metavar="URL", help="where the region is served, with --demo")
    add("--day", type=_day, nargs="?", default=None, const=None, metavar="DATE",
        help="the weekday that is played (default: the latest)")  # fmt: skip
    add("--speed", type=_positive, metavar="X",
        help=f"how many times faster than life (default {_SPEED:g})")  # fmt: skip
    add("--hours", type=_hours, default=WHOLE_DAY, metavar="A-B",
        help="only a part of the day, such as 9-10")  # fmt: skip
    add("--seconds", type=_positive, help="begin nothing more after so many seconds")
    add("--inhabitants", type=int, metavar="N",
        help="as much as so many would cause (default: as many as the record has)")  # fmt: skip
    add("--seed", type=int, default=1, help="another seed is another day")
    add("--staff", type=_some, metavar="N",
        help="how many are at work at most (default: 1 for 50 people, 100 to 600)")  # fmt: skip
    add("--connections", type=_some, default=128, help="open connections at most (default 128)")
    add(
        "--find-limit",
        action="store_true",
        help="find the highest speed sustained in the busiest hour",
    )
    add("--server-pid", type=int, metavar="PID", help="the server's process, to measure it")
    add("--out", type=Path, metavar="DIR", help="where the ledger is kept")
    add("--json", action="store_true", help="print the report as JSON")


class Bar:
    """The progress bar on stderr."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"), TimeRemainingColumn(), console=console,
            auto_refresh=False, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self.progress.add_task("", detail="")
        self._shown = 0.0
        self._done = 0

    def begin(self, what: str, total: int) -> None:
        """A new part of the work begins."""
        self._done = 0
        self.progress.reset(self._task, description=what, total=total or None, detail="")
        self.progress.refresh()

    def advance(self, done: int, detail: str = "") -> None:
        """So much of the part is done."""
        self._done += done
        now = time.monotonic()
        if now - self._shown > _FRAME_SECONDS:
            self._shown = now
            self.progress.update(self._task, completed=self._done, detail=detail)
            self.progress.refresh()


def run(arguments: Namespace, admission: Admission) -> int:
    """Replay; 0 when nothing went wrong, 1 for an error, a lost or a doubled write, or when it
    could not begin.
    """
    wanted = Wanted(
        arguments.url.rstrip("/"), arguments.day or _latest_weekday(),
        arguments.speed or _SPEED, arguments.seed, arguments.hours, arguments.staff,
        arguments.connections, arguments.seconds, arguments.inhabitants, arguments.server_pid,
        arguments.out,
    )  # fmt: skip
    if arguments.find_limit and wanted.part == WHOLE_DAY:
        wanted = replace(wanted, part=_BUSIEST)
    bar = Bar()
    found: Report | Limit
    try:
        with bar.progress:
            if arguments.find_limit:
                found = uvloop.run(find_limit(wanted, admission, bar))
            else:
                found = uvloop.run(replay(wanted, admission, bar))
    except (NotAdmitted, NobodyToCareFor, Unreadable, NoAnswer, ValueError) as problem:
        return _complain(str(problem))
    except ExceptionGroup as problems:
        expected, others = problems.split((NotAdmitted, Unreadable, NoAnswer))
        if others is not None or expected is None:
            raise
        return _complain(str(expected.exceptions[0]))
    text = json.dumps(found.as_data(), ensure_ascii=False) if arguments.json else found.table()
    sys.stdout.write(f"{text.rstrip()}\n")
    return 0 if found.is_sound else 1


def _complain(text: str) -> int:
    sys.stderr.write(f"helsevev region replay: {text}\n")
    return 1
