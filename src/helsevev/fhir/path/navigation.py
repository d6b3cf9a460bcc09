"""Ways through a resource: elements, choices, extensions, references, and the whole tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.fhir import definitions, references
from helsevev.fhir.path import kinds
from helsevev.fhir.path.site import FALSE, TRUE, Maker, Site, Typed
from helsevev.fhir.path.syntax import Name, PathError
from helsevev.fhir.path.values import Env, Items, Node, Run, plain, text_of


def one_step(base: Run, key: str, primitive: bool, kind: str | None) -> Run:
    """The items of one JSON key of objects."""

    def run(this: Items, env: Env) -> Items:
        items = base(this, env)
        if len(items) == 1:
            item = items[0]
            if type(item) is not dict:
                return []
            value = item.get(key)
            if type(value) is list:
                return _whole(item, key, value, kind) if primitive else value
            if value is not None:
                return [value]
            return _alone(item, key, kind) if primitive else []
        found: Items = []
        for item in items:
            if type(item) is dict:
                _take(found, item, key, primitive, kind)
        return found

    return run


def walk(base: Run, keys: tuple[tuple[str, bool], ...], kind: str | None) -> Run:
    """The items at the end of several JSON keys; only the last may be a primitive's."""
    *through, (last, primitive) = keys
    names = tuple(name for name, _ in through)

    def run(this: Items, env: Env) -> Items:
        items = base(this, env)
        for name in names:
            below: Items = []
            for item in items:
                if type(item) is dict:
                    value = item.get(name)
                    if type(value) is list:
                        below += value
                    elif value is not None:
                        below.append(value)
            if not below:
                return below
            items = below
        found: Items = []
        for item in items:
            if type(item) is dict:
                _take(found, item, last, primitive, kind)
        return found

    return run


def _take(found: Items, item: dict[str, Any], key: str, primitive: bool, kind: str | None) -> None:
    value = item.get(key)
    if type(value) is list:
        found += _whole(item, key, value, kind) if primitive else value
    elif value is not None:
        found.append(value)
    elif primitive:
        found += _alone(item, key, kind)


def _alone(item: dict[str, Any], key: str, kind: str | None) -> Items:
    """A primitive that has extensions but no value is there all the same."""
    beside = item.get("_" + key)
    if beside is None:
        return []
    if type(beside) is list:
        return [Node(None, kind, each) for each in beside if each is not None]
    return [Node(None, kind, beside)]


def _whole(item: dict[str, Any], key: str, values: Items, kind: str | None) -> Items:
    if None not in values:
        return values
    return [n for n in _nodes(item, key, values, kind) if n.value is not None or n.beside]


def _nodes(item: dict[str, Any], key: str, value: Any, kind: str | None) -> list[Node]:
    beside = item.get("_" + key)
    values = value if type(value) is list else [value]
    others = beside if type(beside) is list else [beside]
    length = max(len(values), len(others))
    padded = [*values, *([None] * (length - len(values)))]
    return [
        Node(each, kind, others[place] if place < len(others) else None)
        for place, each in enumerate(padded)
    ]


def choice(source: Run, steps: tuple[kinds.Step, ...]) -> Run:
    """The items of whichever of several JSON keys an object has, each with its type."""

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        for item in source(this, env):
            if type(item) is dict:
                _choose(found, item, steps)
        return found

    return run


def _choose(found: Items, item: dict[str, Any], steps: tuple[kinds.Step, ...]) -> None:
    for step in steps:
        value = item.get(step.key)
        if step.primitive:
            if value is not None or item.get("_" + step.key) is not None:
                nodes = _nodes(item, step.key, value, step.type)
                found += [n for n in nodes if n.value is not None or n.beside]
        elif type(value) is list:
            found += [Node(each, step.type) for each in value] if step.type else value
        elif value is not None:
            found.append(Node(value, step.type) if step.type else value)


def dynamic_member(source: Run, name: str) -> Run:
    """The items of an element whose owners say themselves what they are."""

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        for item in source(this, env):
            _members(found, item, name)
        return found

    return run


def _members(found: Items, item: Any, name: str) -> None:
    value = plain(item)
    if type(value) is not dict:
        beside = item.beside if type(item) is Node else None
        if type(beside) is dict and name in ("extension", "id"):
            _choose(found, beside, kinds.steps("Extension", name) or ())
        return
    kind = kinds.type_of(item, None)
    if kind is not None and kind.startswith("System."):
        kind = kind[7:]
    if kind is not None and definitions.is_structure(kind):
        _choose(found, value, kinds.steps(kind, name) or ())
        return
    below = value.get(name)
    if below is None:
        below, kind = _guessed(value, name)
        if below is not None:
            found.append(Node(below, kind))
    elif type(below) is list:
        found += [each for each in below if each is not None]
    else:
        found.append(below)


def _guessed(value: dict[str, Any], name: str) -> tuple[Any, str | None]:
    """`valueQuantity` for `value`, in an object of unknown type."""
    for key, below in value.items():
        ending = key[len(name) :]
        if key.startswith(name) and ending[:1].isupper():
            lower = ending[0].lower() + ending[1:]
            kind = lower if lower in definitions.PRIMITIVES else ending
            if kind in definitions.PRIMITIVES or definitions.is_structure(kind):
                return below, kind
    return None, None


def children_of(item: Any) -> Iterator[Any]:
    """The items one level below, each with its type."""
    value = plain(item)
    found: Items = []
    if type(value) is dict:
        kind = kinds.type_of(item, None)
        known = kinds.names(kind) if kind else ()
        names = known or tuple(n for n in value if not n.startswith("_") and n != "resourceType")
        for name in names:
            _members(found, item, name)
    elif type(item) is Node and type(item.beside) is dict:
        for name in ("id", "extension"):
            _members(found, item, name)
    yield from found


def _typed(items: Items, kind: str | None) -> Items:
    return [i if type(i) is Node or kind is None else Node(i, kind) for i in items]


def _children(site: Site) -> Typed:
    site.takes(0)
    source, kind = site.source.run, site.source.type

    def run(this: Items, env: Env) -> Items:
        return [child for item in _typed(source(this, env), kind) for child in children_of(item)]

    return Typed(run)


def _descendants(site: Site) -> Typed:
    site.takes(0)
    source, kind = site.source.run, site.source.type

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        level = _typed(source(this, env), kind)
        while level:
            level = [child for item in level for child in children_of(item)]
            found += level
            env.spend(len(level))
        return found

    return Typed(run)


def _extension(site: Site) -> Typed:
    site.takes(1)
    source, url = site.source.run, site.value(0)

    def run(this: Items, env: Env) -> Items:
        wanted = text_of(url(this, env), "extension()")
        found: Items = []
        for item in source(this, env):
            owner = plain(item)
            if type(owner) is not dict:
                owner = item.beside if type(item) is Node else None
            if type(owner) is dict:
                extensions = owner.get("extension")
                if type(extensions) is list:
                    found += [e for e in extensions if type(e) is dict and e.get("url") == wanted]
        return found

    return Typed(run, "Extension")


def _has_value(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        items = source(this, env)
        has = len(items) == 1 and type(plain(items[0])) not in (dict, type(None))
        return TRUE if has else FALSE

    return Typed(run, "System.Boolean")


def _get_value(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        items = source(this, env)
        value = plain(items[0]) if len(items) == 1 else None
        return [] if value is None or type(value) is dict else [value]

    return Typed(run, site.source.type)


def _resolve(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        for item in source(this, env):
            value = plain(item)
            text = value.get("reference") if type(value) is dict else value
            target = _target(text, env) if type(text) is str else None
            if target is not None:
                found.append(target)
        return found

    return Typed(run)


def _target(reference: str, env: Env) -> Any:
    if reference.startswith("#"):
        root = env.resource if type(env.resource) is dict else {}
        contained = root.get("contained")
        for each in contained if type(contained) is list else ():
            if type(each) is dict and each.get("id") == reference[1:]:
                return each
        return root if reference == "#" else None
    if env.resolve is not None:
        found = env.resolve(reference)
        if found is not None:
            return found
    # Whose type is asked for can be told without the resource.
    place = references.relative(reference) or _absolute(reference)
    return {"resourceType": place[0], "id": place[1]} if place else None


def _absolute(reference: str) -> tuple[str, str] | None:
    parts = reference.partition("/_history/")[0].rsplit("/", 2)
    if len(parts) == 3 and parts[1] in definitions.RESOURCE_TYPES and parts[2]:
        return parts[1], parts[2]
    return None


def _resource_key(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        keys = [_key(plain(item)) for item in source(this, env)]
        return [key for key in keys if key is not None]

    return Typed(run, "System.String")


def _key(resource: Any) -> str | None:
    if type(resource) is not dict or type(resource.get("id")) is not str:
        return None
    return f"{resource.get('resourceType')}/{resource['id']}"


def _reference_key(site: Site) -> Typed:
    site.takes(0, 1)
    wanted = None
    if site.arguments:
        named = site.arguments[0]
        wanted = named.name if isinstance(named, Name) and named.source is None else ""
        if wanted not in definitions.RESOURCE_TYPES:
            raise PathError("getReferenceKey() takes a resource type.")
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        found: Items = []
        for item in source(this, env):
            value = plain(item)
            text = value.get("reference") if type(value) is dict else value
            place = (references.relative(text) or _absolute(text)) if type(text) is str else None
            if place is not None and wanted in (None, place[0]):
                found.append(f"{place[0]}/{place[1]}")
        return found

    return Typed(run, "System.String")


FUNCTIONS: Final[dict[str, Maker]] = {
    "children": _children,
    "descendants": _descendants,
    "extension": _extension,
    "getReferenceKey": _reference_key,
    "getResourceKey": _resource_key,
    "getValue": _get_value,
    "hasValue": _has_value,
    "resolve": _resolve,
}
