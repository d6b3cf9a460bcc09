"""The labels of a resource's meta: profiles, tags and security labels, each a set.

http://hl7.org/fhir/R4/resource-operation-meta-add.html: a tag or label is known by its system and
code, a profile by its whole URL.
"""

from __future__ import annotations

from typing import Any, Final

LABELS: Final = ("profile", "security", "tag")


def labels(resource: dict[str, Any]) -> dict[str, Any]:
    """The part of a resource's meta that labels it."""
    meta = resource.get("meta", {})
    return {name: meta[name] for name in LABELS if name in meta}


def added(resource: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The resource with the labels of `given` (a Meta) that it has not yet; itself unchanged."""
    meta = dict(resource.get("meta", {}))
    for name in LABELS:
        held = list(meta.get(name, ()))
        known = {_identity(each) for each in held}
        for each in given.get(name, ()):
            if _identity(each) not in known:
                known.add(_identity(each))
                held.append(each)
        if held:
            meta[name] = held
    return {**resource, "meta": meta} if meta else resource


def removed(resource: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The resource without the labels of `given` (a Meta); those it has not are passed over."""
    meta = dict(resource.get("meta", {}))
    for name in LABELS:
        gone = {_identity(each) for each in given.get(name, ())}
        if name in meta:
            # What stands beside a URL (`_profile`) stands there by its place in the list.
            if name == "profile" and "_profile" in meta and gone & set(meta[name]):
                meta.pop("_profile")
            meta[name] = [each for each in meta[name] if _identity(each) not in gone]
            if not meta[name]:
                del meta[name]
    return {**resource, "meta": meta} if "meta" in resource else resource


def _identity(label: Any) -> Any:
    return (label.get("system"), label.get("code")) if type(label) is dict else label
