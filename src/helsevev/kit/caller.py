"""Where the request that is being answered came from: address, program, and its number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from itertools import count
from secrets import token_hex
from typing import Any, Final, NamedTuple

_NUMBER: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_LONGEST_PROGRAM: Final = 160
_run: Final = token_hex(4)
_numbers: Final = count(1)


class Caller(NamedTuple):
    """The network address, what the program says of itself, and the number of the request."""

    address: str = ""
    program: str = ""
    number: str = ""


NOBODY: Final = Caller()
"""What the program does by itself: no request is being answered."""

CALLER: Final[ContextVar[Caller]] = ContextVar("caller", default=NOBODY)


def caller_of(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Caller:
    """The caller of an HTTP request (ASGI); the number is its `X-Request-Id`, or a new one."""
    number = headers.get(b"x-request-id", b"")
    if not number or not _NUMBER.fullmatch(number):
        number = f"{_run}-{next(_numbers):x}".encode()
    client = scope.get("client")
    program = headers.get(b"user-agent", b"")[:_LONGEST_PROGRAM].decode("latin-1")
    if not program.isprintable():
        program = "".join(letter for letter in program if letter.isprintable())
    return Caller(client[0] if client else "", program, number.decode())
