"""The demo in a folder that looks like a fresh checkout, for the documents' commands."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .shell import Block, blocks, compare, run

_READY = "Stop with Ctrl-C."


class Checkout:
    """A folder with .venv, src and data, and a served demo in it."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        self.repository = repository
        self.port = free_port()
        (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
        (folder / "src").symlink_to(repository / "src")

    def follow(self, document: str, **replaced: str) -> None:
        """Carry out a document's commands, and see that they print what it says."""
        text = (self.repository / document).read_text("utf-8")
        wanted = [block for block in blocks(text) if not is_start(block)]
        ports = {"127.0.0.1:8000": f"127.0.0.1:{self.port}"}
        printed = run(wanted, self.folder, {**ports, **replaced})
        assert len(printed) == len(wanted)
        for block, said in zip(wanted, printed, strict=True):
            compare(block, said)


def is_start(block: Block) -> bool:
    """Whether the block only starts the demo, which the fixture has done."""
    return bool(re.fullmatch(r"(make (demo|setup)\n)+", block.commands))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Checkout]:
    """The demo, served from a folder like a checkout, until the tests end."""
    made = Checkout(tmp_path_factory.mktemp("checkout"), repository)
    log = made.folder / "serve.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HELSEVEV_")}
    with log.open("wb") as out:
        serving = subprocess.Popen(
            [made.folder / ".venv/bin/helsevev", "serve", "--demo", "--port", str(made.port)],
            cwd=made.folder, env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    last = time.monotonic() + 60
    while _READY not in log.read_text("utf-8"):
        assert serving.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < last, log.read_text("utf-8")
        time.sleep(0.05)
    yield made
    serving.send_signal(signal.SIGINT)
    serving.wait(30)
