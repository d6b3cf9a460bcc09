"""Bundles of searches and histories, joined from bytes that are not parsed again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from helsevev.access.stored import Stored
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue, outcome
from helsevev.fhir_api.shaping import Shape, Shown

MATCH: Final = "match"
INCLUDE: Final = "include"

_READABLE: Final = "|:,$/-_.~"
_SHORT: Final = 200
"""Characters of a text that is worth remembering."""

Link = tuple[str, str]
"""Relation and URL."""


@dataclass(frozen=True, slots=True)
class ContainedEntry:
    """A resource within another, which is told where it is by that one's address and its own id."""

    container: Stored
    id: str
    resource: dict[str, Any]

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def reference(self) -> str:
        """`Type/id#id`."""
        return f"{self.container.reference}#{self.id}"

    @property
    def json(self) -> bytes:
        """The resource alone."""
        return serialization.encode(self.resource)


def searchset(
    base: str,
    links: Iterable[Link],
    total: int | None,
    found: Iterable[tuple[str, Sequence[Shown]]],
    shape: Shape,
    warnings: Sequence[Issue] = (),
) -> bytes:
    """A searchset Bundle. `found` are resources by search mode, in their order."""
    entries: list[bytes] = []
    start = f'{{"fullUrl":"{base}/'.encode()
    for mode, rows in found:
        end = b',"search":{"mode":"%s"}}' % mode.encode()
        entries += [
            b"".join((start, stored.reference.encode(), b'","resource":', shape(stored), end))
            for stored in rows
        ]
    if warnings:
        told = serialization.encode(outcome(warnings))
        entries.append(b'{"resource":' + told + b',"search":{"mode":"outcome"}}')
    return _bundle("searchset", links, total, entries)


def history(
    base: str, links: Iterable[Link], total: int | None, versions: Iterable[Stored], shape: Shape
) -> bytes:
    """A history Bundle, in the order given (http://hl7.org/fhir/R4/http.html#history)."""
    return _bundle("history", links, total, [_version(base, stored, shape) for stored in versions])


def _version(base: str, stored: Stored, shape: Shape) -> bytes:
    created = stored.version == 1
    method, status = ("POST", "201") if created else ("PUT", "200")
    url = stored.type if created else stored.reference
    if stored.deleted:
        method, status, url = "DELETE", "204", stored.reference
    time = stored.last_updated.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = [f'{{"fullUrl":"{base}/{stored.reference}",'.encode()]
    if not stored.deleted:
        parts += [b'"resource":', shape(stored), b","]
    parts.append(
        f'"request":{{"method":"{method}","url":"{url}"}},"response":{{"status":"{status}",'
        f'"etag":"W/\\"{stored.version}\\"","lastModified":"{time}"}}}}'.encode()
    )
    return b"".join(parts)


def _bundle(kind: str, links: Iterable[Link], total: int | None, entries: list[bytes]) -> bytes:
    head = f'{{"resourceType":"Bundle","type":"{kind}"'
    if total is not None:
        head += f',"total":{total}'
    told = ",".join(f'{{"relation":"{name}","url":{json.dumps(url)}}}' for name, url in links)
    head += f',"link":[{told}]'
    if not entries:
        return head.encode() + b"}"
    return b"".join((head.encode(), b',"entry":[', b",".join(entries), b"]}"))


def url(path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A URL with parameters; what FHIR's grammar uses stays readable."""
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in parameters)
    return f"{path}?{query}" if query else path


def _quoted(text: str) -> str:
    return _quoted_before(text) if len(text) <= _SHORT else quote(text, _READABLE)


@lru_cache(maxsize=2000)
def _quoted_before(text: str) -> str:
    return quote(text, _READABLE)
