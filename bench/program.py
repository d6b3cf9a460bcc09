"""The program under measure: a real `helsevev serve --demo` on a data folder of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_COMMAND = [sys.executable, "-c", "import sys; from helsevev.main import cli; sys.exit(cli())"]
_ADDRESS = re.compile(r"answers at http://([0-9.]+):(\d+)")
_LINK = re.compile(r"(/sign-in/([a-z-]+)\?key=\S+)")


@dataclass(frozen=True)
class Program:
    """A serving program: where it answers, its process, and the personas' login links."""

    data: Path
    host: str
    port: int
    pid: int
    links: dict[str, str]

    @property
    def base(self) -> str:
        """The URL of its FHIR API."""
        return f"http://{self.host}:{self.port}/fhir"

    def resident_bytes(self) -> int | None:
        """Memory of the processes that serve, what they share counted once, where /proc tells."""
        return resident_of(self.pid)

    def token(self) -> str:
        """A bearer token for a system."""
        return run(self.data, "token", "--system").strip()

    def import_folder(self, folder: Path) -> dict[str, Any]:
        """Import beside the running server; the summary."""
        summary: dict[str, Any] = json.loads(run(self.data, "import", "--json", str(folder)))
        return summary


def resident_of(pid: int) -> int | None:
    """Memory of a process and its children, what they share counted once, where /proc tells."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        shares = [_share(each) for each in (str(pid), *children)]
    except OSError:
        return None
    return sum(shares)


def _share(pid: str) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) * 1024  # type: ignore[index]


def run(data: Path, *words: str) -> str:
    """What a command prints. Raises `CalledProcessError`."""
    done = subprocess.run(
        [*_COMMAND, *words], env=_environment(data), check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout


@contextmanager
def serving(data: Path, *words: str, patience: float = 120) -> Iterator[Program]:
    """Serve the demo until the block ends. Raises RuntimeError when it does not start within
    `patience` seconds.
    """
    said = data.with_suffix(".log")
    with said.open("wb") as log:
        process = subprocess.Popen(
            [*_COMMAND, "serve", "--demo", "--port", "0", *words], env=_environment(data),
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + patience
        while "Ctrl-C" not in said.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{said.read_text()}")
            time.sleep(0.05)
        text = said.read_text()
        address = _ADDRESS.search(text)
        assert address is not None, text
        links = {name: link for link, name in _LINK.findall(text)}
        yield Program(data, address[1], int(address[2]), process.pid, links)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


class Doctor:
    """A hospital doctor who has signed in as one of the demo's personas."""

    def __init__(self, program: Program) -> None:
        self._connection = http.client.HTTPConnection(program.host, program.port)
        self._cookies: dict[str, str] = {}
        persona = next(name for name in program.links if "doctor" in name or "physician" in name)
        self._ask("GET", program.links[persona])

    def break_the_glass(self, patient_id: str) -> None:
        """Open a record without treatment relation, as the page asks. Raises AssertionError."""
        path = f"/emergency/{patient_id}"
        status, answer = self._ask("GET", path)
        if status == 303:
            return  # It is open: the doctor treats this person, or did this before.
        page = answer.decode()
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
        grounds = re.findall(r'name="ground"[^>]*value="([^"]+)"', page)
        assert grounds, (status, page[:2000])
        form = {"ground": grounds[0], "reason": "Measured by the benchmark.", "patient": patient_id}
        status, answer = self._ask("POST", path, {**hidden, **form})
        assert status == 303, (status, answer[:2000])

    def open_chart(self, patient_id: str) -> float:
        """The seconds until the whole chart is here. Raises AssertionError."""
        begun = time.perf_counter()
        status, page = self._ask("GET", f"/patient/{patient_id}")
        assert status == 200, (status, page[:500])
        return time.perf_counter() - begun

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{n}={value}" for n, value in self._cookies.items())}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        for value in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = value.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer.status, content


def chart_opens(program: Program, patient_id: str, rounds: int) -> list[float]:
    """Seconds that a hospital doctor waits for the chart, the glass broken before; warm."""
    doctor = Doctor(program)
    doctor.break_the_glass(patient_id)
    return [doctor.open_chart(patient_id) for _ in range(rounds + 5)][5:]


def _environment(data: Path) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("HELSEVEV_", "PORT"))}
    return {**kept, "HELSEVEV_DATA": str(data)}
