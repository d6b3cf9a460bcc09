"""The grammar of FHIRPath: text to a tree (http://hl7.org/fhirpath/N1/grammar.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

MOST_DEPTH: Final = 60
LONGEST: Final = 16_384


class PathError(ValueError):
    """The expression cannot be read or makes no sense; the message says what and where."""


class TooCostly(PathError):
    """The expression would take more time or room than anybody who asks may have."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: its plain value and its System type (String, Integer, Date, …); `{}` is Empty."""

    value: Any
    type: str


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier: an element of what stands before it, or of the context."""

    source: Tree | None
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of what stands before it, or of the context."""

    source: Tree | None
    name: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`source[index]`."""

    source: Tree
    index: Tree


@dataclass(frozen=True, slots=True)
class Variable:
    """`%name`, or `$this`, `$index`, `$total` with the dollar sign in the name."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign."""

    operator: str
    operand: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and the operator between them."""

    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`source is Type` or `source as Type`; the type as it is written."""

    operator: str
    source: Tree
    type: str


Tree = Literal | Name | Call | Index | Variable | Unary | Binary | TypeTest

_TOKEN: Final = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<moment>@(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?"
    r"|\d{4}(?:-\d\d(?:-\d\d)?)?(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?(?:Z|[+-]\d\d:\d\d)?)?))"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<delimited>`(?:[^`\\]|\\.)*`)"
    r"|(?P<variable>%(?:[A-Za-z_]\w*|`[^`]*`|'[^']*')|\$(?:this|index|total)\b)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}])",
    re.ASCII | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES: Final = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}
_WORDS: Final = frozenset(
    {"and", "or", "xor", "implies", "is", "as", "in", "contains", "div", "mod"}
)

# How tightly each operator binds; `is` and `as` take a type instead of a right operand.
_BINDING: Final = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4,
    "=": 5, "~": 5, "!=": 5, "!~": 5, "<": 6, ">": 6, "<=": 6, ">=": 6, "|": 7,
    "is": 8, "as": 8, "+": 9, "-": 9, "&": 9, "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
_SIGN_BINDING: Final = 11
UNITS: Final = {
    unit + ending: unit
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for ending in ("", "s")
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def parse(expression: str) -> Tree:
    """The tree of an expression. Raises `PathError`."""
    if len(expression) > LONGEST:
        raise PathError(f"An expression holds at most {LONGEST} characters.")
    return _Parser(expression).whole()


def _tokens(expression: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            raise PathError(f"{expression[place]!r} at position {place + 1} is not FHIRPath.")
        kind = str(match.lastgroup)
        if kind == "name" and match[0] in _WORDS:
            kind = "word"
        if kind != "space":
            found.append(_Token(kind, match[0], place))
        place = match.end()
    found.append(_Token("end", "", len(expression)))
    return found


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self._tokens = _tokens(expression)
        self._place = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._expression(0)
        if self._next.kind != "end":
            raise self._unexpected()
        return tree

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += 1
        return token

    def _accept(self, symbol: str) -> bool:
        if self._next.kind == "symbol" and self._next.text == symbol:
            self._place += 1
            return True
        return False

    def _demand(self, symbol: str) -> None:
        if not self._accept(symbol):
            raise self._unexpected(f"{symbol!r} expected")

    def _unexpected(self, wanted: str = "") -> PathError:
        token = self._next
        found = repr(token.text) if token.text else "the end"
        text = f"{found} at position {token.place + 1} does not fit"
        return PathError(f"{text}: {wanted}." if wanted else f"{text}.")

    def _expression(self, least: int) -> Tree:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise PathError(f"The expression is nested deeper than {MOST_DEPTH} levels.")
        tree = self._signed()
        while self._next.kind in ("symbol", "word"):
            operator = self._next.text
            binding = _BINDING.get(operator)
            if binding is None or binding <= least:
                break
            self._take()
            if operator in ("is", "as"):
                tree = TypeTest(operator, tree, self._type())
            else:
                tree = Binary(operator, tree, self._expression(binding))
        self._depth -= 1
        return tree

    def _signed(self) -> Tree:
        if self._next.kind == "symbol" and self._next.text in ("+", "-"):
            return Unary(self._take().text, self._expression(_SIGN_BINDING))
        return self._steps()

    def _steps(self) -> Tree:
        tree = self._term()
        while True:
            if self._accept("."):
                if self._next.kind == "variable" and self._next.text.startswith("$"):
                    raise self._unexpected("an element or a function expected")
                tree = self._invocation(tree)
            elif self._accept("["):
                index = self._nested()
                self._demand("]")
                tree = Index(tree, index)
            else:
                return tree

    def _nested(self) -> Tree:
        # Brackets of any kind begin anew: what stands around binds nothing inside.
        return self._expression(0)

    def _term(self) -> Tree:
        token = self._next
        match token.kind:
            case "symbol" if token.text == "(":
                self._take()
                tree = self._nested()
                self._demand(")")
                return tree
            case "symbol" if token.text == "{":
                self._take()
                self._demand("}")
                return Literal(None, "Empty")
            case "string":
                return Literal(_unquoted(self._take().text), "String")
            case "number":
                return self._number()
            case "moment":
                return _moment(self._take().text[1:])
            case "variable":
                self._take()
                name = token.text.removeprefix("%")
                return Variable(name.strip("`'"))
        if token.kind == "name" and token.text in ("true", "false"):
            self._take()
            return Literal(token.text == "true", "Boolean")
        return self._invocation(None)

    def _number(self) -> Literal:
        text = self._take().text
        token = self._next
        if token.kind == "string":
            self._take()
            return Literal(_quantity(text, _unquoted(token.text)), "Quantity")
        if token.kind == "name" and token.text in UNITS:
            self._take()
            return Literal({"value": Decimal(text), "unit": UNITS[token.text]}, "Quantity")
        if "." in text:
            return Literal(Decimal(text), "Decimal")
        return Literal(int(text), "Integer")

    def _invocation(self, source: Tree | None) -> Tree:
        token = self._next
        if token.kind == "delimited":
            self._take()
            return Name(source, _unquoted(token.text))
        if token.kind not in ("name", "word"):
            raise self._unexpected("an element or a function expected")
        if token.kind == "word" and token.text not in ("as", "is", "contains", "in"):
            raise self._unexpected("an element or a function expected")
        self._take()
        if not self._accept("("):
            return Name(source, token.text)
        if token.text in ("ofType", "is", "as"):
            return self._type_function(source, token.text)
        arguments: list[Tree] = []
        if not self._accept(")"):
            arguments.append(self._nested())
            while self._accept(","):
                arguments.append(self._nested())
            self._demand(")")
        return Call(source, token.text, tuple(arguments))

    def _type_function(self, source: Tree | None, name: str) -> Tree:
        wanted = self._type()
        self._demand(")")
        return TypeTest(name, Variable("$this") if source is None else source, wanted)

    def _type(self) -> str:
        parts = [self._type_word()]
        while self._accept("."):
            parts.append(self._type_word())
        return ".".join(parts)

    def _type_word(self) -> str:
        if self._next.kind not in ("name", "delimited"):
            raise self._unexpected("a type expected")
        return self._take().text.strip("`")


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_escaped, text[1:-1])


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)


def _quantity(value: str, unit: str) -> dict[str, Any]:
    return {
        "value": Decimal(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
    }  # fmt: skip


def _moment(text: str) -> Literal:
    if text.startswith("T"):
        return Literal(text[1:], "Time")
    if "T" in text:
        return Literal(text.removesuffix("T"), "DateTime")
    return Literal(text, "Date")
