"""The region's facts as TOML: where people live, how old they are, how often things happen."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def facts(name: str) -> dict[str, Any]:
    """The content of one file of facts, by its name without `.toml`."""
    found: dict[str, Any] = tomllib.loads(
        files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    )
    return found
