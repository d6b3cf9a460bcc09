"""Messages between the importer and its workers: a length, then MessagePack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final, TypeVar

import msgspec

Message = TypeVar("Message", bound=msgspec.Struct)

_LENGTH: Final = 8
_encode = msgspec.msgpack.Encoder().encode


def send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    """Queue a message; `writer.drain()` waits until it is on its way."""
    body = _encode(message)
    writer.write(len(body).to_bytes(_LENGTH))
    writer.write(body)


async def received(reader: asyncio.StreamReader, kind: type[Message]) -> AsyncIterator[Message]:
    """Every message until the other end is closed or gone."""
    decoder = msgspec.msgpack.Decoder(kind)
    while True:
        try:
            length = int.from_bytes(await reader.readexactly(_LENGTH))
            body = await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield decoder.decode(body)
