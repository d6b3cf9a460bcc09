"""What the log says: one line for each event, whatever was sent, and no national number in it."""

from __future__ import annotations

import logging
import re
import sys
from typing import Final

_NATIONAL_NUMBER: Final = re.compile(r"(?<!\d)\d{6}[ ]?\d{5}(?!\d)")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic|dpop)\s+[A-Za-z0-9._~+/=\-]{8,}")


class PlainLines(logging.Formatter):
    """Keeps what others wrote from ending a line and beginning another, or naming anybody."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line itself, without line ends or other control characters."""
        line = super().formatMessage(record)
        return line if line.isprintable() else "".join(map(_shown, line))

    def format(self, record: logging.LogRecord) -> str:
        """The line and its trace, without national numbers and tokens."""
        text = _NATIONAL_NUMBER.sub("[national number]", super().format(record))
        return _BEARER.sub(r"\1 [token]", text)


def set_up() -> None:
    """Log to standard error, from warnings on; replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()
