"""Whom a SCIM filter can be about at all, by what it says they are called: found by index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from helsevev.access.administration.scim.mapping import EXTERNAL_ID, USER_NAME, folded
from helsevev.access.administration.scim.models import STAFF
from helsevev.fhir.identifiers import HPR_NUMMER

_HPR: Final = f"{STAFF}:hprnumber".casefold()


@dataclass(frozen=True, slots=True)
class Candidates:
    """Ids, and identifiers (system, value), of which one has to fit."""

    ids: frozenset[str] = frozenset()
    identifiers: frozenset[tuple[str | None, str]] = frozenset()


def candidates(node: FilterNode) -> Candidates | None:
    """Whom to look at; None where the filter can be about anybody."""
    if isinstance(node, LogicalExpr):
        known = [found for each in node.terms if (found := candidates(each)) is not None]
        if node.op == LogicalOperator.and_:
            return known[0] if known else None
        if len(known) < len(node.terms):
            return None
        ids = frozenset().union(*(each.ids for each in known))
        return Candidates(ids, frozenset().union(*(each.identifiers for each in known)))
    if isinstance(node, Comparison) and node.op == CompareOperator.eq:
        return _named(str(node.attr_path).casefold(), node.value)
    return None


def _named(attribute: str, value: object) -> Candidates | None:
    if not isinstance(value, str):
        return None
    match attribute.removeprefix("urn:ietf:params:scim:schemas:core:2.0:user:"):
        case "id":
            return Candidates(ids=frozenset({value}))
        case "externalid":
            return Candidates(identifiers=frozenset({(EXTERNAL_ID, value)}))
        case "username":
            # Who has no user name goes by the HPR number, or by the id.
            ways = {(USER_NAME, folded(value)), (HPR_NUMMER, value)}
            return Candidates(frozenset({value}), frozenset(ways))
        case other if other == _HPR:
            return Candidates(identifiers=frozenset({(HPR_NUMMER, value)}))
    return None
