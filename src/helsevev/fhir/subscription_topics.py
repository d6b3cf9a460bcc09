"""Topics that can be subscribed to, and whether a change of a resource is an event of one.

The model is R5's SubscriptionTopic (http://hl7.org/fhir/R5/subscriptiontopic.html): a change of a
type fires when the version before fits one search and the version after another; a subscription
narrows that with the parameters that the topic lets it filter by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir import search_matching
from helsevev.fhir.extraction import extract
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.search_query import Condition, SearchError, parse
from helsevev.fhir.search_terms import DateTerm, ReferenceTerm, StringTerm, TokenTerm

Pairs = Sequence[tuple[str, str]]
"""A query's decoded names and values."""

DELETED: Final = "D"

_MODIFIERS: Final = frozenset({None, "not", "missing", "exact", "contains", "identifier"})
_TERMS: Final = (TokenTerm, ReferenceTerm, StringTerm, DateTerm)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change that fires: of `resource`, by one of `verbs` (C, U, D).

    `previous` must fit the version before, unless there was none; `current` the version after.
    A deletion fires by its verb alone.
    """

    resource: str
    verbs: str
    previous: tuple[Condition, ...] = ()
    current: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `filters` are the parameters to narrow by, for each of its resource types."""

    url: str
    title: str
    triggers: tuple[Trigger, ...]
    filters: Mapping[str, frozenset[str]]

    @property
    def types(self) -> frozenset[str]:
        """The resource types whose changes may be events."""
        return frozenset(trigger.resource for trigger in self.triggers)


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one resource that became current, and the one before it.

    `before` or `after` is None when there was none, or when it was deleted.
    """

    type: str
    verb: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


Filters = Mapping[str, tuple[Condition, ...]]
"""By resource type; a type that has none is not narrowed."""


def conditions(resource_type: str, pairs: Pairs) -> tuple[Condition, ...]:
    """A search that one version is held against. Raises `SearchError` for what cannot be."""
    query = parse(resource_type, pairs)
    if query.joins:
        text = "An event is held against its own resource alone, not against others."
        raise SearchError([error("not-supported", text, resource_type)])
    for condition in query.conditions:
        fit = all(isinstance(term, _TERMS) for term in condition.terms)
        if not fit or condition.modifier not in _MODIFIERS:
            text = f"{condition.name} cannot be compared with a single resource in this way."
            raise SearchError([error("not-supported", text, condition.name)])
    return query.conditions


def read_filters(topic: Topic, wanted: Iterable[tuple[str, Pairs]]) -> Filters:
    """A subscription's filters as conditions. Raises `SearchError` naming each that cannot be."""
    issues: list[Issue] = []
    found: dict[str, tuple[Condition, ...]] = {}
    for resource_type, pairs in wanted:
        allowed = topic.filters.get(resource_type, frozenset())
        names = {name.partition(":")[0] for name, _ in pairs}
        if unknown := sorted(names - allowed):
            offered = ", ".join(sorted(allowed)) or "nothing"
            text = (
                f"{topic.url} is not filtered by {', '.join(unknown)} of {resource_type[:80]!r};"
                f" by {offered}."
            )
            issues.append(error("not-supported", text, "Subscription.criteria"))
            continue
        try:
            more = conditions(resource_type, pairs)
        except SearchError as problem:
            issues += problem.issues
            continue
        found[resource_type] = (*found.get(resource_type, ()), *more)
    if issues:
        raise SearchError(issues)
    return found


def fires(topic: Topic, change: Change) -> bool:
    """Whether the change is an event of the topic."""
    return any(_fires(trigger, change) for trigger in topic.triggers)


def passes(filters: Filters, change: Change) -> bool:
    """Whether an event is within a subscription's filters; of a deletion, what was deleted is."""
    wanted = filters.get(change.type)
    if not wanted:
        return True
    resource = change.after if change.after is not None else change.before
    return resource is not None and holds(wanted, resource)


def holds(wanted: Iterable[Condition], resource: dict[str, Any]) -> bool:
    """Whether every condition holds for the resource."""
    values = extract(resource)
    return all(search_matching.holds(condition, resource, values) for condition in wanted)


def _fires(trigger: Trigger, change: Change) -> bool:
    if trigger.resource != change.type or change.verb not in trigger.verbs:
        return False
    if change.verb == DELETED:
        return True
    if change.after is None or not holds(trigger.current, change.after):
        return False
    return change.before is None or holds(trigger.previous, change.before)
