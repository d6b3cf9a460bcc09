"""The demo as `helsevev serve --demo` serves it: its own process on its own data folder."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

_READY = "Stop with Ctrl-C."
_LINK = re.compile(r"/sign-in/([a-z-]+)\?key=\S+")
_COMMAND = Path(sys.executable).with_name("helsevev")
_LONGEST_START = 180.0


class ServedDemo:
    """Starts, kills and asks one serving process; its address stays the same all the time."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._said = data.with_suffix(".log")
        self.links: dict[str, str] = {}
        self.sessions: dict[str, Any] = {}
        self._tokens: dict[str, str] = {}
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port: int = taken.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("HELSEVEV_")}
        # Tests share sessions, and a whole run takes longer than an idle one may lie open.
        return {**inherited, "HELSEVEV_DATA": str(self.data), "HELSEVEV_LOCK_AFTER": "240"}

    def said(self) -> str:
        """What the process has printed since it was started last."""
        return self._said.read_text("utf-8")

    async def start(self) -> None:
        """Serve, and return when it answers; raises RuntimeError with what it said instead."""
        with self._said.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220
                [_COMMAND, "serve", "--demo", "--port", str(self.port)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        last = asyncio.get_running_loop().time() + _LONGEST_START
        while _READY not in (text := self.said()):
            late = asyncio.get_running_loop().time() > last
            if late or self._process.poll() is not None:
                raise RuntimeError(f"The demo did not start: {text}")
            await asyncio.sleep(0.05)
        self.links = {found[1]: found[0] for found in _LINK.finditer(text)}

    async def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop serving by a signal (SIGKILL: as a crash does) and wait until it has ended."""
        if self._process is not None:
            self._process.send_signal(how)
            await asyncio.to_thread(self._process.wait, 30)
            self._process = None

    async def token(self, persona: str = "") -> str:
        """A persona's bearer token, or a system's, as `helsevev token` prints it."""
        if persona not in self._tokens:
            who = ["--persona", persona] if persona else ["--system"]
            self._tokens[persona] = (await self.command("token", *who)).strip()
        return self._tokens[persona]

    async def command(self, *words: str) -> str:
        """What `helsevev WORDS` prints, over the same data. Raises RuntimeError when it fails."""
        process = await asyncio.create_subprocess_exec(
            _COMMAND, *words, stdout=subprocess.PIPE, env=self._environment
        )
        printed, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"helsevev {words[0]} failed")
        return printed.decode()

    async def ask(
        self, path: str, persona: str = "", *, method: str = "GET", body: Any = None
    ) -> httpx.Response:
        """What the API answers a persona's, or a system's, program; the path is below /fhir/."""
        headers = {"Authorization": f"Bearer {await self.token(persona)}"}
        async with httpx.AsyncClient(base_url=self.address, timeout=60) as client:
            return await client.request(method, f"/fhir/{path}", headers=headers, json=body)
