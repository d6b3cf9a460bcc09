"""A cheap HTTP/1.1 client: connections kept alive, every answer with the moments it took."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_IDLE_SECONDS: Final = 2.0
_LARGEST_HEAD: Final = 256 * 1024


class Answer(NamedTuple):
    """What a server answered; `sent` and `done` are seconds of the monotonic clock."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent: float
    done: float

    def header(self, name: str) -> str:
        """The first header of that name (lower case), "" when there is none."""
        return next((value for key, value in self.headers if key == name), "")


class NoAnswer(Exception):
    """No whole answer came: nobody knows whether what was asked was done."""

    def __init__(self, reason: str, sent: float) -> None:
        super().__init__(reason)
        self.sent = sent


class Wire:
    """Asks one server, over at most `most` connections at once."""

    def __init__(self, url: str, most: int = 128, seconds: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// or https:// address")
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._name = parts.netloc
        self._seconds = seconds
        self._room = asyncio.Semaphore(most)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One request and its whole answer; redirects are not followed. Raises `NoAnswer`."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._name}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        text = "\r\n".join((*lines, "", "")).encode() + body
        async with self._room:
            sent = time.monotonic()
            writer = None
            try:
                async with asyncio.timeout(self._seconds):
                    reader, writer = await self._connection()
                    sent = time.monotonic()
                    writer.write(text)
                    answer, kept = await _read(reader, sent)
            except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as problem:
                if writer is not None:
                    writer.close()
                raise NoAnswer(f"{type(problem).__name__} {problem}".strip(), sent) from None
            except asyncio.CancelledError:
                if writer is not None:
                    writer.close()
                raise
            if kept:
                self._idle.append((reader, writer, time.monotonic()))
            else:
                writer.close()
            return answer

    async def follow(self, path: str, headers: Mapping[str, str], seconds: float) -> Answer:
        """Keep a stream open for some seconds; its answer as far as the first event.

        Raises `NoAnswer` when none came, or when the server closed the stream before.
        """
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._name}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        sent, writer = time.monotonic(), None
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, limit=_LARGEST_HEAD
                )
                sent = time.monotonic()
                writer.write("\r\n".join((*lines, "", "")).encode())
                status, found = await _head(reader)
                first = await reader.read(_LARGEST_HEAD)
                done = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while await reader.read(_LARGEST_HEAD):
                        pass
                    raise NoAnswer("the stream was closed", sent)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as problem:
            raise NoAnswer(f"{type(problem).__name__} {problem}".strip(), sent) from None
        finally:
            if writer is not None:
                writer.close()
        return Answer(status, found, first, sent, done)

    async def close(self) -> None:
        """Let go of every connection."""
        for _, writer, _ in self._idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._idle.clear()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        # A server may close what has been idle: a request sent then would be lost.
        oldest = time.monotonic() - _IDLE_SECONDS
        while self._idle:
            reader, writer, since = self._idle.pop()
            if since >= oldest and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, limit=_LARGEST_HEAD
        )


async def _head(reader: asyncio.StreamReader) -> tuple[int, tuple[tuple[str, str], ...]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    return int(head[0].split(" ", 2)[1]), tuple((n.lower(), v.strip()) for n, _, v in pairs)


async def _read(reader: asyncio.StreamReader, sent: float) -> tuple[Answer, bool]:
    """The answer, and whether the connection can be used again."""
    status, headers = await _head(reader)
    found = dict(headers)
    if found.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    elif length := int(found.get("content-length", 0)):
        body = await reader.readexactly(length)
    else:
        body = b""
    kept = found.get("connection", "").lower() != "close"
    return Answer(status, headers, body, sent, time.monotonic()), kept


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        found.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(found)
