"""What the server's and the database's processes cost, as /proc tells on the same machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_POSTMASTER: Final = Path("postgres/cluster/postmaster.pid")


@dataclass(slots=True)
class Processes:
    """A process and all below it: CPU seconds since it was first looked at, memory in bytes."""

    pid: int
    first_cpu: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    peak: int = 0

    def look(self) -> bool:
        """Measure now; False when the process is gone."""
        family = _family(self.pid)
        if not family:
            return False
        # What ended children used is counted by those who waited for them.
        self.cpu = sum(_cpu(pid) for pid in family)
        self.memory = sum(_memory(pid) for pid in family)
        self.peak = max(self.peak, self.memory)
        return True

    def begin(self) -> None:
        """Count CPU seconds from now."""
        self.look()
        self.first_cpu, self.peak = self.cpu, self.memory

    def as_data(self) -> dict[str, Any]:
        """Figures since `begin`."""
        return {
            "cpu_seconds": round(self.cpu - self.first_cpu, 2),
            "memory_bytes": self.memory,
            "peak_memory_bytes": self.peak,
        }


class Machine:
    """The server, its database and the replay itself, where each can be found."""

    def __init__(self, data: Path, server_pid: int | None = None) -> None:
        """`data` is the served data folder: its files name the processes."""
        self._found: dict[str, Processes | None] = {
            "server": _process(server_pid or _first_number(data / "server.lock")),
            "database": _process(_first_number(data / _POSTMASTER)),
            "replay": _process(os.getpid()),
        }
        for each in self._found.values():
            if each is not None:
                each.begin()

    def look(self) -> None:
        """Measure now."""
        for each in self._found.values():
            if each is not None:
                each.look()

    def as_data(self) -> dict[str, Any]:
        """Figures by name; None for what was not measured."""
        return {name: each and each.as_data() for name, each in self._found.items()}


def _process(pid: int | None) -> Processes | None:
    return Processes(pid) if pid is not None and _stat(pid) else None


def _first_number(path: Path) -> int | None:
    try:
        match = re.match(r"\d+", path.read_text())
    except (OSError, ValueError):
        return None
    return int(match[0]) if match else None


def _family(root: int) -> list[int]:
    parents = {}
    for folder in _PROC.glob("[0-9]*"):
        if fields := _stat(int(folder.name)):
            parents[int(folder.name)] = int(fields[1])
    found = [root] if root in parents else []
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _stat(pid: int) -> list[str]:
    """State, parent and what follows (man 5 proc, fields 3 and on); empty when there is none."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def _memory(pid: int) -> int:
    """Its share of what it holds in memory, so that shared pages count once in a family."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) * 1024  # type: ignore[index]
    except (OSError, TypeError):
        return 0
