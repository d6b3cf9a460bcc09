"""R4's own invariants as expressions: read, true of the official examples, as an engine says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.path import PathError, compile_path, compile_tree, parse
from helsevev.fhir.validation import validate

fhirpathpy = pytest.importorskip("fhirpathpy")
models = pytest.importorskip("fhirpathpy.models").models

# They ask a terminology server, or check XHTML.
UNANSWERED = ("memberOf(", "htmlChecks(", "conformsTo(", "subsumes(")
MOST_COMPARED = 1500


def _constraints(folder: File) -> Iterator[tuple[str, str, str]]:
    """`(element path, key, expression)` of every constraint in R4's definitions."""
    for name in ("profiles-resources.json", "profiles-types.json"):
        bundle = json.loads((folder / name).read_bytes())
        for entry in bundle["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] != "StructureDefinition":
                continue
            for element in resource.get("snapshot", {}).get("element", ()):
                for rule in element.get("constraint", ()):
                    if expression := rule.get("expression"):
                        yield element["path"], rule["key"], expression


def test_every_invariant_of_r4_is_read(definitions_folder: File) -> None:
    seen = {expression for _, _, expression in _constraints(definitions_folder)}
    assert len(seen) > 200
    for expression in seen:
        parse(expression)


def test_invariants_of_resources_are_compiled_for_their_type(definitions_folder: File) -> None:
    refused = []
    for path, key, expression in _constraints(definitions_folder):
        if path in RESOURCE_TYPES and not any(word in expression for word in UNANSWERED):
            try:
                compile_tree(parse(expression), path)
            except PathError as problem:
                refused.append(f"{path} {key}: {problem}")
    assert not refused


def test_invariants_hold_for_the_official_examples_as_an_engine_says(
    definitions_folder: File, examples: list[dict[str, str]]
) -> None:
    rules: dict[str, dict[str, str]] = {}
    for path, key, expression in _constraints(definitions_folder):
        if path in RESOURCE_TYPES and not any(word in expression for word in UNANSWERED):
            rules.setdefault(path, {})[key] = expression
    compared = 0
    differing: list[str] = []
    order = random.Random(7)
    for example in order.sample(examples, len(examples)):
        resource = serialization.decode(example["text"])
        if resource.get("resourceType") not in rules or len(example["text"]) > 30_000:
            continue
        if any(issue.is_error for issue in validate(resource)):
            continue
        for key, expression in rules[resource["resourceType"]].items():
            if key.startswith(("dom-", "sdf-", "eld-")):
                continue  # the same for all, and slow in the engine
            ours = compile_path(expression)(resource)
            theirs = _asked(expression, json.loads(example["text"]))
            compared += 1
            if theirs is not None and (ours or [True]) != (theirs or [True]):
                differing.append(f"{resource['resourceType']}/{resource.get('id')} {key}")
        if compared > MOST_COMPARED:
            break
    assert compared > 200
    assert not differing


def _asked(expression: str, resource: dict[str, Any]) -> list[Any] | None:
    try:
        found: list[Any] = fhirpathpy.evaluate(resource, expression, {}, models["r4"])
    except Exception:  # noqa: BLE001 - what the engine cannot answer is no answer
        return None
    return found
