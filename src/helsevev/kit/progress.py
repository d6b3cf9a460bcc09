"""How far a command has come: a bar on stderr, drawn some times a second where somebody looks."""

from __future__ import annotations

import time
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

_FRAME_SECONDS: Final = 0.1


class Bar:
    """A bar and, above it, lines on `console`. Without a terminal there are only the lines.

    `columns` stand in place of what goes on, the bar, how much of how much, and the time left;
    `{task.description}` is what goes on.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._progress = Progress(
            *(columns or _columns()), console=self.console, auto_refresh=False,
            disable=not self.console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=None)
        self._shown = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.refresh()
        self._progress.stop()

    def begin(self) -> None:
        """Another part of the work begins: the time left is reckoned from now."""
        self._progress.reset(self._task, total=None)

    def show(self, what: str, done: int, total: int) -> None:
        """Say what goes on and how far it is; too often is passed over, the end never is."""
        now = time.monotonic()
        if now - self._shown >= _FRAME_SECONDS or done >= total:
            self._shown = now
            self._progress.update(self._task, description=what, completed=done, total=total)
            self._progress.refresh()


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
