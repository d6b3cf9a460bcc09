"""What the reader hands to a worker, and what the worker says of it; both cross a socket."""

from __future__ import annotations

from typing import Literal

import msgspec


class Portion(msgspec.Struct, frozen=True, array_like=True):
    """Text that is stored by one transaction: a file, an archive's member, or some lines.

    `file` is what the user knows it by (`records.zip/a.json`), `first_line` counts from 1 and is
    0 for text that is one JSON object.
    """

    serial: int
    file: str
    first_line: int
    text: bytes

    @property
    def label(self) -> tuple[str, int]:
        """What tells it from others when its file is read again."""
        return self.file, self.first_line


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was not stored: the file, the line or the place in the Bundle, the reason."""

    file: str
    reason: str
    line: int | None = None
    entry: str | None = None

    def __str__(self) -> str:
        place = f" line {self.line}" if self.line else ""
        return f"{self.file}{place}: {f'{self.entry}: ' if self.entry else ''}{self.reason}"


class Report(msgspec.Struct, array_like=True):
    """What became of a portion: counts of what is in the record now, and what is not.

    `failed` counts the bundles and loose resources that were not stored. `waiting` are faults
    that may be gone when more is loaded: the portion is then to be given again, alone.
    """

    serial: int
    by_type: dict[str, int] = msgspec.field(default_factory=dict)
    unchanged: int = 0
    failed: int = 0
    faults: list[Fault] = msgspec.field(default_factory=list)
    waiting: list[Fault] = msgspec.field(default_factory=list)
    fatal: str = ""


Mode = Literal["keep", "replace"]
"""What to do with a resource that is there with other content."""
