"""Checks a resource against profiles, and says as well what of them was not checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from helsevev.fhir.definitions import codes
from helsevev.fhir.outcome import Issue
from helsevev.fhir.path import Knows, compile_path
from helsevev.fhir.profiles.reading import CORE, Node, Profile
from helsevev.fhir.profiles.slicing import Known, Slicing, discriminators_of
from helsevev.fhir.profiles.values import Item, Undecided, holds, items
from helsevev.fhir.references import relative

Members = Callable[[str, str, str], bool | None]
"""Whether a value set has a code, by its URL, the system ("" when it is not said) and the code.

None when that cannot be told. An element without a code asks for the code "".
"""


def _nobody_knows(_: str, __: str, ___: str) -> None:
    return None


_DEEPEST = 12
Nodes = Sequence[Node]
"""The rules of other profiles, above or below this one, for the same element."""


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
        self._slicing = Slicing(known, self._follow_reference, self._conforms, self._is_member)
        self._knows = Knows(members, lambda value, url: self._conforms(Item(value, None, ""), url))
        self.issues: list[Issue] = []

    def follow(self, item: Item, profile: Profile, depth: int, over: Nodes = ()) -> None:
        """Check a value against a profile and those it builds on.

        `over` are the rules of the profiles that build on this one, for the same value.
        """
        if depth > _DEEPEST:
            self._unchecked(item.path, f"{profile.url} is nested too deep to be followed.")
            return
        base = self._known(profile.base) if profile.base else None
        chain = tuple(each.root for each in self._chain(base))
        self._value(item, profile.root, depth, (*over, *chain))
        if profile.base and not profile.base.startswith(CORE):
            self._named(item, profile.base, depth, (*over, profile.root))

    def _chain(self, profile: Profile | None) -> Iterator[Profile]:
        for _ in range(_DEEPEST):
            if profile is None:
                return
            yield profile
            profile = self._known(profile.base) if profile.base else None

    def _named(self, item: Item, url: str, depth: int, over: Nodes = ()) -> None:
        if url.startswith(CORE) and self._known(url) is None:
            return
        profile = self._known(url)
        if profile is None:
            self._unchecked(item.path, f"The profile {url} is not known here.")
        else:
            self.follow(item, profile, depth + 1, over)

    def _element(self, parent: Item, node: Node, depth: int, others: Nodes) -> None:
        found = items(parent, node.name)
        place = f"{parent.path}.{node.name.removesuffix('[x]')}"
        self._count(len(found), node, place)
        for item in found:
            self._value(item, node, depth, others)
        if node.slices:
            self._slices(found, node, place, depth, others)

    def _slices(self, found: list[Item], node: Node, place: str, depth: int, others: Nodes) -> None:
        by = discriminators_of((node, *others))
        left = list(found)
        owned: dict[str, list[Item]] = {}
        undecided = False
        for name, each in node.slices.items():
            alike = tuple(o.slices[name] for o in others if name in o.slices)
            # A slice of a slice (`a/b`) is found among the values of that slice.
            outer = name.rpartition("/")[0]
            among = owned.get(outer, left) if outer else left
            verdicts = [self._slicing.is_in(item, (each, *alike), by) for item in among]
            own = [item for item, verdict in zip(among, verdicts, strict=True) if verdict]
            owned[name] = own
            unknown = None in verdicts
            undecided = undecided or unknown
            if unknown and each.asks:
                self._unchecked(place, f"Which values are the slice {name} cannot be decided here.")
            if not outer:
                left = [i for i, verdict in zip(left, verdicts, strict=True) if verdict is not True]
            if not unknown or (each.most is not None and len(own) > each.most):
                self._count(len(own), each, place, f" in the slice {name}")
            for item in own:
                self._value(item, each, depth, alike)
        if not undecided:
            self._order(found, node, owned)
            for item in left if node.closed else ():
                self._error("structure", "it fits none of the slices allowed here", item.path)
        elif node.closed and left:
            self._unchecked(place, "Whether all values fit a slice cannot be decided here.")

    def _order(self, found: list[Item], node: Node, owned: Mapping[str, list[Item]]) -> None:
        numbers = {id(i): n for n, own in enumerate(owned.values()) for i in own}
        places = [numbers.get(id(item)) for item in found]
        highest = -1
        for item, place, before in zip(found, places, [0, *places], strict=False):
            if node.at_end and place is not None and before is None:
                self._error("structure", "it must come before what is in no slice", item.path)
            if node.ordered and place is not None:
                if place < highest:
                    self._error("structure", "it stands after values of a later slice", item.path)
                highest = max(highest, place)

    def _conforms(self, item: Item, url: str) -> bool | None:
        profile = self._known(url)
        if profile is None:
            return None
        if item.value is None and item.beside is None:
            # Of what is referred to only the type is known.
            return None if item.kind == profile.type else False
        trial = _Checker(self._known, self._resource, self._members)
        trial.follow(item, profile, 0)
        return not any(issue.is_error for issue in trial.issues)

    def _follow_reference(self, item: Item) -> Item:
        text = item.value.get("reference") if type(item.value) is dict else None
        if type(text) is str and text.startswith("#"):
            for each in self._resource.get("contained", ()):
                if type(each) is dict and each.get("id") == text[1:]:
                    return Item(each, None, item.path, str(each.get("resourceType", "")))
        place = relative(text) if type(text) is str else None
        kind = place[0] if place else item.value.get("type") if type(item.value) is dict else None
        if type(kind) is not str or not kind:
            raise Undecided("A reference that does not tell its type.")
        return Item(None, None, item.path, kind)

    def _value(self, item: Item, node: Node, depth: int, others: Nodes) -> None:
        if node.fixed is not None and item.value != node.fixed:
            self._error("value", f"must be {_shown(node.fixed)}", item.path)
        if node.pattern is not None and not holds(item.value, node.pattern):
            self._error("value", f"must have {_shown(node.pattern)}", item.path)
        if node.types:
            self._types(item, node, depth)
        if node.value_set and node.name not in ("extension", "modifierExtension"):
            self._binding(item, node.value_set)
        for constraint in node.constraints:
            self._constraint(item, constraint)
        for name, child in node.children.items():
            alike = tuple(o.children[name] for o in others if name in o.children)
            self._element(item, child, depth, alike)

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
            verdicts = [self._conforms(item, url) for url in profiles]
            if True not in verdicts and None in verdicts:
                text = f"Which of {len(profiles)} profiles holds cannot be decided here."
                self._unchecked(item.path, text)
            elif True not in verdicts:
                self._error("structure", f"must conform to {' or '.join(profiles)}", item.path)
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
        verdict = self._is_member(item, value_set)
        if verdict is None:
            self._unchecked(item.path, f"The codes of {value_set} are not known here.")
        elif not verdict:
            self._error("code-invalid", f"must have a code of {value_set}", item.path)

    def _is_member(self, item: Item, value_set: str) -> bool | None:
        systems = codes(value_set)
        verdicts: list[bool | None]
        if systems is None:
            pairs = _codings(item.value, ("",)) or [("", "")]
            verdicts = [self._members(value_set, system, code) for system, code in pairs]
        else:
            pairs = _codings(item.value, systems)
            verdicts = [code in systems.get(system, ()) for system, code in pairs]
        if True in verdicts:
            return True
        return None if None in verdicts else False

    def _constraint(self, item: Item, constraint: Mapping[str, Any]) -> None:
        key, expression = constraint.get("key", ""), constraint["expression"]
        try:
            path = compile_path(expression)
            found = path(item.value, resource=self._resource, knows=self._knows)
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
