"""CodeSystem, ValueSet and ConceptMap resources as releases, definitions and maps.

http://hl7.org/fhir/R4/codesystem.html, http://hl7.org/fhir/R4/conceptmap.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .shapes import (
    BadDistribution,
    Concept,
    ConceptMap,
    Content,
    Definition,
    Designation,
    Release,
    Value,
)
from .shapes import Mapping as Line

_OID: Final = "urn:oid:"
_VALUES: Final = (
    "valueCode", "valueString", "valueBoolean", "valueInteger", "valueDecimal", "valueDateTime",
)  # fmt: skip
_STATUS_ABSTRACT: Final = frozenset({"notSelectable", "abstract"})
_INACTIVE_STATUS: Final = frozenset({"retired", "deprecated", "inactive"})


def release_of(resource: Mapping[str, Any], source: str) -> Release:
    """A CodeSystem resource as a release. Raises `BadDistribution` when it has no url."""
    url = resource.get("url")
    if not url:
        raise BadDistribution(f"CodeSystem/{resource.get('id', '?')} in {source} has no url.")
    aliases = [
        each["value"]
        for each in resource.get("identifier", ())
        if str(each.get("value", "")).startswith(_OID)
    ]
    content: Content = resource.get("content", "complete")
    language = str(resource.get("language", ""))
    definitions = []
    if "valueSet" in resource:
        include = {"system": url}
        whole = {
            "resourceType": "ValueSet", "url": resource["valueSet"], "status": "active",
            "version": resource.get("version", ""), "compose": {"include": [include]},
        }  # fmt: skip
        named = Definition(resource["valueSet"], resource.get("version", ""), whole)
        definitions.append(named)
    types = {each["code"]: each.get("type", "string") for each in resource.get("property", ())}
    return Release(
        system=url,
        version=resource.get("version", ""),
        name=resource.get("title") or resource.get("name") or url,
        language=language,
        source=source,
        concepts=lambda: _concepts(resource),
        designations=lambda: _designations(resource, language),
        definitions=tuple(definitions),
        properties=types,
        aliases=tuple(aliases),
        content=content,
        case_sensitive=bool(resource.get("caseSensitive", True)),
    )


def _walk(
    concepts: Iterable[Mapping[str, Any]], parent: str | None = None
) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    for concept in concepts:
        yield concept, parent
        yield from _walk(concept.get("concept", ()), concept["code"])


def _concepts(resource: Mapping[str, Any]) -> Iterator[Concept]:
    known = set()
    children: dict[str, list[str]] = {}
    for concept, _ in _walk(resource.get("concept", ())):
        known.add(concept["code"])
        for each in concept.get("property", ()):
            if each["code"] == "child":
                children.setdefault(str(_value(each)), []).append(concept["code"])
    for concept, parent in _walk(resource.get("concept", ())):
        properties: dict[str, list[Value]] = {}
        for each in concept.get("property", ()):
            properties.setdefault(each["code"], []).append(_value(each))
        parents = [parent] if parent is not None else []
        parents += [str(p) for p in properties.get("parent", ())]
        parents += [str(p) for p in properties.get("subsumedBy", ())]
        parents += children.get(concept["code"], ())
        kept = {k: v for k, v in properties.items() if k not in ("parent", "child")}
        yield Concept(
            concept["code"],
            concept.get("display", ""),
            tuple(p for p in dict.fromkeys(parents) if p in known and p != concept["code"]),
            concept.get("definition", ""),
            not _is_inactive(properties),
            any(True in properties.get(name, ()) for name in _STATUS_ABSTRACT),
            kept,
        )


def _is_inactive(properties: Mapping[str, list[Value]]) -> bool:
    status = {str(value) for value in properties.get("status", ())}
    return True in properties.get("inactive", ()) or bool(status & _INACTIVE_STATUS)


def _designations(resource: Mapping[str, Any], language: str) -> Iterator[Designation]:
    for concept, _ in _walk(resource.get("concept", ())):
        for each in concept.get("designation", ()):
            use = each.get("use", {}).get("code", "")
            yield Designation(
                concept["code"], each.get("language", language), each["value"], use, not use
            )


def _value(each: Mapping[str, Any]) -> Value:
    for name in _VALUES:
        if name in each:
            value = each[name]
            return value if isinstance(value, str | bool | int) else float(value)
    coding = each.get("valueCoding", {})
    return f"{coding.get('system', '')}|{coding.get('code', '')}"


def map_of(resource: Mapping[str, Any], source: str) -> ConceptMap:
    """A ConceptMap resource as a map. Raises `BadDistribution` when it has no url."""
    url = resource.get("url")
    if not url:
        raise BadDistribution(f"ConceptMap/{resource.get('id', '?')} in {source} has no url.")
    return ConceptMap(
        url=url,
        version=resource.get("version", ""),
        name=resource.get("title") or resource.get("name") or url,
        lines=lambda: _lines(resource),
        source_value_set=resource.get("sourceUri") or resource.get("sourceCanonical") or "",
        target_value_set=resource.get("targetUri") or resource.get("targetCanonical") or "",
    )


def _lines(resource: Mapping[str, Any]) -> Iterator[Line]:
    for group in resource.get("group", ()):
        source, target = group.get("source", ""), group.get("target", "")
        for element in group.get("element", ()):
            code = element.get("code", "")
            for each in element.get("target", ()):
                yield Line(
                    source, code, target, each.get("code", ""),
                    each.get("equivalence", "equivalent"), each.get("display", ""),
                    each.get("comment", ""),
                )  # fmt: skip
        unmapped = group.get("unmapped", {})
        match unmapped.get("mode"):
            case "fixed":
                fixed = unmapped.get("code", "")
                yield Line(source, ANY_CODE, target, fixed, "inexact", unmapped.get("display", ""))
            case "provided":
                yield Line(source, ANY_CODE, target, SAME_CODE, "equal")
            case _:
                pass


ANY_CODE: Final = "*"
"""The source of a line for what no other line of its group maps (ConceptMap.group.unmapped)."""

SAME_CODE: Final = "="
"""The target of a line that keeps the code as it is."""


def definition_of(resource: Mapping[str, Any], source: str) -> Definition:
    """A ValueSet resource by its canonical URL. Raises `BadDistribution` when it has none."""
    url = resource.get("url")
    if not url:
        raise BadDistribution(f"ValueSet/{resource.get('id', '?')} in {source} has no url.")
    kept = {name: value for name, value in resource.items() if name != "text"}
    return Definition(url, resource.get("version", ""), kept)
