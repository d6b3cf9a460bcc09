"""Where the built assets lie and under which hashed name each is served."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PATH = "/static"


@lru_cache
def _manifest() -> dict[str, str]:
    path = FOLDER / "manifest.json"
    if not path.exists():
        return {}
    names: dict[str, str] = json.loads(path.read_text("utf-8"))
    return names


def asset(name: str) -> str:
    """Return the address of a built asset, e.g. "app.css"; the plain name before it is built."""
    return f"{PATH}/{_manifest().get(name, name)}"
