"""Gathers what many ask at the same time, so that one statement answers them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar, cast

MOST: Final = 256
"""Most questions that are answered together."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Gathering(Generic[Question, Answer]):
    """Puts questions together while earlier ones are being answered.

    A lone asker waits for nobody; a hundred askers share a few round trips. `answer` gives one
    answer for each question, in their order; an exception among the answers is raised for its
    asker alone. When it raises by itself, each question is asked again on its own, so that one
    that cannot be answered spoils none beside it; errors of a kind in `final` are everybody's.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]],
        *,
        final: tuple[type[Exception], ...] = (),
        at_once: int = 1,
    ) -> None:
        self._answer = answer
        self._final = final
        self._at_once = at_once
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._running: set[asyncio.Task[None]] = set()

    def ask(self, question: Question) -> asyncio.Future[Answer]:
        """The answer, to be awaited; so is what `answer` raised."""
        loop = asyncio.get_running_loop()
        promised: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, promised))
        # What is asked while all are at work is taken up by the first that is done.
        if len(self._waiting) == 1 and len(self._running) < self._at_once:
            self._running.add(loop.create_task(self._answer_all()))
        return promised

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._answer_group(group)
        finally:
            # In the same breath: whoever asks next must find that nobody is at work.
            self._running.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _answer_group(self, group: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._answer([question for question, _ in group])
        except self._final as failure:
            _tell(group, [failure] * len(group))
        except Exception as failure:  # noqa: BLE001 - every asker waits for an answer
            if len(group) == 1:
                _tell(group, [failure])
                return
            for one in group:
                await self._answer_group([one])
        else:
            _tell(group, answers)


def _tell(
    group: list[tuple[Question, asyncio.Future[Answer]]], answers: Sequence[Answer | Exception]
) -> None:
    for (_, promised), answer in zip(group, answers, strict=True):
        if promised.done():
            continue  # The asker has gone.
        if isinstance(answer, Exception):
            promised.set_exception(answer)
        else:
            promised.set_result(answer)
