"""Reads an operation's parameters, from the URL or a Parameters resource, and writes its answer.

http://hl7.org/fhir/R4/operations.html#request: GET takes parameters of simple types only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from helsevev.fhir import serialization
from helsevev.fhir.outcome import error
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import PRESENTATION, Request

_WHOLE: Final = 2**31 - 1


@dataclass(slots=True)
class Given:
    """An operation's parameters by name, in their order. Reading one of a wrong type is a 400."""

    texts: dict[str, list[Any]] = field(default_factory=dict)

    def all(self, name: str) -> list[Any]:
        """Every value of a parameter."""
        return self.texts.get(name, [])

    def one(self, name: str) -> Any:
        """The value of a parameter that may stand once, or None. Raises `Problem` 400."""
        values = self.all(name)
        if len(values) > 1:
            raise bad_request(f"The parameter {name} may stand once.", "invalid", name)
        return values[0] if values else None

    def text(self, name: str) -> str:
        """A text (code, uri, string), "" when it is missing. Raises `Problem` 400."""
        value = self.one(name)
        if value is not None and not isinstance(value, str):
            raise bad_request(f"The parameter {name} is a text.", "value", name)
        return value or ""

    def needed(self, name: str) -> str:
        """A text that must be there. Raises `Problem` 400."""
        value = self.text(name)
        if not value:
            raise bad_request(f"The parameter {name} is needed.", "required", name)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean. Raises `Problem` 400."""
        value = self.one(name)
        match value:
            case None:
                return default
            case bool():
                return value
            case "true" | "false":
                return bool(value == "true")
        raise bad_request(f"The parameter {name} is true or false.", "value", name)

    def whole(self, name: str) -> int | None:
        """A whole number from 0, or None. Raises `Problem` 400."""
        value = self.one(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 11:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _WHOLE:
            raise bad_request(f"The parameter {name} is a whole number from 0.", "value", name)
        return value

    def element(self, name: str) -> dict[str, Any] | None:
        """A value of a complex type or a resource, or None. Raises `Problem` 400."""
        value = self.one(name)
        if value is not None and not isinstance(value, dict):
            text = f"The parameter {name} is no simple value: send it in a Parameters resource."
            raise bad_request(text, "value", name)
        return value

    def refuse_others(self, known: Iterable[str]) -> None:
        """Raises `Problem` 400 naming each parameter that the operation does not know."""
        unknown = [name for name in self.texts if name not in known and name not in PRESENTATION]
        if unknown:
            names = ", ".join(unknown)[:200]
            text = f"The operation does not know the parameter {names}."
            raise Problem(400, error("not-supported", text))


async def given(request: Request, known: Iterable[str] | None = None, resource: str = "") -> Given:
    """The parameters of a request; those of a POST's body and of its URL together.

    `resource` names the one parameter whose resource may be the whole body (`valueSet`). Raises
    `Problem` 400 for what is not a Parameters resource, or is not in `known`.
    """
    found = Given()
    for name, value in request.parameters if request.query else ():
        found.texts.setdefault(name, []).append(value)
    if request.method == "POST" and _has_body(request):
        body = await request.resource()
        kind = str(body.get("resourceType"))
        if resource and kind.lower() == resource.lower():
            found.texts.setdefault(resource, []).append(body)
        elif kind != "Parameters" or not isinstance(body.get("parameter", []), list):
            text = "The body of an operation is a Parameters resource."
            raise bad_request(text, "structure", "Parameters")
        else:
            for n, each in enumerate(body.get("parameter", ())):
                _take(found, each, f"Parameters.parameter[{n}]")
    if known is not None:
        found.refuse_others(known)
    return found


def _has_body(request: Request) -> bool:
    if request.content is not None:
        return True
    chunked = b"transfer-encoding" in request.headers
    return chunked or request.headers.get(b"content-length", b"0") != b"0"


def _take(found: Given, each: Any, place: str) -> None:
    if not isinstance(each, dict) or not isinstance(each.get("name"), str):
        raise bad_request("A parameter has a name.", "structure", place)
    values = [value for name, value in each.items() if name.startswith("value")]
    if "resource" in each:
        values.append(each["resource"])
    if "part" in each:
        values.append({"part": each["part"]})
    if len(values) != 1:
        raise bad_request("A parameter has one value, resource or parts.", "structure", place)
    found.texts.setdefault(each["name"], []).append(values[0])


def value(name: str, kind: str, content: Any) -> dict[str, Any]:
    """One parameter of an answer; `kind` is its FHIR type (`string`, `Coding`)."""
    return {"name": name, f"value{kind[0].upper()}{kind[1:]}": content}


def parts(name: str, *inner: dict[str, Any]) -> dict[str, Any]:
    """One parameter of an answer that has parts."""
    return {"name": name, "part": list(inner)}


def answered(parameters: Iterable[dict[str, Any]]) -> Answer:
    """An answer that is a Parameters resource."""
    body: dict[str, Any] = {"resourceType": "Parameters"}
    if told := list(parameters):
        body["parameter"] = told
    return Answer(200, serialization.encode(body))
