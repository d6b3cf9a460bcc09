"""Searches as hypothesis draws them, over the types and values that are there."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from helsevev.fhir.search_parameters import PARAMETERS

from . import search_world as world

KEPT = world.population(7)
TYPES = sorted({kept.place[0] for kept in KEPT})

MET = {
    kind: sorted(
        {v[0] for k in KEPT if k.place[0] == kind for v in k.values if ":" not in v[0]}
        & PARAMETERS[kind].keys()
    )
    for kind in TYPES
}


def escaped(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, "\\" + special)
    return text


PREFIX = st.sampled_from(("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))


def one_value(draw: st.DrawFn, kind: str, name: str) -> str:
    if name == "_id":
        return draw(st.sampled_from([k.place[1] for k in KEPT] + ["none"]))
    if name == "_lastUpdated":
        moment = world.BEGUN + timedelta(microseconds=draw(st.integers(-1, 120)))
        return draw(PREFIX) + draw(
            st.sampled_from([moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), *world.DAYS])
        )
    match kind:
        case "token":
            code = draw(st.sampled_from(
                (*world.CODES, "final", "planned", "true", "false", "order", "female", "none")
            ))  # fmt: skip
            system = draw(st.sampled_from((None, None, "", world.LOINC, world.SCT)))
            if system is None:
                return escaped(code)
            return (
                escaped(system)
                + "|"
                + draw(st.sampled_from((escaped(code), "" if system else "x")))
            )
        case "reference":
            some = [f"Patient/{p}" for p in world.PEOPLE] + list(world.PEOPLE)
            some += ["Practitioner/p", "Group/g", "Organization/o1", "Encounter/enc5", "enc5", "p",
                     "https://elsewhere.example/Patient/anne", *world.URLS]  # fmt: skip
            return escaped(draw(st.sampled_from(some)))
        case "string":
            name = draw(st.sampled_from(world.NAMES))
            return escaped(
                draw(st.sampled_from((name, name.upper(), name[:2], name[1:], name.lower())))
            )
        case "date":
            return draw(PREFIX) + draw(st.sampled_from(world.DAYS))
        case "number":
            return draw(PREFIX) + draw(st.sampled_from(world.NUMBERS))
        case "quantity":
            unit = draw(st.sampled_from(
                ("", "||mm[Hg]", "||mmHg", "||/min", f"|{world.UCUM}|/min",
                 f"|{world.UCUM}|g", f"|{world.UCUM}|mg", f"|{world.UCUM}|mm[Hg]",
                 f"|{world.UCUM}|mmHg", "|other|/min")
            ))  # fmt: skip
            return draw(PREFIX) + draw(st.sampled_from(world.NUMBERS)) + unit
        case _:
            return escaped(draw(st.sampled_from(world.URLS)))


WITH_TEXT = ("code", "category", "type")


@st.composite
def composite_values(draw: st.DrawFn, parameter: Any) -> str:
    """Values of a composite parameter, each of so many parts."""
    return ",".join(
        "$".join(one_value(draw, c.kind, c.parameter) for c in parameter.components)
        for _ in range(draw(st.sampled_from((1, 1, 2))))
    )


LISTED = st.lists(
    st.sampled_from([*(f"list{n}" for n in range(world.LISTS)), "none"]), min_size=1, max_size=3
).map(",".join)


@st.composite
def near(draw: st.DrawFn) -> str:
    """A place and how far from it, in one unit or another, or what is meant without one."""
    latitude, longitude = draw(st.sampled_from(world.PLACES))
    far = draw(st.sampled_from(("", "|1", "|0|m", "|60|m", "|2.7|km", "|305|km", "|20100|km")))
    return f"{latitude}|{longitude}{far}"


@st.composite
def joins(draw: st.DrawFn, kind: str, depth: int = 2) -> tuple[str, str]:
    """A chain or a reverse chain from a type, over types that are there."""
    forward = [
        (name, target)
        for name in MET[kind]
        if PARAMETERS[kind][name].kind == "reference"
        for target in (PARAMETERS[kind][name].targets or TYPES)
        if target in TYPES
    ]
    backward = [
        (source, name)
        for source in TYPES
        for name in MET[source]
        if PARAMETERS[source][name].kind == "reference"
        and kind in (PARAMETERS[source][name].targets or TYPES)
    ]
    if draw(st.booleans()) and forward:
        name, target = draw(st.sampled_from(forward))
        before = f"{name}:{target}."
        if len(PARAMETERS[kind][name].targets) == 1 and draw(st.booleans()):
            before = f"{name}."
    else:
        assume(backward)
        target, name = draw(st.sampled_from(backward))
        before = f"_has:{target}:{name}:"
    if depth > 1 and draw(st.integers(0, 3)) == 0:
        rest, value = draw(joins(target, depth - 1))
    else:
        said = draw(pairs(target, 1))
        assume(said)
        [(rest, value)] = said
    return before + rest, value


@st.composite
def pairs(draw: st.DrawFn, kind: str, most: int = 3) -> list[tuple[str, str]]:
    """Conditions on a type, mostly on parameters that occur."""
    found = []
    for _ in range(draw(st.integers(0, most))):
        name = draw(st.sampled_from([*MET[kind], "_id", "_lastUpdated", "_list"]))
        if name in ("_list", "near"):
            found.append((name, draw(LISTED if name == "_list" else near())))
            continue
        parameter = PARAMETERS[kind][name]
        modifiers = {
            "string": ("", ":exact", ":contains", ":missing"), "token": ("", ":not", ":missing"),
            "reference": ("", ":missing", ":identifier", ":Patient"),
            "uri": ("", ":above", ":below", ":missing"),
        }.get(parameter.kind, ("", "", ":missing"))  # fmt: skip
        if parameter.kind == "token" and name in WITH_TEXT:
            modifiers = (*modifiers, ":text", ":in", ":not-in")
        if name == "identifier":
            modifiers = (*modifiers, ":of-type")
        modifier = draw(st.sampled_from(modifiers))
        if parameter.kind == "composite" and not modifier:
            found.append((name, draw(composite_values(parameter))))
            continue
        if modifier in (":text", ":in", ":not-in"):
            some = ("hjerte", "SYS", "vekt", "ords") if modifier == ":text" else world.VALUE_SETS
            found.append((name + modifier, draw(st.sampled_from(sorted(some)))))
            continue
        if modifier == ":of-type":
            kind_of, value = (
                draw(st.sampled_from(world.CODES)),
                draw(st.sampled_from(world.CODES)),
            )
            found.append((name + modifier, "|".join(map(escaped, (world.SCT, kind_of, value)))))
            continue
        if modifier == ":missing":
            found.append((name + modifier, draw(st.sampled_from(("true", "false")))))
            continue
        as_kind = "token" if modifier == ":identifier" else parameter.kind
        values = [
            one_value(draw, as_kind, name) for _ in range(draw(st.sampled_from((1, 1, 2, 3))))
        ]
        found.append((name + modifier, ",".join(values)))
    return found


OPERATIONS = {
    "string": ("eq", "ne", "co", "sw", "ew"), "token": ("eq", "eq", "ne"),
    "reference": ("eq", "re"), "uri": ("eq",), "quantity": ("gt", "lt", "ge", "le", "ne", "eq"),
    "number": ("gt", "lt", "ge", "le", "ne", "eq", "sa", "eb"),
    "date": ("gt", "lt", "ge", "le", "ne", "eq", "sa", "eb", "po"),
}  # fmt: skip


@st.composite
def tests_of(draw: st.DrawFn, kind: str, depth: int) -> str:
    """One test of a `_filter`, perhaps of what a reference leads to."""
    leads = [
        (name, target)
        for name in MET[kind]
        if PARAMETERS[kind][name].kind == "reference"
        for target in (PARAMETERS[kind][name].targets or TYPES)
        if target in TYPES
    ]
    if leads and depth and draw(st.integers(0, 3)) == 0:
        name, target = draw(st.sampled_from(leads))
        within = f"[{draw(formulas(target, 0))}]" if draw(st.booleans()) else ""
        return f"{name}:{target}{within}.{draw(tests_of(target, depth - 1))}"
    names = [n for n in MET[kind] if PARAMETERS[kind][n].kind in OPERATIONS]
    assume(names)
    name = draw(st.sampled_from(names))
    as_kind = PARAMETERS[kind][name].kind
    if draw(st.integers(0, 4)) == 0:
        return f"{name} pr {draw(st.sampled_from(('true', 'false')))}"
    value = one_value(draw, as_kind, name)
    if as_kind in ("date", "number", "quantity"):
        value = value.removeprefix(re.match("[a-z]*", value)[0])  # type: ignore[index]
    if as_kind == "string":
        value = draw(st.sampled_from(world.NAMES))
    return f"{name} {draw(st.sampled_from(OPERATIONS[as_kind]))} {json.dumps(value)}"


@st.composite
def formulas(draw: st.DrawFn, kind: str, depth: int = 2) -> str:
    """An expression of `_filter`."""
    form = draw(st.sampled_from(("test", "test", "and", "or", "not", "mixed"))) if depth else "test"
    if form == "test":
        return draw(tests_of(kind, depth))
    one, other = draw(formulas(kind, depth - 1)), draw(formulas(kind, depth - 1))
    return {
        "and": f"({one}) and ({other})", "or": f"({one}) or ({other})", "not": f"not ({one})",
        "mixed": f"{draw(tests_of(kind, 0))} or {draw(tests_of(kind, 0))} and ({one})",
    }[form]  # fmt: skip


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """A type, and conditions on it."""
    kind = draw(st.sampled_from(TYPES))
    return kind, draw(pairs(kind))
