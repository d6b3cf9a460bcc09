"""Which values of an element belong to which of its slices, by the slicing's discriminators.

http://hl7.org/fhir/R4/profiling.html#discriminator: value, pattern, exists, type and profile, at
any path. A profile that builds on another may name slices that only the other tells apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from helsevev.fhir.profiles.reading import Node, Profile
from helsevev.fhir.profiles.values import Follow, Item, Undecided, along, holds, kind_of, steps

Known = Callable[[str], Profile | None]
"""A profile by its canonical URL, or None when it is not known here."""

Verdict = Callable[[Item, str], bool | None]
"""Whether a value conforms to the profile, or is of the value set, with a URL; None: unknown."""

_BY_URL: Final = [("value", "url")]
_BY_TYPE: Final = [("type", "$this")]
_ELEMENT: Final = "http://hl7.org/fhirpath/System."


class Slicing:
    """Tells the values of slices apart; `nodes` of one slice begin with the most derived."""

    def __init__(self, known: Known, follow: Follow, conforms: Verdict, is_member: Verdict) -> None:
        self._known = known
        self._follow = follow
        self._conforms = conforms
        self._is_member = is_member

    def is_in(
        self, item: Item, nodes: Sequence[Node], by: Sequence[tuple[str, str]]
    ) -> bool | None:
        """Whether a value belongs to the slice; None when that cannot be decided."""
        verdicts = [self._fits(item, nodes, kind, path) for kind, path in by]
        if False in verdicts:
            return False
        return None if None in verdicts or not verdicts else True

    def _fits(self, item: Item, nodes: Sequence[Node], kind: str, path: str) -> bool | None:
        try:
            found = along(item, path, self._follow)
            if kind == "type":
                return _has_type(found, self._at(nodes, path))
            if kind == "exists":
                return _exists(bool(found), self._at(nodes, path))
            if kind == "profile":
                return self._has_profile(found, self._at(nodes, path))
            return self._has_value(found, nodes, path)
        except Undecided:
            return None

    def _has_value(self, found: list[Item], nodes: Sequence[Node], path: str) -> bool | None:
        wanted = [each for node in nodes for each in self._expected(node, path)]
        if not wanted:
            sets = [node.value_set for node in self._at(nodes, path) if node.value_set]
            if not sets:
                return None
            verdicts = [self._is_member(each, sets[0]) for each in found]
            return None if None in verdicts and True not in verdicts else True in verdicts
        if any(each.value is None and each.beside is None for each in found):
            raise Undecided(path)
        return any(all(holds(each.value, one) for one in wanted) for each in found)

    def _has_profile(self, found: list[Item], nodes: Sequence[Node]) -> bool | None:
        urls = next((urls for node in nodes if (urls := list(profiles_of(node)))), [])
        if not urls:
            return None
        verdicts = [self._conforms(each, url) for each in found for url in urls]
        return None if None in verdicts and True not in verdicts else True in verdicts

    def _at(self, nodes: Sequence[Node], path: str) -> list[Node]:
        """The rules at a path below a slice, also those of the profiles that its parts have."""
        found = list(nodes)
        for name, argument in steps(path):
            found = [inner for each in found for inner in self._below(each, name, argument)]
        return found

    def _below(self, node: Node, name: str, argument: str | None) -> Iterator[Node]:
        if name == "resolve":
            # What stands there is of the types and profiles that the reference may lead to.
            types = [{"code": _type_of(url, self._known), "profile": [url]}
                     for each in node.types for url in each.get("targetProfile", ())]  # fmt: skip
            if types:
                yield Node(node.name, types=types)
            return
        if name == "ofType":
            yield node
            return
        for each in (node, *self._named(node)):
            children = each.children.get(name), each.children.get(f"{name}[x]")
            for child in children:
                if child is not None and argument is None:
                    yield child
                elif child is not None:
                    yield from (s for s in child.slices.values() if argument in set(urls_of(s)))

    def _named(self, node: Node) -> Iterator[Node]:
        for url in profiles_of(node):
            profile = self._known(url)
            if profile is not None:
                yield profile.root

    def _expected(self, node: Node, path: str) -> Iterator[Any]:
        """The fixed values and patterns that a slice asks for at a path, there or above."""
        own = node.fixed if node.fixed is not None else node.pattern
        asked = steps(path)
        if path == "url" and node.name in ("extension", "modifierExtension"):
            yield from list(urls_of(node))[:1]
            return
        if not asked:
            if own is not None:
                yield own
            for each in self._named(node):
                yield from self._expected(each, path)
            return
        for name, _ in asked:
            own = _inner(own, name)
        if type(own) is list:
            own = own[0] if own else None
        if own is not None:
            yield own
        (name, argument), rest = asked[0], ".".join(_written(step) for step in asked[1:])
        for child in self._below(node, name, argument):
            yield from self._expected(child, rest or "$this")


def discriminators_of(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """What tells the slices of an element apart; R4's own habit where no profile says it."""
    found = next((node.discriminators for node in nodes if node.discriminators), None)
    if found is not None:
        return found
    if nodes[0].name in ("extension", "modifierExtension"):
        return _BY_URL
    return _BY_TYPE if nodes[0].name.endswith("[x]") else []


def profiles_of(node: Node) -> Iterator[str]:
    """The profiles that an element's values have."""
    for each in node.types:
        yield from each.get("profile", ())


def urls_of(node: Node) -> Iterator[str]:
    """The URLs of the extensions that a slice of extensions is for."""
    yield from profiles_of(node)
    url = node.children.get("url")
    if url is not None and type(url.fixed) is str:
        yield url.fixed


def _exists(is_there: bool, nodes: Sequence[Node]) -> bool | None:
    for node in nodes:
        if node.most == 0:
            return not is_there
        if node.least:
            return is_there
    return None


def _has_type(found: list[Item], nodes: Sequence[Node]) -> bool | None:
    node = next((node for node in nodes if node.types), nodes[0] if nodes else None)
    if node is None:
        return None
    allowed = {str(each.get("code", "")).removeprefix(_ELEMENT) for each in node.types}
    if not allowed and node.name.endswith("[x]"):
        # By convention a slice of a choice is called as its JSON name.
        allowed = {node.slice_name.removeprefix(node.name[:-3])}
    allowed.discard("")
    if not allowed or not all(kind_of(each) for each in found):
        return None
    kinds = {code[:1].upper() + code[1:] for code in allowed}
    return bool(found) and ("Resource" in kinds or all(kind_of(each) in kinds for each in found))


def _type_of(url: str, known: Known) -> str:
    profile = known(url)
    return profile.type if profile is not None else url.rpartition("/")[2]


def _written(step: tuple[str, str | None]) -> str:
    name, argument = step
    return name if argument is None else f"{name}('{argument}')"


def _inner(given: Any, step: str) -> Any:
    if type(given) is list:
        given = given[0] if given else None
    return given.get(step) if type(given) is dict else None
