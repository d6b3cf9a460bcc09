"""`helsevev reindex`: what resources are found by, worked out anew by the rules of this version."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any, Final

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from helsevev.kit.chapter import Command, CommandContext

_FRAME_SECONDS: Final = 0.2


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--again", action="store_true", help="from the beginning, though it was finished before"
    )


class _Screen:
    """The progress bar, on stderr."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), console=console, auto_refresh=False,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._bar = self._progress.add_task("resources", total=None)
        self._shown = 0.0

    def __enter__(self) -> _Screen:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Move the bar, some times a second."""
        if time.monotonic() - self._shown >= _FRAME_SECONDS or done >= total:
            self._shown = time.monotonic()
            self._progress.update(self._bar, description=what, completed=done, total=total)
            self._progress.refresh()


def _run(context: CommandContext, arguments: Namespace) -> int:
    begun = time.monotonic()
    with _Screen() as screen:
        ended = uvloop.run(_reindex(context, screen, again=arguments.again))
    sys.stdout.write(
        f"{ended.done:>12,}  resources looked at, {ended.changed:,} of them found anew"
        f" ({time.monotonic() - begun:.1f} s)\n"
    )
    return 0


async def _reindex(context: CommandContext, screen: _Screen, *, again: bool) -> Any:
    async with context.services() as services:
        indexes = await services.packer.sizes()
        ended = await services.reindexer.run(
            lambda at: screen.show("resources", at.done, at.total), again=again
        )
        await services.packer.pack(
            indexes, lambda done, total: screen.show("packing indexes", done, total)
        )
        return ended


REINDEX = Command("reindex", "work out anew what resources are found by", _add_arguments, _run)
