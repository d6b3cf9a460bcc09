"""Checks of elements, types and resources, compiled from the definitions when first needed.

A check returns None when all is well, so that a valid resource costs no more than one call an
element; paths are put together only on the way out from a problem.
"""

from __future__ import annotations

from typing import Any

from helsevev.fhir import bindings, invariant_expressions, invariants
from helsevev.fhir.definitions import RESOURCE_TYPES, Element, ElementType, elements
from helsevev.fhir.known_values import remembering
from helsevev.fhir.primitive_checks import CHECKS, Check, Problem, expected, problem
from helsevev.fhir.reference_checks import LOCAL, check_reference, unresolved

_structures: dict[str, Check] = {}


def under(step: str, problems: list[Problem]) -> list[Problem]:
    """The problems as seen from one step further up."""
    return [(step + path, code, text) for path, code, text in problems]


def structure_check(name: str) -> Check:
    """The check of a complex type, a resource type or a backbone path."""
    if name not in _structures:
        # Types hold themselves (Extension, Questionnaire.item): until this one is made, a detour.
        _structures[name] = _detour(name)
        _structures[name] = _compile(name)
    return _structures[name]


def _detour(name: str) -> Check:
    def check(value: Any, parent: Any) -> list[Problem] | None:
        return _structures[name](value, parent)

    return check


def check_resource(value: Any, _: Any) -> list[Problem] | None:
    """A resource that stands for itself: at the top, or in a Bundle or Parameters."""
    problems = _typed(value)
    contained = value.get("contained") if type(value) is dict else None
    if contained:
        found = invariants.contained_unreferenced(value)
        if found:
            problems = [*(problems or []), *found]
    if problems and any(code == LOCAL for _, code, _ in problems):
        problems = unresolved(problems, contained)
    return problems or None


def _contained(value: Any, _: Any) -> list[Problem] | None:
    problems = _typed(value)
    if type(value) is dict:
        found = invariants.contained(value)
        if found:
            problems = [*(problems or []), *found]
    return problems


def _typed(value: Any) -> list[Problem] | None:
    if type(value) is not dict:
        return expected("a resource", value)
    name = value.get("resourceType")
    if type(name) is not str:
        return [(".resourceType", "required", "a resource says its resourceType")]
    if name not in RESOURCE_TYPES:
        return [(".resourceType", "structure", f"R4 has no resource type {name!r}")]
    return structure_check(name)(value, None)


def _compile(name: str) -> Check:
    known: dict[str, Check] = {}
    labels: dict[str, str] = {}
    required: list[str] = []
    choices: list[tuple[str, int, frozenset[str]]] = []
    in_resource = name.partition(".")[0] in RESOURCE_TYPES
    for element in elements(name).values():
        names = element.json_names()
        for json_name, kind in names.items():
            known[json_name] = _element_check(element, json_name, kind, in_resource)
            labels[json_name] = "." + element.name
            if element.is_choice:
                labels[json_name] = f".{element.name[:-3]}.ofType({kind.name})"
            if kind.name in CHECKS:
                known["_" + json_name] = _extension_check(json_name, element.repeats)
                labels["_" + json_name] = labels[json_name]
        if element.is_choice:
            held = frozenset(names) | {"_" + name for name in names}
            choices.append((element.name[:-3], element.least, held))
        elif element.least:
            required.append(element.name)
    if name in RESOURCE_TYPES:
        known["resourceType"] = CHECKS["code"]
        labels["resourceType"] = ".resourceType"
    check = _check(known, labels, tuple(required), tuple(choices), invariants.of(name))
    return _then(check, invariant_expressions.of(name))


def _then(check: Check, asked: Check | None) -> Check:
    """The check, and what else is asked of a value that is sound in itself."""
    if asked is None:
        return check

    def both(value: Any, parent: Any) -> list[Problem] | None:
        problems = check(value, parent)
        if problems is None:
            return asked(value, parent)
        if all(code == LOCAL for _, code, _ in problems):
            return [*problems, *(asked(value, parent) or ())]
        return problems

    return both


def _check(
    known: dict[str, Check],
    labels: dict[str, str],
    required: tuple[str, ...],
    choices: tuple[tuple[str, int, frozenset[str]], ...],
    rules: tuple[invariants.Rule, ...],
) -> Check:
    find = known.get

    def check(value: Any, _: Any) -> list[Problem] | None:
        if type(value) is not dict:
            return expected("an object", value)
        if not value:
            return problem("structure", "an object must not be empty")
        problems: list[Problem] = []
        for key, item in value.items():
            one = find(key)
            if one is None:
                problems.append(_unknown(key, choices))
            else:
                found = one(item, value)
                if found is not None:
                    problems += under(labels[key], found)
        for name in required:
            if name not in value and "_" + name not in value:
                problems.append(("." + name, "required", f"{name} is required"))
        for stem, least, names in choices:
            present = value.keys() & names
            if least > len(present) or len(present) > 1:
                problems += _choice_problems(stem, present)
        for rule in rules:
            broken = rule(value)
            if broken is not None:
                problems += broken
        return problems or None

    return check


def _choice_problems(stem: str, present: set[str]) -> list[Problem]:
    if not present:
        return [("." + stem, "required", f"{stem}[x] is required")]
    # A value and its own extensions are one: valueString and _valueString.
    kinds = {name.removeprefix("_") for name in present}
    if len(kinds) == 1:
        return []
    text = f"only one {stem}[x] is allowed, found {', '.join(sorted(kinds))}"
    return [("." + stem, "structure", text)]


def _unknown(key: str, choices: tuple[tuple[str, int, frozenset[str]], ...]) -> Problem:
    for stem, _, names in choices:
        if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
            kinds = ", ".join(sorted(name[len(stem) :] for name in names if name[0] != "_")[:12])
            return ("." + key, "structure", f"{key} is not a type of {stem}[x]; known: {kinds}")
    return ("." + key, "structure", f"unknown element {key}")


def _element_check(element: Element, json_name: str, kind: ElementType, in_resource: bool) -> Check:
    one = _type_check(element, kind)
    if element.binding is not None:
        one = bindings.bound(one, element.binding, kind.name)
    if in_resource and kind.name not in CHECKS and kind.name != "Resource":
        one = remembering(one)
    if not element.repeats:
        return one
    if kind.name in CHECKS:
        return _array(one, "_" + json_name)
    return _array(one)


def _type_check(element: Element, kind: ElementType) -> Check:
    if kind.name in CHECKS:
        return CHECKS[kind.name]
    if kind.name == "Resource":
        return _contained if element.name == "contained" else check_resource
    if kind.name == "Reference":
        return check_reference(structure_check("Reference"), element.name, kind.targets)
    return structure_check(kind.name)


def _array(one: Check, companion: str | None = None) -> Check:
    """An array; where primitives have a companion, null holds the place of an extension there."""

    def check(values: Any, parent: Any) -> list[Problem] | None:
        if type(values) is not list:
            return expected("an array", values)
        if not values:
            return problem("structure", "an array must not be empty")
        problems: list[Problem] = []
        for index, value in enumerate(values):
            if value is None and companion is not None:
                if not _stands_at(parent.get(companion), index):
                    text = "null is allowed only where an extension stands for the value"
                    problems.append((f"[{index}]", "structure", text))
                continue
            found = one(value, parent)
            if found is not None:
                problems += under(f"[{index}]", found)
        return problems or None

    return check


def _stands_at(values: Any, index: int) -> bool:
    return type(values) is list and index < len(values) and values[index] is not None


def _extension_check(name: str, repeats: bool) -> Check:
    """The check of `_name`: id and extensions of a primitive, or an array of them with nulls."""

    def single(value: Any, parent: Any) -> list[Problem] | None:
        found = _companion(value, None)
        if found is None and name not in parent and "extension" not in value:
            return problem("invariant", "ele-1: an element has a value or an extension")
        return found

    def many(values: Any, parent: Any) -> list[Problem] | None:
        if type(values) is not list:
            return expected("an array", values)
        problems: list[Problem] = []
        primitives = parent.get(name)
        if type(primitives) is list and len(primitives) != len(values):
            text = f"_{name} and {name} are arrays of the same length"
            problems.append(("", "structure", text))
        for index, value in enumerate(values):
            if value is None:
                if not _stands_at(primitives, index):
                    text = "a value or an extension is expected"
                    problems.append((f"[{index}]", "structure", text))
                continue
            found = _companion(value, None)
            if found is not None:
                problems += under(f"[{index}]", found)
        return problems or None

    return many if repeats else single


def _companion(value: Any, _: Any) -> list[Problem] | None:
    if "_companion" not in _structures:
        extensions = _array(structure_check("Extension"))
        known = {"id": CHECKS["string"], "extension": extensions}
        labels = {"id": ".id", "extension": ".extension"}
        _structures["_companion"] = _check(known, labels, (), (), ())
    return _structures["_companion"](value, None)
