"""What opens a served record's doors to its staff: the demo's login key, and bearer tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

WHOLE_RECORD = ""
"""Asked for in place of a role: a system's token."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The keys to one served data folder.

    `login_key` is that of the demo's login links. `tokens` gives one bearer token for each
    PractitionerRole id, "" for an id that stands for nobody, and a system's for `WHOLE_RECORD`.
    """

    data: Path
    login_key: str
    tokens: Callable[[Sequence[str]], list[str]]
