"""The compiled getters find what a FHIRPath engine finds, for every R4 SearchParameter."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.dates import bounds, period_bounds
from helsevev.fhir.extraction import PARAMETERS, Parameter, extract
from helsevev.fhir.search_parameters import FULL_TEXT
from helsevev.fhir.search_values import KINDS

fhirpathpy = pytest.importorskip("fhirpathpy")
models = pytest.importorskip("fhirpathpy.models").models
nodes = pytest.importorskip("fhirpathpy.engine.nodes")

# The largest examples add time and no new paths.
LARGEST = 300_000

CONTACT_SYSTEMS = {"phone", "fax", "email", "pager", "url", "sms", "other"}
NAME_FIELDS = ("text", "family", "given", "prefix", "suffix")
ADDRESS_FIELDS = ("text", "line", "city", "district", "state", "postalCode", "country")

# The engine asks for something else than R4's registry means, or cannot answer.
EXPLAINED = {
    ("Bundle", "composition"): "the engine gives the whole resource, a search wants its reference",
    ("Bundle", "message"): "the engine gives the whole resource, a search wants its reference",
}


@cache
def engine(expression: str) -> Callable[[Any], list[Any]]:
    """The engine's own evaluation of an expression.

    `resolve()` needs a server, so that its condition is left to `wanted`; `as` on a list, which
    R4's expressions lean on, is written as `ofType`.
    """
    text = re.sub(r"\.where\(resolve\(\) is \w+\)", "", expression)
    text = re.sub(r"\(([\w.]+) as (\w+)\)", r"\1.ofType(\2)", text)
    text = re.sub(r"\.as\((\w+)\)", r".ofType(\1)", text)
    evaluate: Callable[[Any], list[Any]] = fhirpathpy.compile(text, models["r4"])
    return evaluate


def tokens(value: Any) -> Iterator[tuple[Any, ...]]:
    """System and code, told apart by the shape of the value."""
    if isinstance(value, bool):
        yield None, "true" if value else "false"
    elif isinstance(value, str):
        yield None, value
    elif "coding" in value:
        coded = (c for c in value["coding"] if "code" in c or "system" in c)
        yield from ((c.get("system"), c.get("code")) for c in coded)
    elif value.get("system") in CONTACT_SYSTEMS or {"rank", "value"} <= value.keys():
        yield None, value.get("value")
    elif "value" in value:
        yield value.get("system"), value["value"]
    elif "system" in value or "code" in value:
        yield value.get("system"), value.get("code")


def references(value: Any) -> Iterator[tuple[Any, ...]]:
    """The text of a reference or a canonical."""
    text = value if isinstance(value, str) else value.get("reference")
    if text and not text.startswith("#"):
        yield (text.partition("/_history/")[0],)
        if isinstance(value, str) and "|" in text:
            yield (text.partition("|")[0],)


def strings(value: Any) -> Iterator[tuple[Any, ...]]:
    """The texts of a string, a name or an address."""
    if isinstance(value, str):
        yield (value,)
        return
    fields = ADDRESS_FIELDS if not value.keys().isdisjoint(ADDRESS_FIELDS[1:]) else NAME_FIELDS
    for field in fields:
        found = value.get(field, [])
        yield from ((text,) for text in (found if isinstance(found, list) else [found]))


def spans(value: Any) -> Iterator[tuple[Any, ...]]:
    """The range of a date, or the outer limits of a Period or Timing."""
    if isinstance(value, str):
        found = bounds(value)
        if found:
            yield found
        return
    limits = [bounds(event) for event in value.get("event", ())]
    periods = (value, value.get("repeat", {}).get("boundsPeriod", {}))
    limits += [period_bounds(period.get("start"), period.get("end")) for period in periods]
    found_limits = [limit for limit in limits if limit is not None]
    if found_limits:
        yield min(low for low, _ in found_limits), max(high for _, high in found_limits)


def numbers(value: Any) -> Iterator[tuple[Any, ...]]:
    """A number, or the ends of a Range."""
    if isinstance(value, dict):
        ends = (value.get("low", {}).get("value"), value.get("high", {}).get("value"))
        yield from ((end,) for end in ends if end is not None)
    else:
        yield (Decimal(value),)


def quantities(value: Any) -> Iterator[tuple[Any, ...]]:
    """Number, system, code and unit of a quantity, an amount of money or the ends of a Range."""
    for part in (value, value.get("low", {}), value.get("high", {})):
        if "origin" in value or "value" not in part:
            continue
        currency = part.get("currency")
        system = "urn:iso:std:iso:4217" if currency else part.get("system")
        yield part["value"], system, currency or part.get("code"), currency or part.get("unit")


def uris(value: Any) -> Iterator[tuple[Any, ...]]:
    """A URI; a versioned canonical also without its version."""
    yield (value,)


READ: dict[str, Callable[[Any], Iterator[tuple[Any, ...]]]] = {
    "token": tokens,
    "reference": references,
    "string": strings,
    "date": spans,
    "number": numbers,
    "quantity": quantities,
    "uri": uris,
}


def wanted(parameter: Parameter, resource: dict[str, Any]) -> set[tuple[Any, ...]]:
    """The rows that the engine's answer amounts to."""
    expression = re.sub(
        r"^(Domain)?Resource\.", resource["resourceType"] + ".", parameter.expression
    )
    values = engine(expression)(resource)
    kind = KINDS[parameter.kind]
    targets = set(re.findall(r"resolve\(\) is (\w+)", parameter.expression))
    rows = {
        (parameter.name, kind, *row)
        for value in values
        if isinstance(value, dict) or value is not None
        for row in READ[parameter.kind](value)
    }
    if targets:
        rows = {row for row in rows if row[2].rpartition("/")[0].rpartition("/")[2] in targets}
    return rows


def test_every_parameter_finds_what_a_fhirpath_engine_finds(
    examples: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine keeps the model of its last question for all that follow, those of other tests too.
    monkeypatch.setattr(nodes.TypeInfo, "model", None)
    by_type: dict[str, list[dict[str, str]]] = defaultdict(list)
    for example in examples:
        if len(example["text"]) <= LARGEST:
            by_type[example["type"]].append(example)
    met: set[tuple[str, str]] = set()
    differences = []
    for resource_type, some in by_type.items():
        parameters = [
            parameter
            for parameter in PARAMETERS[resource_type].values()
            if parameter.name not in ("_id", "_lastUpdated")
            and parameter.kind not in ("composite", "special")
            and parameter.name not in FULL_TEXT
            and (resource_type, parameter.name) not in EXPLAINED
        ]
        for example in some:
            resource = json.loads(example["text"], parse_float=Decimal)
            rows = extract(serialization.decode(example["text"]))
            for parameter in parameters:
                found = {row for row in rows if row[0] == parameter.name}
                expected = wanted(parameter, resource)
                if found:
                    met.add((resource_type, parameter.name))
                if not same(found, expected):
                    differences.append((example["file"], parameter.name, found ^ expected))
    assert differences == []
    assert len(met) > 900


def same(found: set[tuple[Any, ...]], expected: set[tuple[Any, ...]]) -> bool:
    """Equal, save that a versioned canonical is also found without its version."""
    plain = {(*row[:2], row[2].partition("|")[0]) for row in found if "|" in str(row[2])}
    return found - plain == expected - plain
