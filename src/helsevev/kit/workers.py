"""Several processes that do the same work side by side, begun again when one dies."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

Ready = Callable[[], None]
Work = Callable[[int, Ready], int]
"""Given its number (from 0) and what to call once it is ready, works until SIGTERM; its status."""

GRACE: Final = 10.0
"""Seconds that workers have to end after they were asked to."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
_STEADY: Final = 60.0
"""A worker that lived so many seconds is begun again without a pause."""

_TOLD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)


@dataclass(slots=True)
class _Worker:
    """One worker's process, 0 while there is none; what it says; when to begin it again."""

    number: int
    process: int = 0
    said: int = -1
    begun_at: float = 0.0
    again_at: float = 0.0
    pause: float = 0.0
    ready: bool = False


class Workers:
    """Forks `count` processes that `work`, and sees to it that there are so many until stopped.

    Call `run` where no thread and no event loop runs: the workers begin as copies of this process.
    A worker ends when this process is gone, however that came about. `dropped` are descriptors
    that workers are not to hold.
    """

    def __init__(self, count: int, work: Work, *, dropped: Sequence[int] = ()) -> None:
        self._workers = [_Worker(number) for number in range(count)]
        self._work = work
        self._dropped = tuple(dropped)
        self._lifeline, self._held = os.pipe()
        self._stopped_by = 0
        self._failed = False
        self._deadline = 0.0

    def run(self, on_ready: Ready) -> int:
        """Work until SIGINT or SIGTERM, or until a worker fails before all were ready once.

        `on_ready` is called when all are. Returns 1 after a failure, else 0: who was asked to stop
        and did has not failed. No worker is left.
        """
        with _signals() as told:
            try:
                self._look_after(told, on_ready)
            finally:
                self._signal(signal.SIGKILL)
                for worker in self._workers:
                    if worker.process:
                        os.waitpid(worker.process, 0)
                os.close(self._lifeline)
                os.close(self._held)
        return int(self._failed)

    def _look_after(self, told: int, on_ready: Ready) -> None:
        all_were_ready = False
        while True:
            now = time.monotonic()
            if not self._stopping:
                for worker in self._workers:
                    if not worker.process and now >= worker.again_at:
                        self._begin(worker)
            elif now >= self._deadline or not any(w.process for w in self._workers):
                return
            for descriptor in self._heard(told, now):
                if descriptor == told:
                    self._obey(os.read(told, 64))
                else:
                    self._listen(descriptor)
            self._bury(all_were_ready)
            if not all_were_ready and all(worker.ready for worker in self._workers):
                all_were_ready = True
                on_ready()

    @property
    def _stopping(self) -> bool:
        return bool(self._stopped_by) or self._failed

    def _heard(self, told: int, now: float) -> list[int]:
        times = [w.again_at for w in self._workers if not w.process]
        soonest = self._deadline if self._stopping else min(times, default=now + 3600)
        saying = [w.said for w in self._workers if w.said >= 0]
        return select.select([told, *saying], [], [], max(0.0, soonest - now))[0]

    def _obey(self, signals: bytes) -> None:
        for number in signals:
            if number != signal.SIGCHLD and not self._stopped_by:
                self._stopped_by = number
                self._stop()

    def _stop(self) -> None:
        self._deadline = time.monotonic() + GRACE
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        for worker in self._workers:
            if worker.process:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.process, number)

    def _listen(self, descriptor: int) -> None:
        (worker,) = (w for w in self._workers if w.said == descriptor)
        worker.ready = worker.ready or bool(os.read(descriptor, 1))
        os.close(descriptor)
        worker.said = -1

    def _bury(self, all_were_ready: bool) -> None:
        for worker in self._workers:
            if not worker.process or not os.waitpid(worker.process, os.WNOHANG)[0]:
                continue
            if worker.said >= 0:
                self._listen(worker.said)
            now = time.monotonic()
            lived = now - worker.begun_at
            worker.process, worker.ready = 0, False
            worker.pause = (
                0.0
                if lived >= _STEADY
                else min(max(worker.pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            )
            worker.again_at = now + worker.pause
            if not all_were_ready and not self._stopping:
                self._failed = True
                self._stop()

    def _begin(self, worker: _Worker) -> None:
        said, say = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # What is sent before the new process has handlers of its own has to wait for them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
        process = os.fork()
        if process == 0:
            os._exit(self._be(worker, say))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
        os.close(say)
        worker.process, worker.said, worker.begun_at = process, said, time.monotonic()

    def _be(self, worker: _Worker, say: int) -> int:
        """The whole life of a worker; its exit status."""
        signal.set_wakeup_fd(-1)
        # SIGTERM ends the work as Ctrl-C does, with everything closed on the way out.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        others = [w.said for w in self._workers if w.said >= 0]
        for descriptor in (self._held, *others, *self._dropped):
            os.close(descriptor)
        threading.Thread(target=self._outlive_nobody, daemon=True).start()
        status = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
            status = self._work(worker.number, lambda: _say(say))
        except KeyboardInterrupt:
            status = 0
        except SystemExit as asked:
            status = asked.code if isinstance(asked.code, int) else 1
        except BaseException:  # noqa: BLE001 - nothing is above to tell it
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        return status

    def _outlive_nobody(self) -> None:
        # Nobody writes: reading ends when the last writer, the process that forked, is gone.
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)


def _say(descriptor: int) -> None:
    os.write(descriptor, b"+")
    os.close(descriptor)


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor from which the numbers of signals are read, in place of their effect."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    before = {number: signal.getsignal(number) for number in _TOLD}
    try:
        for number in _TOLD:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(tell)
        yield told
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(told)
        os.close(tell)
