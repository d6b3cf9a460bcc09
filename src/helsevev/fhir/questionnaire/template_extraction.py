"""Resources made from templates that a form brings along (SDC, template-based extraction).

https://hl7.org/fhir/uv/sdc/extraction.html#template-based-extraction: a contained resource is
copied, and wherever an extension says so, what an expression finds is put in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from helsevev.fhir.path import PathError
from helsevev.fhir.path.values import Node, plain
from helsevev.fhir.questionnaire.expressions import Anywhere, Scope
from helsevev.fhir.questionnaire.extensions import NAMES, every, value_of
from helsevev.fhir.questionnaire.filling import Working
from helsevev.fhir.questionnaire.places import Place

_CONTEXT: Final = "templateExtractContext"
_VALUE: Final = "templateExtractValue"
_MARKS: Final = frozenset({_CONTEXT, _VALUE})


class _Gone(Exception):
    """An element whose value was not found: it is left out."""


def resources(
    working: Working, address: Callable[[str], str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each resource with its address in the transaction."""
    ids = allocated(working, address)
    whole = working.prepared.questionnaire
    for each in every(whole, "templateExtract"):
        yield from _made(working, None, each, ids, address)
    for place in working.layout.all:
        if place.enabled and (place.node.get("item") or place.node.get("answer")):
            for each in every(place.item.raw, "templateExtract"):
                yield from _made(working, place, each, ids, address)


def allocated(working: Working, address: Callable[[str], str]) -> dict[str, Any]:
    """Addresses that the form asks for by name, for resources that refer to each other."""
    said = (value_of(each) for each in every(working.prepared.questionnaire, "extractAllocateId"))
    return {str(name): address(f"id:{name}") for name in said}


def _made(
    working: Working,
    place: Place | None,
    extension: Mapping[str, Any],
    ids: Mapping[str, Any],
    address: Callable[[str], str],
) -> Iterator[tuple[str, dict[str, Any]]]:
    parts = {part.get("url"): value_of(part) for part in extension.get("extension", ())}
    said = parts.get("template")
    name = str(said.get("reference", "")) if type(said) is dict else ""
    template = _contained(working, name.removeprefix("#"))
    if template is None:
        return
    outer = working.scope(place)
    scope = Scope(ids, {}, lambda _expression, _scope: [], outer)
    filling = _Filling(working, scope)
    focus: Any = working.layout.response
    if place is not None:
        focus = Node(place.node, "QuestionnaireResponse.item")
    try:
        made = filling.element(template, focus)
    except _Gone:
        return
    made = {key: value for key, value in made.items() if key != "id"}
    key = "" if place is None else place.key
    own = address(f"template:{name}:{key}")
    full_url = parts.get("fullUrl")
    if type(full_url) is str:
        found = filling.values(full_url, focus)
        own = str(plain(found[0])) if found else own
    yield own, made


def _contained(working: Working, name: str) -> dict[str, Any] | None:
    for each in working.prepared.questionnaire.get("contained", ()):
        if type(each) is dict and each.get("id") == name:
            return each
    return None


class _Filling:
    """A template while it is copied; expressions are said of the item the copy is made for."""

    def __init__(self, working: Working, scope: Scope) -> None:
        self.working = working
        self.scope = scope

    def values(self, text: str, focus: Any) -> list[Any]:
        """What an expression finds; nothing when it fails, which `fill` has told already."""
        try:
            return compiled(text)(
                focus, self.working.layout.response, self.scope, self.working.knows,
                self.working.now,
            )  # fmt: skip
        except PathError:
            return []

    def element(self, template: Mapping[str, Any], focus: Any) -> dict[str, Any]:
        """A copy of an object of the template. Raises `_Gone` when its own value is not found."""
        said = _said(template, _VALUE)
        if said is not None:
            found = self.values(said, focus)
            if not found:
                raise _Gone
            return _as_element(plain(found[0]))
        made: dict[str, Any] = {}
        for key, value in template.items():
            if key == "extension":
                rest = [each for each in value if NAMES.get(each.get("url", "")) not in _MARKS]
                if rest:
                    made[key] = rest
            elif key.startswith("_"):
                continue
            else:
                self._member(made, key, value, focus)
        for key, value in template.items():
            if key.startswith("_"):
                self._primitive(made, key, value, focus)
        return made

    def _member(self, made: dict[str, Any], key: str, value: Any, focus: Any) -> None:
        if type(value) is list:
            found = [copy for each in value for copy in self._copies(each, focus)]
            if found:
                made[key] = found
        elif type(value) is dict:
            found = list(self._copies(value, focus))
            if found:
                made[key] = found[0]
        else:
            made[key] = value

    def _copies(self, template: Any, focus: Any) -> Iterator[Any]:
        """A copy for each of what the context finds; one of what has no context."""
        if type(template) is not dict:
            yield template
            return
        said = _said(template, _CONTEXT)
        for each in [focus] if said is None else self.values(said, focus):
            try:
                made = self.element(template, each)
            except _Gone:
                continue
            if made:
                yield made

    def _primitive(self, made: dict[str, Any], key: str, beside: Any, focus: Any) -> None:
        """`_value` beside `value`: the extension stands there, what is found in its place."""
        name = key[1:]
        if type(beside) is list:
            values: list[Any] = []
            for each in beside:
                said = _said(each, _VALUE) if type(each) is dict else None
                values.extend(self.values(said, focus) if said is not None else [])
            if values:
                made[name] = [plain(each) for each in values]
            return
        said = _said(beside, _VALUE) if type(beside) is dict else None
        if said is None:
            made[key] = beside
            return
        found = self.values(said, focus)
        if found:
            made[name] = plain(found[0])
        else:
            made.pop(name, None)


def _said(element: Mapping[str, Any], name: str) -> str | None:
    value = next((value_of(each) for each in every(element, name)), None)
    if type(value) is dict:
        value = value.get("expression")
    return value if type(value) is str else None


def _as_element(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        if value.get("resourceType") and value.get("id"):
            return {"reference": f"{value['resourceType']}/{value['id']}"}
        return value
    # A text where a Reference stands: the address of what is referred to.
    return {"reference": str(value)}


_COMPILED: Final[dict[str, Anywhere]] = {}


def compiled(text: str) -> Anywhere:
    """An expression of a template, compiled once. Raises `PathError`."""
    found = _COMPILED.get(text)
    if found is None:
        if len(_COMPILED) > 2000:
            _COMPILED.clear()
        found = _COMPILED[text] = Anywhere(text)
    return found
