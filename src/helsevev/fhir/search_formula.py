"""The expressions of `_filter`: tests of parameters, joined by `and`, `or` and `not`.

The grammar is http://hl7.org/fhir/R4/search_filter.html; `and` binds closer than `or`. Each test
becomes the condition that a search parameter would be, so that both find the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, Literal

from helsevev.fhir import search_paths, search_terms
from helsevev.fhir.search_filters import (
    MOST_STEPS,
    Chain,
    Condition,
    Filter,
    Formula,
    Reading,
    UnknownParameter,
    Unsupported,
)
from helsevev.fhir.search_parameters import Parameter
from helsevev.fhir.search_terms import TermError

MOST_TESTS: Final = 60
DEEPEST: Final = 20
"""Brackets within brackets."""

_WORD: Final = re.compile(r"[^\s()\[\]]+")
_NAME: Final = re.compile(r"[_A-Za-z][\w\-]*(:[A-Za-z]+)?", re.ASCII)
_VALUE: Final = re.compile(r"[^\s)\]]+")
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)

_COMPARED: Final = ("gt", "lt", "ge", "le", "ap", "sa", "eb")
_OPERATIONS: Final[dict[str, frozenset[str]]] = {
    "eq": frozenset({"string", "token", "reference", "date", "number", "quantity", "uri",
                     "composite"}),
    "ne": frozenset({"string", "token", "date", "number", "quantity"}),
    "co": frozenset({"string"}),
    "sw": frozenset({"string"}),
    "ew": frozenset({"string"}),
    **dict.fromkeys(_COMPARED, frozenset({"date", "number", "quantity"})),
    "po": frozenset({"date"}),
    "pr": frozenset({"string", "token", "reference", "date", "number", "quantity", "uri",
                     "composite"}),
    "ss": frozenset({"token"}),
    "sb": frozenset({"token"}),
    "in": frozenset({"token"}),
    "re": frozenset({"reference"}),
}  # fmt: skip
"""By operation, the kinds of parameter that it is asked of."""


def read(resource_type: str, text: str, reading: Reading) -> Filter:
    """What an expression asks of a resource type.

    Raises `TermError` with the place of what cannot be read, `UnknownParameter`, `Unsupported`.
    """
    expression = _Expression(text, reading)
    found = expression.either(resource_type, 0)
    expression.end()
    return found


class _Expression:
    """A text that is read from its beginning to its end."""

    def __init__(self, text: str, reading: Reading) -> None:
        self._text = text
        self._reading = reading
        self._at = 0
        self._tests = 0

    def either(self, kind: str, depth: int) -> Filter:
        """One or several that `or` joins."""
        return self._joined(kind, depth, "or", self._both)

    def end(self) -> None:
        """Nothing may be left."""
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("and, or, or the end")

    def _both(self, kind: str, depth: int) -> Filter:
        return self._joined(kind, depth, "and", self._one)

    def _joined(
        self,
        kind: str,
        depth: int,
        word: Literal["and", "or"],
        part: Callable[[str, int], Filter],
    ) -> Filter:
        parts = [part(kind, depth)]
        while self._next(word):
            parts.append(part(kind, depth))
        return parts[0] if len(parts) == 1 else Formula(word, tuple(parts))

    def _one(self, kind: str, depth: int) -> Filter:
        if depth > DEEPEST:
            raise TermError(f"at most {DEEPEST} brackets may be within each other")
        self._skip()
        before = self._at
        if self._next("not"):
            self._skip()
            if self._text.startswith("(", self._at):
                return Formula("not", (self._bracketed(kind, depth),))
            # A parameter may be called so.
            self._at = before
        if self._text.startswith("(", self._at):
            return self._bracketed(kind, depth)
        self._tests += 1
        if self._tests > MOST_TESTS:
            raise TermError(f"at most {MOST_TESTS} tests are answered at once")
        return self._test(kind, depth, 0)

    def _bracketed(self, kind: str, depth: int) -> Filter:
        self._expect("(")
        found = self.either(kind, depth + 1)
        self._expect(")")
        return found

    def _test(self, kind: str, depth: int, steps: int) -> Filter:
        if steps > MOST_STEPS:
            raise Unsupported(f"a path has at most {MOST_STEPS} steps; search in two turns")
        name = _NAME.match(self._text, self._at)
        if name is None:
            raise self._wrong("the name of a parameter, not, or (")
        self._at = name.end()
        plain, _, target = name[0].partition(":")
        parameter = self._reading.parameters[kind].get(plain)
        if parameter is None:
            pending = self._reading.pending.get((kind, plain))
            if pending:
                raise Unsupported(pending)
            raise UnknownParameter(f"{kind} has no search parameter {plain}")
        if self._text.startswith((".", "["), self._at):
            return self._path(parameter, target, depth, steps)
        if target:
            raise TermError(f"{name[0]}: a type is said of a reference that a path goes on from")
        return self._compared(kind, parameter)

    def _path(self, parameter: Parameter, target: str, depth: int, steps: int) -> Filter:
        """A reference, what is asked of the one that it names, and what follows."""
        begun, most = self._at, 0
        within: list[tuple[str, Filter]] = []
        problems: list[UnknownParameter] = []
        for kind in self._reading.targets(parameter, target, self._rest()):
            self._at = begun
            try:
                within.append((kind, self._led_to(kind, depth, steps)))
                most = max(most, self._at)
            except UnknownParameter as problem:
                problems.append(problem)
        if not within:
            raise problems[0]
        self._at = most
        return Chain(parameter, tuple(within))

    def _led_to(self, kind: str, depth: int, steps: int) -> Filter:
        asked: list[Filter] = []
        if self._text.startswith("[", self._at):
            self._expect("[")
            asked.append(self.either(kind, depth + 1))
            self._expect("]")
        self._expect(".")
        asked.append(self._test(kind, depth, steps + 1))
        return asked[0] if len(asked) == 1 else Formula("and", tuple(asked))

    def _compared(self, kind: str, parameter: Parameter) -> Filter:
        self._skip()
        word = _WORD.match(self._text, self._at)
        operation = word[0] if word else ""
        allowed = _OPERATIONS.get(operation)
        if allowed is None:
            raise self._wrong(f"an operation ({', '.join(_OPERATIONS)})")
        self._at += len(operation)
        if parameter.kind not in allowed:
            raise Unsupported(f"{operation} is not asked of {parameter.name}, a {parameter.kind}")
        return self._asked(kind, parameter, operation, self._value())

    def _asked(self, kind: str, parameter: Parameter, operation: str, value: str) -> Filter:
        reading, name = self._reading, parameter.name
        if operation == "pr":
            if value not in ("true", "false"):
                raise TermError(f"{name} pr is true or false")
            return reading.filter(kind, f"{name}:missing", "false" if value == "true" else "true")
        if operation in ("ss", "sb", "in"):
            modifier = {"ss": "below", "sb": "above", "in": "in"}[operation]
            return reading.filter(kind, f"{name}:{modifier}", value.replace(",", "\\,"))
        if parameter.kind == "string":
            return _text(parameter, operation, value)
        if operation in _COMPARED or (operation == "ne" and parameter.kind != "token"):
            return reading.filter(kind, name, operation + value)
        if operation == "po":
            term = search_terms.date(value)
            overlapping = search_terms.DateTerm("ap", term.low, term.high)
            return Condition(name, "date", parameter, (overlapping,))
        equal = reading.filter(kind, name, value.replace(",", "\\,"))
        if operation != "ne":
            return equal
        if not _is_single(kind, parameter):
            text = f"{name} may have several values: say not ({name} eq …) for none of them"
            raise Unsupported(f"ne is not asked of {text}")
        there = reading.filter(kind, f"{name}:missing", "false")
        return Formula("and", (there, Formula("not", (equal,))))

    def _value(self) -> str:
        self._skip()
        if self._text.startswith('"', self._at):
            text = _TEXT.match(self._text, self._at)
            if text is None:
                raise self._wrong("the end of a text")
            self._at = text.end()
            try:
                return str(json.loads(text[0], strict=False))
            except ValueError:
                raise TermError(f"{text[0]} is no JSON string") from None
        word = _VALUE.match(self._text, self._at)
        if word is None:
            raise self._wrong("a value")
        self._at = word.end()
        return word[0]

    def _next(self, word: str) -> bool:
        self._skip()
        found = _WORD.match(self._text, self._at)
        if found is None or found[0] != word:
            return False
        self._at = found.end()
        return True

    def _expect(self, mark: str) -> None:
        self._skip()
        if not self._text.startswith(mark, self._at):
            raise self._wrong(mark)
        self._at += len(mark)
        self._skip()

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _rest(self) -> str:
        return self._text[self._at : self._at + 40]

    def _wrong(self, wanted: str) -> TermError:
        found = self._rest() or "the end"
        return TermError(f"at character {self._at + 1} stands {found!r}, where {wanted} should be")


def _text(parameter: Parameter, operation: str, value: str) -> Condition:
    modifier = {"eq": "equal", "ne": "unequal", "co": "contains", "sw": None, "ew": "ends"}
    term = search_terms.string(value.replace("\\", "\\\\"))
    return Condition(parameter.name, "string", parameter, (term,), modifier[operation])


def _is_single(kind: str, parameter: Parameter) -> bool:
    """Whether a resource has at most one value, which is a code or a truth value."""
    if parameter.expression in ("", search_paths.DECEASED):
        return False
    paths = [
        path
        for part in search_paths.union(parameter.expression)
        for path in search_paths.resolve(part, kind)
    ]
    return bool(paths) and len({path.keys[0].name for path in paths}) == 1 and all(
        path.type in ("code", "boolean") and not any(key.repeats for key in path.keys)
        for path in paths
    )  # fmt: skip
