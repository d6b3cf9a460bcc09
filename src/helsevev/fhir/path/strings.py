"""Functions of strings (http://hl7.org/fhirpath/N1/#string-manipulation)."""

from __future__ import annotations

import base64
import binascii
import html
import json
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import regex

from helsevev.fhir.path.site import Maker, Site, Typed
from helsevev.fhir.path.syntax import PathError, TooCostly
from helsevev.fhir.path.values import (
    Env,
    Items,
    Run,
    check_length,
    is_number,
    plain,
    single,
    text_of,
)

_PATIENCE: Final = 0.25
"""Seconds that a regular expression may take on one text."""

_LONGEST_PATTERN: Final = 500


def concatenation(left: Run, right: Run) -> Run:
    """`&`: what is missing is an empty text."""

    def run(this: Items, env: Env) -> Items:
        one = text_of(left(this, env), "&") or ""
        other = text_of(right(this, env), "&") or ""
        check_length(len(one) + len(other))
        return [one + other]

    return run


def _of_text(
    answer: Callable[..., Any], least: int = 0, most: int = 0, kind: str = "System.String"
) -> Maker:
    """A function of one text and so many single arguments; nothing when one of them is missing.

    What time it takes is counted: a pattern may take long on each of many texts.
    """

    def make(site: Site) -> Typed:
        site.takes(least, most)
        source = site.source.run
        values = [site.value(place) for place in range(len(site.arguments))]

        def run(this: Items, env: Env) -> Items:
            text = single(source(this, env), f"{site.name}()")
            if type(text) is not str:
                if is_number(text) and type(text) is int:
                    text = str(text)
                elif text is None:
                    return []
                else:
                    raise PathError(f"{site.name}() takes a string.")
            given = [single(value(this, env), f"{site.name}()") for value in values]
            if None in given:
                return []
            begun = time.perf_counter()
            try:
                found = answer(text, *given)
            except (TypeError, AttributeError):
                raise PathError(f"{site.name}() does not take such an argument.") from None
            env.spend_time(time.perf_counter() - begun)
            if found is None:
                return []
            if type(found) is list:
                env.spend(len(found))
                return found
            if type(found) is str:
                check_length(len(found))
            return [found]

        return Typed(run, kind)

    return make


def _substring(text: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(0, length)]


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> regex.Pattern[str]:
    if len(pattern) > _LONGEST_PATTERN:
        raise PathError(f"A regular expression holds at most {_LONGEST_PATTERN} characters.")
    try:
        return regex.compile(pattern, regex.DOTALL)
    except (regex.error, OverflowError, RecursionError) as problem:
        raise PathError(f"{pattern!r} is no regular expression: {problem}.") from None


def _in_time(match: Callable[..., Any], *given: Any) -> Any:
    # Some patterns take longer than anyone waits; they are known by the time they take.
    try:
        return match(*given, timeout=_PATIENCE)
    except TimeoutError:
        raise _too_slow() from None


def _too_slow() -> TooCostly:
    return TooCostly("The regular expression takes too long on this text.")


def _searched(text: str, pattern: str) -> bool:
    return _in_time(_pattern(pattern).search, text) is not None


def _matched(text: str, pattern: str) -> bool:
    return _in_time(_pattern(pattern).fullmatch, text) is not None


def _put_for(text: str, old: str, new: str) -> str:
    check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _replaced(text: str, pattern: str, substitution: str) -> str:
    # FHIRPath names groups $1 and ${name}, Python \1 and \g<name>.
    template = regex.sub(r"\\", r"\\\\", substitution)
    template = regex.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", template)
    parts: list[str] = []
    length = end = 0
    try:
        for match in _pattern(pattern).finditer(text, timeout=_PATIENCE):
            parts += (text[end : match.start()], match.expand(template))
            length += len(parts[-2]) + len(parts[-1])
            check_length(length)
            end = match.end()
    except TimeoutError:
        raise _too_slow() from None
    except (regex.error, IndexError):
        raise PathError(f"{substitution!r} names a group that is not there.") from None
    return "".join([*parts, text[end:]])


def _encoded(text: str, how: str) -> str | None:
    data = text.encode()
    if how == "hex":
        return data.hex()
    if how == "base64":
        return base64.b64encode(data).decode()
    return base64.urlsafe_b64encode(data).decode() if how == "urlbase64" else None


def _decoded(text: str, how: str) -> str | None:
    try:
        if how == "hex":
            return bytes.fromhex(text).decode()
        if how == "base64":
            return base64.b64decode(text, validate=True).decode()
        return base64.urlsafe_b64decode(text).decode() if how == "urlbase64" else None
    except (ValueError, binascii.Error):
        return None


def _escaped(text: str, how: str) -> str | None:
    if how == "html":
        return html.escape(text, quote=True)
    return json.dumps(text, ensure_ascii=False)[1:-1] if how == "json" else None


def _unescaped(text: str, how: str) -> str | None:
    if how == "html":
        return html.unescape(text)
    try:
        return str(json.loads(f'"{text}"')) if how == "json" else None
    except ValueError:
        return None


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _join(site: Site) -> Typed:
    site.takes(0, 1)
    source = site.source.run
    separator = site.value(0) if site.arguments else None

    def run(this: Items, env: Env) -> Items:
        between = text_of(separator(this, env), "join()") if separator is not None else ""
        parts = [value for item in source(this, env) if (value := plain(item)) is not None]
        if not all(type(part) is str for part in parts):
            raise PathError("join() takes strings.")
        check_length(sum(map(len, parts)) + len(between or "") * len(parts))
        return [(between or "").join(parts)]

    return Typed(run, "System.String")


FUNCTIONS: Final[dict[str, Maker]] = {
    "contains": _of_text(lambda text, part: part in text, 1, 1, "System.Boolean"),
    "decode": _of_text(_decoded, 1, 1),
    "encode": _of_text(_encoded, 1, 1),
    "endsWith": _of_text(lambda text, part: text.endswith(part), 1, 1, "System.Boolean"),
    "escape": _of_text(_escaped, 1, 1),
    "indexOf": _of_text(lambda text, part: text.find(part), 1, 1, "System.Integer"),
    "join": _join,
    "lastIndexOf": _of_text(lambda text, part: text.rfind(part), 1, 1, "System.Integer"),
    "length": _of_text(len, 0, 0, "System.Integer"),
    "lower": _of_text(str.lower),
    "matches": _of_text(_searched, 1, 1, "System.Boolean"),
    "matchesFull": _of_text(_matched, 1, 1, "System.Boolean"),
    "replace": _of_text(_put_for, 2, 2),
    "replaceMatches": _of_text(_replaced, 2, 2),
    "split": _of_text(_split, 1, 1),
    "startsWith": _of_text(lambda text, part: text.startswith(part), 1, 1, "System.Boolean"),
    "substring": _of_text(_substring, 1, 2),
    "toChars": _of_text(list),
    "trim": _of_text(str.strip),
    "unescape": _of_text(_unescaped, 1, 1),
    "upper": _of_text(str.upper),
}
