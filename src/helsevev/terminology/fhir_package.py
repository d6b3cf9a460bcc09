"""Reads CodeSystem, ValueSet and ConceptMap from FHIR files: JSON, NDJSON, Bundles, packages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from .fhir_resources import definition_of, map_of, release_of
from .opening import File
from .shapes import BadDistribution, ConceptMap, Definition, Distribution, Release

_KINDS: Final = frozenset({"CodeSystem", "ValueSet", "ConceptMap"})
_ASIDE: Final = ("package.json", ".index.json")


def fhir(files: Iterable[File], version: str, source: str) -> Distribution:
    """What the files hold; resources of other types are left aside.

    Those without a canonical URL cannot be asked for and are left aside too. Raises
    `BadDistribution` for what is not JSON, and when there is nothing to load.
    """
    releases: dict[tuple[str, str], Release] = {}
    definitions: dict[tuple[str, str], Definition] = {}
    maps: dict[tuple[str, str], ConceptMap] = {}
    for file in files:
        for resource in _resources(file):
            if not resource.get("url"):
                continue
            if version and resource["resourceType"] == "CodeSystem":
                resource["version"] = version
            place = (resource["url"], resource.get("version", ""))
            match resource["resourceType"]:
                case "CodeSystem":
                    releases[place] = release_of(resource, source)
                case "ValueSet":
                    definitions[place] = definition_of(resource, source)
                case _:
                    maps[place] = map_of(resource, source)
    if not (releases or definitions or maps):
        text = "There is no CodeSystem, ValueSet or ConceptMap with a url here."
        raise BadDistribution(text)
    return Distribution(tuple(releases.values()), tuple(definitions.values()), tuple(maps.values()))


def _resources(file: File) -> Iterator[dict[str, Any]]:
    name = file.name.lower()
    if name.endswith(".ndjson"):
        with file.text() as text:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield from _within(_decoded(line, f"{file.name}, line {number}"))
    elif name.endswith(".json") and file.bare not in _ASIDE:
        with file.text() as text:
            yield from _within(_decoded(text.read(), file.name))


def _within(read: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(read, dict):
        return
    if read.get("resourceType") == "Bundle":
        for entry in read.get("entry", ()):
            yield from _within(entry.get("resource"))
    elif read.get("resourceType") in _KINDS:
        yield read


def _decoded(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise BadDistribution(f"{place} is not JSON: {problem}") from problem
