"""Resources made of answers by the elements that items say they are (SDC, definition-based).

https://hl7.org/fhir/uv/sdc/extraction.html#definition-based-extraction: an item, or the form,
opens a resource; items beneath say by `definition` where in it their answers belong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from helsevev.fhir import definitions
from helsevev.fhir.path import PathError
from helsevev.fhir.path.values import Node, plain
from helsevev.fhir.questionnaire.expressions import Scope
from helsevev.fhir.questionnaire.extensions import every, value_of
from helsevev.fhir.questionnaire.filling import Working
from helsevev.fhir.questionnaire.places import Answer, Place
from helsevev.fhir.questionnaire.template_extraction import allocated, compiled

_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"


def resources(
    working: Working, address: Callable[[str], str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each resource with its address in the transaction."""
    ids = allocated(working, address)
    whole = working.prepared.questionnaire
    for opening in openings(whole):
        yield _opened(working, None, opening, ids, address)
    for place in working.layout.all:
        if place.enabled and (place.node.get("item") or place.node.get("answer")):
            for opening in openings(place.item.raw):
                yield _opened(working, place, opening, ids, address)


@dataclass(frozen=True, slots=True)
class Opening:
    """That a resource is made: of which type, and the expression of its address ("" none)."""

    type: str
    full_url: str = ""


def openings(element: Mapping[str, Any]) -> list[Opening]:
    """The resources that an item, or the form, opens."""
    found = []
    for each in every(element, "definitionExtract"):
        parts = {part.get("url"): value_of(part) for part in each.get("extension", ())}
        kind = _type_of(str(parts.get("definition", "")))
        if kind:
            found.append(Opening(kind, str(parts.get("fullUrl") or "")))
    for each in every(element, "itemExtractionContext"):
        said = value_of(each)
        text = said.get("expression", "") if type(said) is dict else str(said)
        # A search would say which resource to change: that is not done, a new one is made.
        kind = text.partition("?")[0]
        if kind in definitions.RESOURCE_TYPES:
            found.append(Opening(kind))
    return found


def _type_of(url: str) -> str:
    kind = url.partition("|")[0].removeprefix(_CORE)
    return kind if kind in definitions.RESOURCE_TYPES else ""


def _opened(
    working: Working,
    place: Place | None,
    opening: Opening,
    ids: Mapping[str, Any],
    address: Callable[[str], str],
) -> tuple[str, dict[str, Any]]:
    making = _Making(working, opening.type, ids)
    if place is None:
        making.fixed(working.prepared.questionnaire, None, making.root)
        for each in working.layout.roots:
            making.walk(each, making.root)
    else:
        making.place(place, making.root)
    key = "" if place is None else place.key
    own = address(f"definition:{opening.type}:{key}")
    if opening.full_url:
        found = making.values(opening.full_url, place)
        own = str(found[0]) if found else own
    return own, making.root.value


@dataclass(slots=True)
class _Element:
    """An object of the resource that is being made, and what kind of element it is."""

    path: tuple[str, ...]
    type: str
    value: dict[str, Any]
    inner: dict[tuple[str, ...], _Element] = field(default_factory=dict)


class _Making:
    """One resource while answers are put into it."""

    def __init__(self, working: Working, kind: str, ids: Mapping[str, Any]) -> None:
        self.working = working
        self.kind = kind
        self.ids = ids
        self.root = _Element((), kind, {"resourceType": kind})

    def values(self, text: str, place: Place | None) -> list[Any]:
        """What an expression finds at a place; nothing when it fails."""
        working = self.working
        scope = Scope(self.ids, {}, lambda _expression, _scope: [], working.scope(place))
        focus: Any = working.layout.response
        if place is not None:
            focus = Node(place.node, "QuestionnaireResponse.item")
        try:
            found = compiled(text)(
                focus, working.layout.response, scope, working.knows, working.now
            )
        except PathError:
            return []
        return [plain(each) for each in found]

    def walk(self, place: Place, inside: _Element) -> None:
        """Put a place and what is beneath it into the resource; another resource's is left."""
        if place.enabled and not openings(place.item.raw):
            self.place(place, inside)

    def place(self, place: Place, inside: _Element) -> None:
        """Put the answers of a place where its definition says."""
        if not (place.node.get("item") or place.node.get("answer")):
            return
        path = self._path(place.item.definition)
        here = inside
        if path and place.item.type == "group" and not place.answers:
            here = self._new(inside, path)
        elif path:
            for answer in place.answers:
                self._put(here, path, _value(answer))
        self.fixed(place.item.raw, place, here)
        for each in place.places:
            self.walk(each, here)

    def fixed(self, element: Mapping[str, Any], place: Place | None, inside: _Element) -> None:
        """Values that are said outright, or worked out, beside those that are answered."""
        for each in every(element, "definitionExtractValue"):
            parts = {part.get("url"): value_of(part) for part in each.get("extension", ())}
            path = self._path(str(parts.get("definition", "")))
            said = parts.get("expression")
            if not path:
                continue
            if "fixed-value" in parts:
                self._put(inside, path, parts["fixed-value"])
            elif type(said) is dict and type(said.get("expression")) is str:
                for value in self.values(said["expression"], place):
                    self._put(inside, path, value)

    def _path(self, definition: str) -> tuple[str, ...]:
        """`http://…/Patient#Patient.name.given` as ("name", "given"); of another type empty.

        Profiles name their elements by the type that they constrain, so that alone is looked at.
        """
        path = definition.partition("#")[2]
        steps = tuple(part.partition(":")[0].removesuffix("[x]") for part in path.split(".")[1:])
        return steps if path.partition(".")[0] == self.kind else ()

    def _put(self, inside: _Element, path: tuple[str, ...], value: Any) -> None:
        """Set a value; where its place is taken and may be so again, beside it in a new element."""
        steps = path[len(inside.path) :] if path[: len(inside.path)] == inside.path else path
        start = inside if path[: len(inside.path)] == inside.path else self.root
        owner = self._owner(start, steps[:-1], steps[-1])
        if owner is None:
            return
        key, kind, repeats = _slot(owner.type, steps[-1], value)
        if not key:
            return
        made = _as_type(value, kind)
        if made is None:
            return
        if repeats:
            owner.value.setdefault(key, []).append(made)
        elif key not in owner.value:
            owner.value[key] = made
        elif steps[:-1]:
            fresh = self._new(start, (*start.path, *steps[:-1]), steps[-1])
            fresh.value[key] = made

    def _owner(self, start: _Element, steps: tuple[str, ...], last: str) -> _Element | None:
        here = start
        for index, step in enumerate(steps):
            found = here.inner.get((step,))
            if found is None:
                beneath = steps[index + 1] if index + 1 < len(steps) else last
                found = self._new(here, (*here.path, step), beneath)
            here = found
            if not here.type:
                return None
        return here

    def _new(self, inside: _Element, path: tuple[str, ...], beneath: str = "") -> _Element:
        """A new object at a path, beside those that are there; `beneath` will be put into it."""
        steps = path[len(inside.path) :]
        owner = self._owner(inside, steps[:-1], steps[-1]) if len(steps) > 1 else inside
        if owner is None:
            return _Element(path, "", {})
        key, kind, repeats = _slot(owner.type, steps[-1], {}, beneath)
        made = _Element(path, kind, {})
        if key and repeats:
            owner.value.setdefault(key, []).append(made.value)
        elif key:
            made.value = owner.value.setdefault(key, made.value)
        owner.inner[(steps[-1],)] = made
        return made


def _slot(owner: str, name: str, value: Any, beneath: str = "") -> tuple[str, str, bool]:
    """The JSON key, the type and whether there may be several; "" when there is no such element.

    Of the types of a choice it is the first that the value fits, or that has an element `beneath`.
    """
    if not definitions.is_structure(owner):
        return "", "", False
    known = definitions.elements(owner)
    element = known.get(name) or known.get(f"{name}[x]")
    if element is None:
        for each in known.values():
            names = each.json_names()
            if name in names:
                return name, names[name].name, each.repeats
        return "", "", False
    names = element.json_names()
    if len(names) == 1:
        ((key, kind),) = names.items()
        backbone = f"{owner}.{name}"
        is_backbone = definitions.is_structure(backbone)
        return key, backbone if is_backbone else kind.name, element.repeats
    for key, kind in names.items():
        has = definitions.is_structure(kind.name) and beneath in definitions.elements(kind.name)
        if has or (not beneath and _fits(value, kind.name)):
            return key, kind.name, element.repeats
    return "", "", False


def _fits(value: Any, kind: str) -> bool:
    """Whether a plain value can be of a type, among the types of a choice, in R4's order."""
    if type(value) is bool:
        return kind == "boolean"
    if type(value) is dict:
        if "value" in value and "code" not in value.get("coding", {}):
            return kind == "Quantity"
        if "reference" in value:
            return kind == "Reference"
        return kind in ("CodeableConcept", "Coding") and ("code" in value or "coding" in value)
    if type(value) is str:
        is_moment = value[:4].isdigit() and value[4:5] in ("-", "")
        return kind in (("dateTime", "date", "instant") if is_moment else ("string", "code", "uri"))
    return kind in ("Quantity", "decimal", "integer")


def _as_type(value: Any, kind: str) -> Any:
    """A value as an element of a type takes it; None when it cannot."""
    if kind in definitions.PRIMITIVES:
        if type(value) is dict:
            return value.get("code", value.get("value"))
        return str(value) if kind == "string" and type(value) is not bool else value
    if kind == "CodeableConcept" and type(value) is dict and "coding" not in value:
        if "text" in value:
            return value
        text = {"text": value["display"]} if value.get("display") else {}
        return {"coding": [value], **text}
    if kind == "CodeableConcept" and type(value) is str:
        return {"text": value}
    if kind == "Quantity" and type(value) is not dict:
        return {"value": value}
    if kind == "Reference" and type(value) is str:
        return {"reference": value}
    if kind == "Annotation" and type(value) is str:
        return {"text": value}
    return value if type(value) is dict else None


def _value(answer: Answer) -> Any:
    return next((value for key, value in answer.items() if key.startswith("value")), None)
