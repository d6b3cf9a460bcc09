"""The demo's national medication service: the simulator in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from helsevev.kit.secret import secret
from helsevev.kit.settings import Settings

_NAME: Final = "demo-medication-service"


@contextmanager
def beside(settings: Settings) -> Iterator[Settings]:
    """Run the simulator beside the demo; the settings, with its address and a token for it.

    For a block without an event loop, in which processes may be forked. Where an address is set
    already, or this is no demo, the settings are as they were. It is not waited for: who asks
    before it answers waits in the queue of its socket.
    """
    if not settings.demo or settings.medication_service:
        yield settings
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "helsevev.medication.national_list.simulator",
             "--socket", str(listener.fileno())],
            # It ends when this program does, however that happens: then its input is at an end.
            pass_fds=[listener.fileno()], stdin=subprocess.PIPE,
        )  # fmt: skip
    try:
        secret(settings.data, _NAME)
        # For who wants to see what a failing service looks like: see the simulator's FAULTS.
        (settings.data / f"{_NAME}.address").write_text(address, "utf-8")
        yield replace(
            settings, medication_service=address,
            medication_service_token=settings.data / f"{_NAME}.secret",
        )  # fmt: skip
    finally:
        process.kill()
        with contextlib.suppress(OSError):
            process.communicate()
