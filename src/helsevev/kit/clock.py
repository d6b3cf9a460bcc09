"""The only clock: aware, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment in UTC, with microseconds."""
    return datetime.now(UTC)
