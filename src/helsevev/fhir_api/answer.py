"""What an interaction answers, before it becomes bytes on a socket or an entry of a batch."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache

from helsevev.access.stored import Stored
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue, outcome

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class Answer:
    """A status, a body of JSON bytes (None: no body), and what headers tell of the resource.

    `version` and `last_modified` become ETag and Last-Modified; `location` is absolute. A
    `stream` is sent instead of a body, piece by piece, with the content type that `extra` names.
    """

    status: int
    body: bytes | None = None
    version: int | None = None
    last_modified: datetime | None = None
    location: str = ""
    extra: tuple[Header, ...] = ()
    stream: AsyncGenerator[bytes, None] | None = None

    def headers(self) -> list[Header]:
        """The headers that tell of the resource."""
        found: list[Header] = []
        if self.version is not None:
            found.append((b"etag", b'W/"%d"' % self.version))
        if self.last_modified is not None:
            found.append((b"last-modified", http_date(int(self.last_modified.timestamp()))))
        if self.location:
            found.append((b"location", self.location.encode()))
        found += self.extra
        return found


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """A moment, in seconds since 1970, as HTTP writes it."""
    return formatdate(seconds, usegmt=True).encode()


def of_stored(stored: Stored, body: bytes, status: int = 200, location: str = "") -> Answer:
    """An answer that tells version and time of one stored resource."""
    return Answer(status, body, stored.version, stored.last_updated, location)


def of_issues(status: int, issues: Iterable[Issue], *extra: Header) -> Answer:
    """An answer whose body is an OperationOutcome."""
    return Answer(status, serialization.encode(outcome(issues)), extra=extra)
