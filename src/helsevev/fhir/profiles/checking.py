"""Checks a resource against profiles, and says as well what of them was not checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from helsevev.fhir.definitions import codes
from helsevev.fhir.outcome import Issue
from helsevev.fhir.path import compile_path
from helsevev.fhir.profiles.reading import CORE, Node, Profile
from helsevev.fhir.profiles.values import Item, along, holds, items
from helsevev.fhir.references import relative

Known = Callable[[str], Profile | None]
"""A profile by its canonical URL, or None when it is not known here."""

Members = Callable[[str, str, str], bool | None]
"""Whether a value set has a code, by its URL, the system ("" when it is not said) and the code.

None when that cannot be told. An element without a code asks for the code "".
"""


def _nobody_knows(_: str, __: str, ___: str) -> None:
    return None


_DEEPEST = 12


def check_profile(
    resource: dict[str, Any], profile: Profile, known: Known, members: Members = _nobody_knows
) -> list[Issue]:
    """All that the resource breaks of a profile, and of those that it builds on or names.

    `members` tells of value sets that R4 itself does not list. What could not be checked is told
    as `information`. The resource should be valid R4.
    """
    checker = _Checker(known, resource, members)
    kind = str(resource.get("resourceType", ""))
    if kind != profile.type:
        text = f"{profile.url} is about {profile.type}, not about {kind}."
        return [Issue("error", "structure", text, kind)]
    checker.follow(Item(resource, None, kind), profile, 0)
    return list(dict.fromkeys(checker.issues))


class _Checker:
    def __init__(self, known: Known, resource: dict[str, Any], members: Members) -> None:
        self._known = known
        self._resource = resource
        self._members = members
        self.issues: list[Issue] = []

    def follow(self, item: Item, profile: Profile, depth: int) -> None:
        """Check a value against a profile and those it builds on."""
        if depth > _DEEPEST:
            self._unchecked(item.path, f"{profile.url} is nested too deep to be followed.")
            return
        self._value(item, profile.root, depth)
        if profile.base and not profile.base.startswith(CORE):
            self._named(item, profile.base, depth)

    def _named(self, item: Item, url: str, depth: int) -> None:
        if url.startswith(CORE) and self._known(url) is None:
            return
        profile = self._known(url)
        if profile is None:
            self._unchecked(item.path, f"The profile {url} is not known here.")
        else:
            self.follow(item, profile, depth + 1)

    def _element(self, parent: Item, node: Node, depth: int) -> None:
        found = items(parent, node.name)
        place = f"{parent.path}.{node.name.removesuffix('[x]')}"
        self._count(len(found), node, place)
        for item in found:
            self._value(item, node, depth)
        if node.slices:
            self._slices(found, node, place, depth)

    def _slices(self, found: list[Item], node: Node, place: str, depth: int) -> None:
        left = list(found)
        for name, each in node.slices.items():
            if not each.asks and not node.closed:
                continue
            verdicts = [self._is_in(item, each, node.discriminators) for item in left]
            if None in verdicts:
                self._unchecked(place, f"Which values are the slice {name} cannot be decided here.")
            own = [item for item, verdict in zip(left, verdicts, strict=True) if verdict]
            left = [item for item, verdict in zip(left, verdicts, strict=True) if verdict is False]
            if None not in verdicts or own:
                self._count(len(own), each, place, f" in the slice {name}")
            for item in own:
                self._value(item, each, depth)
        if node.closed:
            for item in left:
                self._error("structure", "it fits none of the slices allowed here", item.path)

    def _is_in(self, item: Item, slice_: Node, by: list[tuple[str, str]]) -> bool | None:
        """Whether a value belongs to a slice; None when that cannot be decided."""
        verdicts = [self._fits(item, slice_, kind, path) for kind, path in by]
        if False in verdicts:
            return False
        return None if None in verdicts or not verdicts else True

    def _fits(self, item: Item, slice_: Node, kind: str, path: str) -> bool | None:
        if kind == "type":
            return _has_type(along(item, path), slice_)
        if kind == "exists":
            target = _descend(slice_, path)
            wanted = target is None or target.most != 0
            return bool(along(item, path)) is wanted
        if kind == "profile":
            return self._conforms(item, slice_, path)
        if slice_.name in ("extension", "modifierExtension") and path == "url":
            profiles = [url for each in slice_.types for url in each.get("profile", ())]
            if profiles:
                return type(item.value) is dict and item.value.get("url") in profiles
        wanted = _expected(slice_, path)
        if wanted is None:
            return None
        return any(holds(each.value, wanted) for each in along(item, path))

    def _conforms(self, item: Item, slice_: Node, path: str) -> bool | None:
        urls = [url for each in slice_.types for url in each.get("profile", ())]
        profiles = [self._known(url) for url in urls]
        if path != "$this" or not profiles or None in profiles:
            return None
        for profile in profiles:
            trial = _Checker(self._known, self._resource, self._members)
            assert profile is not None
            trial.follow(item, profile, 0)
            if not any(issue.is_error for issue in trial.issues):
                return True
        return False

    def _value(self, item: Item, node: Node, depth: int) -> None:
        if node.fixed is not None and item.value != node.fixed:
            self._error("value", f"must be {_shown(node.fixed)}", item.path)
        if node.pattern is not None and not holds(item.value, node.pattern):
            self._error("value", f"must have {_shown(node.pattern)}", item.path)
        if node.types:
            self._types(item, node, depth)
        if node.value_set:
            self._binding(item, node.value_set)
        for constraint in node.constraints:
            self._constraint(item, constraint)
        for child in node.children.values():
            self._element(item, child, depth)

    def _types(self, item: Item, node: Node, depth: int) -> None:
        if item.kind:
            allowed = [str(each.get("code", "")) for each in node.types]
            if item.kind not in [code[:1].upper() + code[1:] for code in allowed]:
                text = f"the profile allows only {', '.join(allowed)} here"
                self._error("structure", text, item.path)
                return
        profiles = [url for each in node.types for url in each.get("profile", ())]
        if len(profiles) == 1:
            self._named(item, profiles[0], depth)
        elif profiles:
            self._unchecked(item.path, f"Which of {len(profiles)} profiles holds is not checked.")
        targets = [url for each in node.types for url in each.get("targetProfile", ())]
        if targets:
            self._target(item, targets)

    def _target(self, item: Item, targets: list[str]) -> None:
        text = item.value.get("reference") if type(item.value) is dict else None
        place = relative(text) if type(text) is str else None
        if place is None:
            return
        kinds = {self._type_of(url) for url in targets}
        if None in kinds or "Resource" in kinds:
            return
        if place[0] not in kinds:
            allowed = ", ".join(sorted(str(kind) for kind in kinds))
            self._error("structure", f"must refer to {allowed}", f"{item.path}.reference")

    def _type_of(self, url: str) -> str | None:
        if url.startswith(CORE):
            return url.removeprefix(CORE)
        profile = self._known(url)
        return profile.type if profile else None

    def _binding(self, item: Item, value_set: str) -> None:
        systems = codes(value_set)
        verdicts: list[bool | None]
        if systems is None:
            pairs = _codings(item.value, ("",)) or [("", "")]
            verdicts = [self._members(value_set, system, code) for system, code in pairs]
        else:
            pairs = _codings(item.value, systems)
            verdicts = [code in systems.get(system, ()) for system, code in pairs]
        if True in verdicts:
            return
        if None in verdicts:
            self._unchecked(item.path, f"The codes of {value_set} are not known here.")
        else:
            self._error("code-invalid", f"must have a code of {value_set}", item.path)

    def _constraint(self, item: Item, constraint: Mapping[str, Any]) -> None:
        key, expression = constraint.get("key", ""), constraint["expression"]
        try:
            path = compile_path(expression)
            found = path(item.value, variables={"resource": self._resource})
        except Exception as problem:  # noqa: BLE001 - a profile's own fault is no fault of the resource
            self._unchecked(item.path, f"The rule {key} could not be worked out: {problem}")
            return
        if found and found != [True]:
            self._error("invariant", f"{key}: {constraint.get('human') or expression}", item.path)

    def _count(self, count: int, node: Node, place: str, where: str = "") -> None:
        if node.least is not None and count < node.least:
            text = f"the profile asks for at least {node.least}{where}, found {count}"
            self._error("required", text, place)
        if node.most is not None and count > node.most:
            text = f"the profile allows at most {node.most}{where}, found {count}"
            self._error("structure", text, place)

    def _error(self, code: str, text: str, path: str) -> None:
        self.issues.append(Issue("error", code, text, path))

    def _unchecked(self, path: str, text: str) -> None:
        self.issues.append(Issue("information", "incomplete", f"Not checked. {text}", path))


def _descend(node: Node, path: str) -> Node | None:
    found: Node | None = node
    for step in path.split("."):
        if step == "$this" or found is None:
            continue
        found = found.children.get(step) or found.children.get(f"{step}[x]")
    return found


def _expected(slice_: Node, path: str) -> Any:
    """What a slice's values have at a path: a fixed value or pattern there or above."""
    steps = [] if path == "$this" else path.split(".")
    node: Node | None = slice_
    given = slice_.fixed if slice_.fixed is not None else slice_.pattern
    for step in steps:
        given = _inner(given, step)
        node = (node.children.get(step) or node.children.get(f"{step}[x]")) if node else None
        if node is not None and (node.fixed is not None or node.pattern is not None):
            given = node.fixed if node.fixed is not None else node.pattern
    return given


def _inner(given: Any, step: str) -> Any:
    if type(given) is list:
        given = given[0] if given else None
    return given.get(step) if type(given) is dict else None


def _has_type(found: list[Item], slice_: Node) -> bool | None:
    allowed = {str(each.get("code", "")) for each in slice_.types}
    if not allowed and slice_.name.endswith("[x]"):
        # By convention a slice of a choice is called as its JSON name.
        stem = slice_.name[:-3]
        allowed = {slice_.slice_name.removeprefix(stem)}
    if not allowed or not all(each.kind for each in found):
        return None
    kinds = {code[:1].upper() + code[1:] for code in allowed}
    return bool(found) and all(each.kind in kinds for each in found)


def _codings(value: Any, systems: Iterable[str]) -> list[tuple[str, str]]:
    if type(value) is str:
        return [(system, value) for system in systems]
    if type(value) is not dict:
        return []
    found = value.get("coding", [value])
    return [
        (str(each.get("system", "")), str(each.get("code", "")))
        for each in found if type(each) is dict
    ]  # fmt: skip


def _shown(value: Any) -> str:
    return f"{value!r}"[:200]
