"""What goes on by itself, from when it is started until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import ClassVar


class Background(ABC):
    """Goes on in a task of its own; stopping cuts it off wherever it waits."""

    name: ClassVar[str]
    """What the task is called."""

    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._go_on(), name=self.name)

    async def stop(self) -> None:
        """End; a later start goes on from what is kept."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    @abstractmethod
    async def _go_on(self) -> None:
        """What it does, for as long as it runs."""
