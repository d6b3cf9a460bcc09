"""FHIR XML to plain data, the same as JSON gives, by a parser that takes no entities at all.

A narrative's XHTML is kept as the text that stood there; every number keeps its digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from xml.parsers import expat

from helsevev.fhir import serialization
from helsevev.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, elements
from helsevev.fhir.serialization import MAX_DEPTH, MalformedJson
from helsevev.fhir.xml.writing import NAMESPACE

_XHTML: Final = "http://www.w3.org/1999/xhtml"
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_INTEGERS: Final = frozenset({"integer", "positiveInt", "unsignedInt"})
_OF_XML: Final = "http://www.w3.org/2001/XMLSchema-instance"


class MalformedXml(MalformedJson):
    """The text is not FHIR XML that the record can keep; `line` and `column` count from 1."""


@dataclass(slots=True)
class _Frame:
    """An element that is open: its name, its type ("" for what holds a resource), its content."""

    name: str
    structure: str
    value: dict[str, Any] = field(default_factory=dict)
    primitive: Any = None
    is_primitive: bool = False
    repeats: bool = False


@cache
def _known(structure: str) -> dict[str, tuple[str, bool]]:
    """JSON name -> (type, whether it repeats)."""
    return {
        name: (kind.name, element.repeats)
        for element in elements(structure).values()
        for name, kind in element.json_names().items()
    }


def from_xml(data: bytes) -> dict[str, Any]:
    """The resource in `data` (UTF-8) as plain data.

    Raises `MalformedXml` for what is not well-formed, has a document type or a processing
    instruction, names elements or attributes that R4 does not have, or is nested too deep.
    """
    reading = _Reading(data)
    try:
        reading.parser.Parse(data, True)
    except expat.ExpatError as problem:
        text = f"not XML: {expat.ErrorString(problem.code)}"
        raise MalformedXml(text, problem.lineno, problem.offset + 1) from None
    return reading.result


class _Reading:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.parser = expat.ParserCreate("UTF-8", " ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.ProcessingInstructionHandler = self._refuse
        self.parser.ordered_attributes = False
        self._frames: list[_Frame] = []
        self._narrative = 0
        self._begun = 0
        self.result: dict[str, Any] = {}

    def _wrong(self, text: str) -> MalformedXml:
        place = ".".join(frame.name for frame in self._frames)
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        return MalformedXml(f"{text}{f' in {place}' if place else ''}", line, column)

    def _refuse(self, *_: object) -> None:
        raise self._wrong("a document type or processing instruction has no place in FHIR")

    def _text(self, text: str) -> None:
        if not self._narrative and text.strip():
            raise self._wrong("text stands between elements; values are attributes")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if self._narrative:
            self._narrative += 1
            if self._narrative > MAX_DEPTH:
                raise self._wrong(f"nested deeper than {MAX_DEPTH} levels")
            return
        if len(self._frames) >= MAX_DEPTH:
            raise self._wrong(f"nested deeper than {MAX_DEPTH} levels")
        over = self._frames[-1] if self._frames else None
        if space == _XHTML and local == "div" and over and over.structure == "Narrative":
            self._narrative = 1
            self._begun = self.parser.CurrentByteIndex
            return
        if space != NAMESPACE:
            raise self._wrong(f"the element {local} is not in the namespace {NAMESPACE}")
        self._frames.append(self._frame(over, local, attributes))

    def _frame(self, over: _Frame | None, local: str, attributes: dict[str, str]) -> _Frame:
        if over is None or (not over.structure and not over.is_primitive):
            if local not in RESOURCE_TYPES:
                raise self._wrong(f"R4 has no resource type {local!r}")
            self._only(attributes, frozenset())
            return _Frame(local, local, {"resourceType": local})
        if over.is_primitive:
            if local != "extension":
                raise self._wrong(f"unknown element {local}")
            kind, repeats = "Extension", True
        elif local in _known(over.structure):
            kind, repeats = _known(over.structure)[local]
        else:
            raise self._wrong(f"unknown element {local}")
        return self._value(local, kind, repeats, attributes)

    def _value(self, local: str, kind: str, repeats: bool, given: dict[str, str]) -> _Frame:
        made = _Frame(local, kind, repeats=repeats)
        if kind in PRIMITIVES and kind != "xhtml":
            self._only(given, frozenset({"id", "value"}))
            made.is_primitive = True
            made.primitive = _converted(kind, given["value"]) if "value" in given else None
        elif kind == "Resource":
            self._only(given, frozenset())
            made.structure = ""
        else:
            self._only(given, frozenset({"id", "url"} if kind == "Extension" else {"id"}))
            if "url" in given:
                made.value["url"] = given["url"]
        if "id" in given:
            made.value["id"] = given["id"]
        return made

    def _only(self, given: dict[str, str], names: frozenset[str]) -> None:
        for name in given:
            if name not in names and not name.startswith(f"{_OF_XML} "):
                raise self._wrong(f"unknown attribute {name.rpartition(' ')[2]}")

    def _end(self, _name: str) -> None:
        if self._narrative:
            self._narrative -= 1
            if not self._narrative:
                self._keep_narrative()
            return
        frame = self._frames.pop()
        _settle(frame)
        if not self._frames:
            self.result = frame.value
            return
        over = self._frames[-1]
        if not over.structure and not over.is_primitive:
            if over.value:
                raise self._wrong("only one resource can stand here")
            over.value = frame.value
        elif frame.is_primitive:
            self._put_primitive(over, frame)
        else:
            self._put(over, frame.name, frame.value, frame.repeats)

    def _keep_narrative(self) -> None:
        end = self._data.index(b">", self.parser.CurrentByteIndex) + 1
        text = self._data[self._begun : end].decode()
        if not text.startswith("<div"):
            raise self._wrong("the narrative is a div without a prefix")
        self._put(self._frames[-1], "div", text, False)

    def _put(self, over: _Frame, name: str, value: Any, repeats: bool) -> None:
        if repeats:
            over.value.setdefault(name, []).append(value)
        elif name in over.value:
            raise self._wrong(f"{name} may stand once")
        else:
            over.value[name] = value

    def _put_primitive(self, over: _Frame, frame: _Frame) -> None:
        if frame.repeats:
            self._put(over, frame.name, frame.primitive, True)
            self._put(over, f"_{frame.name}", frame.value or None, True)
            return
        if frame.name in over.value or f"_{frame.name}" in over.value:
            raise self._wrong(f"{frame.name} may stand once")
        if frame.primitive is not None:
            over.value[frame.name] = frame.primitive
        if frame.value:
            over.value[f"_{frame.name}"] = frame.value


def _settle(frame: _Frame) -> None:
    """Leave out lists of nothing: of values where only extensions stand, and the other way."""
    for name in [name for name, value in frame.value.items() if type(value) is list]:
        if all(each is None for each in frame.value[name]):
            del frame.value[name]


def _converted(kind: str, text: str) -> Any:
    """The value as JSON has it; what does not fit its type stays text, for validation to tell."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind in _INTEGERS and _WHOLE.fullmatch(text) and len(text) < 20:
        return serialization.number(text) if text == "-0" else int(text)
    if kind == "decimal" and len(text) < 400 and _NUMBER.fullmatch(text):
        return int(text) if _WHOLE.fullmatch(text) and text != "-0" else serialization.number(text)
    return text
