"""`helsevev region`: its actions, and of `generate` what is asked, shown and said at the end."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .generate import Plan, Told, bundles
from .into import NotStored, load
from .replay import command as replay
from .shards import Tally, write

SUMMARY = "tell a synthetic region of inhabitants"
KEEPS = ("keep", "reset")
"""Actions on a record's database, which are carried out where that is known."""

_DEFAULT = Plan(0.002)
_FRAME_SECONDS = 0.2


def _scale(text: str) -> float:
    value = float(text)
    if not 0 < value <= 10:
        raise ArgumentTypeError("a scale is above 0 and at most 10; 1 is 740,000 inhabitants")
    return value


def scale_or_none(text: str) -> float:
    """A scale, or 0 for no generated inhabitants at all."""
    return 0.0 if float(text) == 0 else _scale(text)


def _years(text: str) -> float:
    value = float(text)
    if not 0 < value <= 20:
        raise ArgumentTypeError("years are above 0 and at most 20")
    return value


def _day(text: str) -> date:
    # The only place where the clock is asked, and only when the word is given.
    return datetime.now(UTC).date() if text == "today" else date.fromisoformat(text)


def add_arguments(parser: ArgumentParser) -> None:
    """What stands after `helsevev region`."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do with a region"
    )
    generate = actions.add_parser("generate", help="tell the lives of a synthetic region")
    add = generate.add_argument
    add("--scale", type=_scale, default=_DEFAULT.scale, help="1 is 740,000 inhabitants")
    add("--years", type=_years, default=_DEFAULT.years, help="how many years are told")
    add("--seed", type=int, default=_DEFAULT.seed, help="another seed is another region")
    add("--until", type=_day, default=_DEFAULT.until, metavar="DATE",
        help=f"the first day not told, or `today` (default {_DEFAULT.until})")  # fmt: skip
    add("--dose-days", type=int, metavar="DAYS",
        help="tell single doses for the last days only (default: all)")  # fmt: skip
    add("--processes", type=int, default=2, help="how many processes tell (default 2)")
    add("--json", action="store_true", help="print a summary as JSON")
    target = generate.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, metavar="DIR", help="write NDJSON.gz shards")
    target.add_argument("--into", metavar="URL|DIR", help="a PostgreSQL URL or a data folder")
    replay.add_arguments(
        actions.add_parser("replay", help="play a weekday of the region through a served record")
    )

    actions.add_parser("keep", help="keep the record as it is now, for reset")
    reset = actions.add_parser("reset", help="put the record back as it was kept, in seconds")
    reset.add_argument("--yes", action="store_true", help="do not ask whether it is meant")


class _Screen:
    """The progress bar on stderr: inhabitants told, resources a second, time left."""

    def __init__(self, plan: Plan, tally: Tally) -> None:
        self._tally = tally
        console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            BarColumn(), MofNCompleteColumn(), TextColumn("inhabitants"),
            TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console,
            auto_refresh=False, disable=not console.is_terminal,
        )  # fmt: skip
        self._bar = self._progress.add_task("", total=plan.inhabitants, rate="")
        self._begun = time.monotonic()

    def watched(self, stream: Iterable[Told]) -> Iterator[Told]:
        """The same stream; the bar moves some times a second."""
        shown = 0.0
        with self._progress:
            for told in stream:
                yield told
                now = time.monotonic()
                if now - shown > _FRAME_SECONDS:
                    shown = now
                    self._show(now)
            self._show(time.monotonic())

    def _show(self, now: float) -> None:
        rate = self._tally.resources / max(now - self._begun, 0.001)
        self._progress.update(
            self._bar, completed=self._tally.inhabitants, rate=f"{rate:,.0f} resources/s"
        )
        self._progress.refresh()


def run(arguments: Namespace) -> int:
    """Do what was asked; returns the exit status."""
    plan = Plan(
        arguments.scale, arguments.years, arguments.seed, arguments.until, arguments.dose_days
    )
    tally = Tally()
    screen = _Screen(plan, tally)
    begun = time.monotonic()
    stream = tally.counted(screen.watched(bundles(plan, arguments.processes)))
    summary: dict[str, Any] = {}
    try:
        if arguments.out is not None:
            write(plan, stream, arguments.out)
        else:
            summary["stored"] = load(stream, arguments.into)
    except (OSError, NotStored) as problem:
        sys.stderr.write(f"helsevev region generate: {problem}\n")
        return 1
    seconds = time.monotonic() - begun
    summary = {
        **tally.as_data(),
        "seconds": round(seconds, 1),
        "resources_per_second": round(tally.resources / max(seconds, 0.001)),
        **summary,
    }
    _summarize(summary, as_json=arguments.json)
    return 0


def _summarize(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(summary, ensure_ascii=False) + "\n")
        return
    for name, count in summary["by_type"].items():
        sys.stdout.write(f"{count:>12,}  {name}\n")
    sys.stdout.write(
        f"{summary['resources']:>12,}  resources about {summary['inhabitants']:,} inhabitants in"
        f" {summary['seconds']} s ({summary['resources_per_second']:,} a second)\n"
    )
