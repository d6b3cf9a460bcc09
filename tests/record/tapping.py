"""Listens to what a server says to whom, byte by byte, on the way to its clients."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Final

import httptools

_SESSION: Final = re.compile(rb"helsevev_session=([^;]+)")


class Conversation:
    """One connection's requests and answers: by which token each was asked, and what it said."""

    def __init__(self) -> None:
        self._asking = httptools.HttpRequestParser(_Heard(self, "request"))
        self._saying = httptools.HttpResponseParser(_Heard(self, "answer"))
        self.asked: list[bytes] = []
        self.said: list[bytearray] = []

    def ask(self, data: bytes) -> None:
        """What the client sends."""
        self._asking.feed_data(data)

    def say(self, data: bytes) -> None:
        """What the server sends."""
        self._saying.feed_data(data)


class _Heard:
    """What a parser of HTTP tells of one side of a conversation."""

    def __init__(self, conversation: Conversation, side: str) -> None:
        self._conversation = conversation
        self._asks = side == "request"

    def on_message_begin(self) -> None:
        """A request or an answer begins."""
        if self._asks:
            self._conversation.asked.append(b"")
        else:
            self._conversation.said.append(bytearray())

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come."""
        if not self._asks:
            self._conversation.said[-1].extend(name + b": " + value + b"\n")
        elif name.lower() == b"authorization":
            self._conversation.asked[-1] = value.removeprefix(b"Bearer ")
        elif name.lower() == b"cookie" and (session := _SESSION.search(value)):
            self._conversation.asked[-1] = session[1]

    def on_body(self, body: bytes) -> None:
        """A piece of the content has come, without the lengths of chunks."""
        if not self._asks:
            self._conversation.said[-1].extend(body)


class Tap:
    """Lies between a client and the server, and keeps what the server says."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").rpartition(":")
        self._port = int(port.strip("/"))
        self.heard: list[Conversation] = []

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = Conversation()
        self.heard.append(kept)
        there = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(
            _pass_on(reader, there[1], kept.ask), _pass_on(there[0], writer, kept.say)
        )  # fmt: skip


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Callable[[bytes], None]
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            hear(data)
            await writer.drain()
    writer.close()
