"""http://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-output-file-request: a file, or its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from helsevev.fhir.outcome import error
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.problem import Problem
from helsevev.fhir_api.request import Request

_PIECE: Final = 512 * 1024
_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
CONTENT_TYPES: Final = {
    ".ndjson": b"application/fhir+ndjson",
    ".parquet": b"application/vnd.apache.parquet",
    ".csv": b"text/csv; charset=utf-8",
    ".json": b"application/json; charset=utf-8",
}


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the file, 206 with what a Range asks for, 403, 404, 416."""
    _, job_id, name = request.segments
    path, written = await doors.services.exports.file(request.actor, job_id, name)
    content_type = CONTENT_TYPES[path.suffix]
    if path.suffix == ".ndjson" and b"application/ndjson" in request.headers.get(b"accept", b""):
        content_type = b"application/ndjson"
    headers = [
        (b"content-type", content_type),
        (b"etag", b'"%s"' % written.sha256.encode()),
        (b"accept-ranges", b"bytes"),
    ]
    first, last, status = _range(request, written.size)
    headers.append((b"content-length", b"%d" % (last - first + 1)))
    if status == 206:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (first, last, written.size)))
    length = 0 if request.method == "HEAD" else last - first + 1
    return Answer(status, extra=tuple(headers), stream=pieces(path, first, length))


def _range(request: Request, size: int) -> tuple[int, int, int]:
    match = _RANGE.fullmatch(request.header(b"range"))
    if match is None:
        return 0, size - 1, 200
    first = int(match[1])
    last = min(int(match[2]) if match[2] else size - 1, size - 1)
    if first > last:
        text = f"The file has {size} bytes."
        told = ((b"content-range", b"bytes */%d" % size),)
        raise Problem(416, error("value", text), headers=told)
    return first, last, 206


async def pieces(path: Path, first: int, length: int) -> AsyncGenerator[bytes, None]:
    """So many bytes of a file, a piece at a time."""
    with await asyncio.to_thread(path.open, "rb") as file:
        file.seek(first)
        while length > 0:
            piece = await asyncio.to_thread(file.read, min(_PIECE, length))
            if not piece:
                raise OSError(f"{path.name} is shorter than it was.")
            length -= len(piece)
            yield piece


INTERACTION: Final = Interaction("operation", answer)
