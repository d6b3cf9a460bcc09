"""Memory that the process has freed, given back to the operating system."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable


def _trimming() -> Callable[[int], int] | None:
    """The C library's `malloc_trim`, which glibc has and others need not."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return trim


_trim = _trimming()


def give_back() -> None:
    """Free what only cycles keep, and give free pages back; some milliseconds."""
    gc.collect()
    if _trim is not None:
        _trim(0)
