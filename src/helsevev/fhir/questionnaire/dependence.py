"""Which answers a calculation rests on: so that a change works out again no more than it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from helsevev.fhir.questionnaire.expressions import Expression
from helsevev.fhir.questionnaire.structure import Item

# Names that say nothing of answers by themselves.
_PLAIN: Final = frozenset({
    "resource", "rootResource", "context", "qitem", "questionnaire", "$this",
    "ucum", "loinc", "sct",
})  # fmt: skip


def reads(
    items: Mapping[str, Item], variables: Sequence[Expression]
) -> dict[str, frozenset[str] | None]:
    """By linkId of each calculated item the linkIds that it reads, None when any may be."""
    named: dict[str, list[Expression]] = {}
    for each in (*variables, *(v for item in items.values() for v in item.rules.variables)):
        named.setdefault(each.name, []).append(each)
    return {
        link: _read(item.rules.calculated, named, items, frozenset())
        for link, item in items.items()
        if item.rules.calculated is not None
    }


def _read(
    expression: Expression,
    named: Mapping[str, list[Expression]],
    items: Mapping[str, Item],
    seen: frozenset[str],
) -> frozenset[str] | None:
    if expression.is_query:
        return frozenset()
    if expression.is_open:
        return None
    found = expression.mentions & items.keys()
    for name in expression.variables - _PLAIN:
        if name in seen:
            return None
        for each in named.get(name, ()):
            inner = _read(each, named, items, seen | {name})
            if inner is None:
                return None
            found |= inner
    return frozenset(found)
