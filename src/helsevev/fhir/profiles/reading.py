"""A StructureDefinition of a profile as a tree of rules, one node for each element and slice.

http://hl7.org/fhir/R4/profiling.html. The differential is enough: what it does not say is R4's own
rule, which every resource is checked against anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CORE = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(slots=True)
class Node:
    """The rules of one element or slice. None where the profile says nothing."""

    name: str
    slice_name: str = ""
    least: int | None = None
    most: int | None = None
    """`least` and `most` count values; a `most` of None is also "any number"."""
    fixed: Any = None
    pattern: Any = None
    types: list[dict[str, Any]] = field(default_factory=list)
    value_set: str = ""
    """The value set of a required binding."""
    discriminators: list[tuple[str, str]] = field(default_factory=list)
    """Kind and path of what tells the slices apart."""
    closed: bool = False
    at_end: bool = False
    """Whether what is in no slice comes after all that is."""
    ordered: bool = False
    """Whether values stand in the order of their slices."""
    constraints: list[dict[str, Any]] = field(default_factory=list)
    slices: dict[str, Node] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether it asks for anything, itself or further down."""
        own = (self.least, self.most, self.fixed, self.pattern)
        if any(rule is not None for rule in own) or self.types or self.value_set:
            return True
        inner = (*self.children.values(), *self.slices.values())
        return bool(self.constraints) or any(each.asks for each in inner)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile: its URL, the type it is about, its rules, and the profile it builds on."""

    url: str
    type: str
    root: Node
    base: str


class UnfitDefinition(ValueError):
    """The StructureDefinition is no profile that can be checked; the message says why."""


def profile_of(definition: Mapping[str, Any]) -> Profile:
    """Read a StructureDefinition (plain data). Raises `UnfitDefinition`."""
    if definition.get("derivation") != "constraint":
        raise UnfitDefinition("Only a StructureDefinition with derivation constraint is a profile.")
    part = definition.get("differential") or definition.get("snapshot") or {}
    elements = part.get("element")
    if not elements:
        raise UnfitDefinition("The StructureDefinition has neither differential nor snapshot.")
    kind, url = str(definition["type"]), str(definition["url"])
    root = Node(kind)
    for element in elements:
        _take(_place(root, _steps(element)), element)
    return Profile(url, kind, root, str(definition.get("baseDefinition", "")))


def _steps(element: Mapping[str, Any]) -> list[str]:
    identifier = element.get("id")
    if isinstance(identifier, str) and identifier:
        return identifier.split(".")
    path = str(element["path"])
    name = element.get("sliceName")
    return f"{path}:{name}".split(".") if name else path.split(".")


def _place(root: Node, steps: list[str]) -> Node:
    """The node that an element's id names, made when it is not there."""
    node = root
    for step in steps[1:]:
        name, _, slice_name = step.partition(":")
        node = node.children.setdefault(name, Node(name))
        if slice_name:
            node = node.slices.setdefault(slice_name, Node(name, slice_name))
    return node


def _take(node: Node, element: Mapping[str, Any]) -> None:
    if "min" in element:
        node.least = element["min"]
    if element.get("max", "*") != "*":
        node.most = int(element["max"])
    for name, value in element.items():
        if name.startswith("fixed"):
            node.fixed = value
        elif name.startswith("pattern"):
            node.pattern = value
    node.types = list(element.get("type", ()))
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        node.value_set = str(binding.get("valueSet", "")).partition("|")[0]
    slicing = element.get("slicing")
    if slicing:
        found = slicing.get("discriminator", ())
        node.discriminators = [(each["type"], each["path"]) for each in found]
        node.closed = slicing.get("rules") == "closed"
        node.at_end = slicing.get("rules") == "openAtEnd"
        node.ordered = slicing.get("ordered") is True
    # R4's own invariants are checked for every resource; a snapshot repeats them.
    node.constraints = [
        each for each in element.get("constraint", ())
        if each.get("severity") == "error" and each.get("expression") and _is_own(each)
    ]  # fmt: skip


def _is_own(constraint: Mapping[str, Any]) -> bool:
    source = str(constraint.get("source", ""))
    return not source.startswith(CORE) and constraint.get("key") not in ("ele-1", "ext-1")


def named_in(profile: Profile) -> list[str]:
    """The URLs of the profiles that a profile builds on, or asks of its elements and targets."""
    found = [profile.base] if profile.base else []
    waiting = [profile.root]
    while waiting:
        node = waiting.pop()
        waiting += (*node.children.values(), *node.slices.values())
        for each in node.types:
            found += (*each.get("profile", ()), *each.get("targetProfile", ()))
    return found


_KEPT = ("id", "min", "max", "type", "slicing", "binding", "constraint")


def compact(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What `profile_of` needs of a StructureDefinition, without its texts."""
    part = definition.get("differential") or definition.get("snapshot") or {}
    return {
        **{name: definition[name] for name in ("url", "type", "derivation", "baseDefinition")},
        "differential": {"element": list(_compact(part.get("element", ())))},
    }


def _compact(elements: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for element in elements:
        kept = {
            name: value
            for name, value in element.items()
            if name in _KEPT or name.startswith(("fixed", "pattern"))
        }
        if "binding" in kept:
            found = kept["binding"]
            kept["binding"] = {
                name: found[name] for name in ("strength", "valueSet") if name in found
            }
        if "slicing" in kept:
            found = kept["slicing"]
            kept["slicing"] = {
                name: found[name] for name in ("discriminator", "rules", "ordered") if name in found
            }
        if "constraint" in kept:
            kept["constraint"] = [
                _only(each, "key", "severity", "human", "expression") for each in kept["constraint"]
            ]
        yield kept


def _only(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}
