"""The only clock: aware, in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_TOLD: Final[ContextVar[datetime | None]] = ContextVar("told", default=None)


def now() -> datetime:
    """Return this moment in UTC, with microseconds."""
    return _TOLD.get() or datetime.now(UTC)


@contextmanager
def told_at(moment: datetime) -> Iterator[None]:
    """What is done in the block is done as of a moment: for the demo, which has a past."""
    token = _TOLD.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _TOLD.reset(token)
