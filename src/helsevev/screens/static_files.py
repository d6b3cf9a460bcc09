"""The built assets: under which hashed name each is served, and the answer itself."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

FOLDER = Path(__file__).parent / "static"
PATH = "/static"

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class _File:
    """One built file, kept in memory as it is and, when that is smaller, as gzip."""

    media_type: str
    plain: bytes
    packed: bytes | None


@lru_cache
def _manifest() -> dict[str, str]:
    path = FOLDER / "manifest.json"
    if not path.exists():
        return {}
    names: dict[str, str] = json.loads(path.read_text("utf-8"))
    return names


@lru_cache
def _files() -> dict[str, _File]:
    found = {}
    for path in sorted(FOLDER.glob("*")):
        media_type = _TYPES.get(path.suffix)
        if media_type is None:
            continue
        plain = path.read_bytes()
        packed = gzip.compress(plain, 9, mtime=0)
        found[path.name] = _File(media_type, plain, packed if len(packed) < len(plain) else None)
    return found


def asset(name: str) -> str:
    """Return the address of a built asset, e.g. "app.css"; the plain name before it is built."""
    return f"{PATH}/{_manifest().get(name, name)}"


def built(name: str) -> bytes:
    """What a built asset holds, e.g. "worker.js"; nothing before it is built."""
    file = _files().get(_manifest().get(name, name))
    return b"" if file is None else file.plain


@get(PATH + "/{name:str}", opt={"decision": "public"}, sync_to_thread=False)
def serve_asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Answer a built file by its hashed name; the browser may keep it for ever.

    Raises NotFoundException for every other name: no path is ever made of it.
    """
    file = _files().get(name)
    if file is None:
        raise NotFoundException
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.plain, media_type=file.media_type, headers=headers)
