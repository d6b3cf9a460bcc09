"""Checks of primitive values: JSON type, R4's regular expressions, dates that exist.

A check takes a value and the object it stands in, and returns None when all is well, else
problems: `(path below the value, issue code, text)`. The rules are R4's own
(http://hl7.org/fhir/R4/datatypes.html#primitive); where its regular expression is too slow or too
loose for the text beside it, the text is followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import Any

from helsevev.fhir import narrative_checks
from helsevev.fhir.dates import bounds
from helsevev.fhir.definitions import PRIMITIVES

Problem = tuple[str, str, str]
Check = Callable[[Any, Any], list[Problem] | None]

LONGEST_STRING = 1024 * 1024
_LARGEST_INTEGER = 2**31 - 1
# PostgreSQL and other languages' decimals end somewhere; no clinical number comes near.
_LARGEST_EXPONENT = 1000
_LARGEST_NUMBER = 10**_LARGEST_EXPONENT
# No date is longer, and what is longer must not fill a cache.
_LONGEST_DATE = 64

# R4 forbids characters below 32 but for tab, line feed and carriage return.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BASE64 = re.compile(r"[0-9a-zA-Z+/\s]*(?:=\s*){0,2}")


def problem(code: str, text: str) -> list[Problem]:
    """One problem with the value itself."""
    return [("", code, text)]


def shown(value: object) -> str:
    """A value in words, short enough for a message."""
    text = repr(value) if isinstance(value, str) else json_type(value)
    return text if len(text) <= 60 else text[:57] + "..."


def json_type(value: object) -> str:
    """What JSON calls the value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def expected(what: str, value: object) -> list[Problem]:
    """The problem of a value that has another JSON type."""
    return problem("structure", f"{what} is expected, found {json_type(value)}")


def _is_text(value: str) -> bool:
    return value.isprintable() or _CONTROL.search(value) is None


def _string(value: Any, _: Any) -> list[Problem] | None:
    if type(value) is not str:
        return expected("a string", value)
    if not value:
        return problem("value", "a string must not be empty")
    if not value.isprintable() and _CONTROL.search(value):
        return problem("value", "a string must not contain control characters")
    if len(value) > LONGEST_STRING:
        return problem("too-long", f"a string has at most {LONGEST_STRING} characters")
    return None


def _uri(value: Any, _: Any) -> list[Problem] | None:
    if type(value) is not str:
        return expected("a string", value)
    if not value:
        return problem("value", "a uri must not be empty")
    if not value.isprintable() or " " in value:
        return problem("value", f"a uri has no spaces: {shown(value)}")
    return None


def _code(value: Any, _: Any) -> list[Problem] | None:
    if type(value) is not str:
        return expected("a string", value)
    if value and value.isprintable() and " " not in value:
        return None
    if _PATTERNS["code"].fullmatch(value) is None or not _is_text(value):
        return problem("value", f"not a code: {shown(value)}")
    return None


def _matching(name: str) -> Check:
    pattern = _PATTERNS[name]

    def check(value: Any, _: Any) -> list[Problem] | None:
        if type(value) is not str:
            return expected("a string", value)
        if pattern.fullmatch(value) is None:
            return problem("value", f"not a valid {name}: {shown(value)}")
        return None

    return check


def _dated(name: str) -> Check:
    pattern = _PATTERNS[name]

    @lru_cache(maxsize=16_384)
    def fault(text: str) -> str | None:
        if pattern.fullmatch(text) is None:
            return f"not a valid {name}: {shown(text)}"
        if bounds(text) is None:
            return f"no such day or time: {shown(text)}"
        return None

    def check(value: Any, _: Any) -> list[Problem] | None:
        if type(value) is not str:
            return expected("a string", value)
        if len(value) > _LONGEST_DATE:
            return problem("value", f"not a valid {name}: {shown(value)}")
        text = fault(value)
        return None if text is None else problem("value", text)

    return check


def _boolean(value: Any, _: Any) -> list[Problem] | None:
    return None if type(value) is bool else expected("true or false", value)


def _whole(name: str, least: int) -> Check:
    def check(value: Any, _: Any) -> list[Problem] | None:
        if type(value) is not int:
            return expected("a whole number", value)
        if not least <= value <= _LARGEST_INTEGER:
            return problem("value", f"{name} lies between {least} and {_LARGEST_INTEGER}")
        return None

    return check


def _decimal(value: Any, _: Any) -> list[Problem] | None:
    if isinstance(value, Decimal):
        if value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT:
            return None
        return problem("value", "the number is too large or too small to be kept")
    if type(value) is int:
        if -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
            return None
        return problem("value", "the number is too large to be kept")
    if type(value) is float and isfinite(value):
        return None
    return expected("a number", value)


def _base64(value: Any, _: Any) -> list[Problem] | None:
    if type(value) is not str:
        return expected("a string", value)
    if not value:
        return problem("value", "a base64Binary must not be empty")
    if _BASE64.fullmatch(value) is None or len("".join(value.split())) % 4:
        return problem("value", "not base64")
    return None


def _xhtml(value: Any, _: Any) -> list[Problem] | None:
    if type(value) is not str:
        return expected("a string", value)
    if _CONTROL.search(value):
        return problem("value", "a string must not contain control characters")
    found = narrative_checks.fault(value)
    return None if found is None else problem(*found)


_PATTERNS = {name: re.compile(text) for name, text in PRIMITIVES.items() if name != "base64Binary"}

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "base64Binary": _base64,
        "boolean": _boolean,
        "canonical": _uri,
        "code": _code,
        "date": _dated("date"),
        "dateTime": _dated("dateTime"),
        "decimal": _decimal,
        "id": _matching("id"),
        "instant": _dated("instant"),
        "integer": _whole("an integer", -(2**31)),
        "markdown": _string,
        "oid": _matching("oid"),
        "positiveInt": _whole("a positiveInt", 1),
        "string": _string,
        "time": _matching("time"),
        "unsignedInt": _whole("an unsignedInt", 0),
        "uri": _uri,
        "url": _uri,
        "uuid": _matching("uuid"),
        "xhtml": _xhtml,
    }
)
