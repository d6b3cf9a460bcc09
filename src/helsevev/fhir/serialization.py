"""FHIR JSON to plain Python data and back, without losing a digit."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

MAX_DEPTH = 100

_BYTE = re.compile(r" ?\(byte (\d+)\)$")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NEGATIVE_ZERO = re.compile(rb"-0\s*[,\]}]")
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|[{}]')


class MalformedJson(ValueError):
    """The text is not JSON that the record can keep; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


class Literal(Decimal):
    """A decimal whose JSON spelling (`1e2`, `0.0000001`) is not the one Decimal would write."""

    __slots__ = ("text",)
    text: str

    def __copy__(self) -> Literal:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Literal:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return number, (self.text,)


class _Duplicate(Exception):
    """A key that stands twice in one object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def number(text: str) -> Decimal:
    """The JSON number `text` as a Decimal that `encode` writes with exactly the same text."""
    value = Decimal(text)
    if str(value) == text:
        return value
    literal = Literal(text)
    literal.text = text
    return literal


def _verbatim(value: Any) -> Any:
    if type(value) is Literal:
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} has no place in FHIR JSON")


_decode = msgspec.json.Decoder(float_hook=number).decode
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_verbatim).encode


def decode(data: bytes | str) -> dict[str, Any]:
    """The JSON object in `data` (UTF-8) as plain dicts, lists, str, int, Decimal, bool and None.

    Every number keeps its spelling. Refuses with MalformedJson what is not JSON (NaN, Infinity,
    trailing text, invalid UTF-8, lone surrogates), a top level that is not an object, a key that
    stands twice in one object, and nesting deeper than MAX_DEPTH.
    """
    return decode_canonical(data)[0]


def decode_list(data: bytes) -> list[Any]:
    """As `decode`, for a JSON array at the top."""
    value: list[Any] = _decoded(data, list)[0]
    return value


def decode_canonical(data: bytes | str) -> tuple[dict[str, Any], bytes]:
    """As `decode`, and what `encode` makes of the value: the same for however it was indented."""
    return _decoded(data, dict)


def _decoded(data: bytes | str, kind: type) -> tuple[Any, bytes]:
    if isinstance(data, str):
        try:
            data = data.encode()
        except UnicodeEncodeError as problem:
            raise _malformed("a lone surrogate is not text", b"", problem.start) from None
    try:
        value = _decode(data)
    except UnicodeDecodeError:
        raise _invalid_utf8(data) from None
    except RecursionError:
        raise _too_deep(data) from None
    except InvalidOperation:
        raise _malformed("a number is too large to be kept", data, 0) from None
    except msgspec.DecodeError as problem:
        raise _not_json(str(problem), data) from None
    if type(value) is not kind:
        name = "an object" if kind is dict else "an array"
        raise _malformed(f"the top level must be {name}", data, 0)
    if _is_deeper_than(MAX_DEPTH, data, value):
        raise _too_deep(data)
    written = _encode(value)
    if _may_have_lost_something(data, written):
        value = _decode_slowly(data)
        written = _encode(value)
    return value, written


def decode_kept(data: bytes) -> dict[str, Any]:
    """As `decode`, for bytes that the record wrote itself: what was refused then is not in them.

    A third of the time of `decode`; a chart decodes a thousand at once.
    """
    value: dict[str, Any] = _decode(data)
    return value


def encode(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON; decimals are written with the digits they have."""
    return _encode(value)


def _may_have_lost_something(data: bytes, written: bytes) -> bool:
    """True unless it is sure that no key stood twice and no sign was lost from an integer -0."""
    if written == data:
        return False
    # A key that was dropped as a duplicate takes its colon with it, and only an escaped colon in
    # a text could stand in for that.
    if data.count(b":") != written.count(b":") or b"\\u003" in data:
        return True
    return _NEGATIVE_ZERO.search(data) is not None


def _is_deeper_than(limit: int, data: bytes, value: Any) -> bool:
    brackets = data.translate(None, _ALL_BUT_BRACKETS)
    if len(brackets) <= 2 * limit:
        return False
    for _ in range(limit):
        within = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(within) == len(brackets):
            break
        brackets = within
    return bool(brackets) and _walked_deeper_than(limit, value)


def _walked_deeper_than(limit: int, value: Any) -> bool:
    # Reached when brackets inside strings hide the nesting from the count of brackets.
    level = [value]
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _decode_slowly(data: bytes) -> Any:
    """Decode with a parser that sees every key and every integer's spelling."""
    text = data.decode()
    try:
        value = json.loads(
            text,
            parse_float=number,
            parse_int=lambda digits: number(digits) if digits == "-0" else int(digits),
            object_pairs_hook=_unique,
        )
    except _Duplicate as duplicate:
        raise _duplicate_key(text, data) or _malformed(
            f"the key {duplicate.key!r} stands twice in one object", data, 0
        ) from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Duplicate(key)
            seen.add(key)
    return value


def _duplicate_key(text: str, data: bytes) -> MalformedJson | None:
    """The first key that repeats one of its own object, with its place."""
    objects: list[set[str]] = []
    for match in _TOKEN.finditer(text):
        found = match[0]
        if found == "{":
            objects.append(set())
        elif found == "}":
            objects.pop()
        elif match[2]:
            key = json.loads(match[1])
            if key in objects[-1]:
                place = len(text[: match.start()].encode())
                return _malformed(f"the key {key!r} stands twice in one object", data, place)
            objects[-1].add(key)
    return None


def _not_json(message: str, data: bytes) -> MalformedJson:
    found = _BYTE.search(message)
    place = int(found[1]) if found else len(data)
    if place == 0 and data.startswith(b"\xef\xbb\xbf"):
        return _malformed("a byte order mark does not belong in JSON", data, 0)
    reason = _BYTE.sub("", message).removeprefix("JSON is malformed: ")
    if reason == "Input data was truncated":
        reason = "the text ends too early"
    return _malformed(f"not JSON: {reason}", data, place)


def _invalid_utf8(data: bytes) -> MalformedJson:
    try:
        data.decode()
    except UnicodeDecodeError as problem:
        return _malformed("not UTF-8", data, problem.start)
    return _malformed("not UTF-8", data, 0)


def _too_deep(data: bytes) -> MalformedJson:
    return _malformed(f"nested deeper than {MAX_DEPTH} levels", data, 0)


def _malformed(message: str, data: bytes, place: int) -> MalformedJson:
    before = data[:place]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode(errors="replace")) + 1
    return MalformedJson(message, before.count(b"\n") + 1, column)
