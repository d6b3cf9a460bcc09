"""The record as a system reads it: searches page by page, within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

from .notation import read_json
from .wire import Wire

_PAGE: Final = 500


class Unreadable(Exception):
    """The record answered a system's question otherwise than expected."""


class Record:
    """Asks /fhir with one bearer token."""

    def __init__(self, wire: Wire, token: str) -> None:
        self._wire = wire
        self._headers = {"Authorization": f"Bearer {token}"}

    async def read(self, reference: str) -> dict[str, Any] | None:
        """A resource, or None when it is not there. Raises `Unreadable`, `NoAnswer`."""
        answer = await self._wire.ask("GET", f"/fhir/{reference}", self._headers)
        if answer.status in (404, 410):
            return None
        return self._decoded(answer.status, answer.body, reference)

    async def count(self, query: str) -> int:
        """How many a search finds. Raises `Unreadable`, `NoAnswer`."""
        return int((await self._ask(f"/fhir/{query}"))["total"])

    async def search(
        self,
        resource_type: str,
        asked: Mapping[str, str],
        most_pages: int = 20,
        page: int = _PAGE,
    ) -> AsyncIterator[dict[str, Any]]:
        """What a search finds, so many pages at most. Raises `Unreadable`, `NoAnswer`."""
        pairs = [*asked.items(), ("_count", str(page))]
        query = "&".join(f"{name}={quote(value, safe='/|,:')}" for name, value in pairs)
        path = f"/fhir/{resource_type}?{query}"
        for _ in range(most_pages):
            bundle = await self._ask(path)
            for entry in bundle.get("entry", ()):
                yield entry["resource"]
            following = [
                link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"
            ]
            if not following:
                return
            parts = urlsplit(following[0])
            path = f"{parts.path}?{parts.query}"

    async def found(self, resource_type: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        """All that a small search finds."""
        return [each async for each in self.search(resource_type, asked)]

    async def _ask(self, path: str) -> dict[str, Any]:
        answer = await self._wire.ask("GET", path, self._headers)
        return self._decoded(answer.status, answer.body, path)

    @staticmethod
    def _decoded(status: int, body: bytes, what: str) -> dict[str, Any]:
        if status != 200:
            raise Unreadable(f"{what} answered {status}: {body[:300].decode(errors='replace')}")
        found: dict[str, Any] = read_json(body)
        return found


def chunks(names: Sequence[str], size: int) -> list[str]:
    """Names joined by commas, so many at a time."""
    return [",".join(names[at : at + size]) for at in range(0, len(names), size)]
