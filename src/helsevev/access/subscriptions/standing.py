"""A subscription's standing, with its JSON read: what it asks for, and on whose behalf."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from helsevev.access.actor import Actor, actor_of
from helsevev.access.subscriptions.topics import pairs, topics
from helsevev.fhir.subscription_asked import Asked
from helsevev.fhir.subscription_notification import Status
from helsevev.fhir.subscription_topics import Filters, read_filters
from helsevev.record.subscriptions import Standing


@lru_cache(maxsize=10_000)
def asked_of(text: str) -> Asked:
    """What the JSON in column `asked` says."""
    return msgspec.json.decode(text, type=Asked)


@lru_cache(maxsize=10_000)
def owner_of(text: str) -> Actor:
    """Whom the JSON in column `owner` names."""
    return actor_of(text)


@lru_cache(maxsize=10_000)
def filters_of(text: str) -> Filters:
    """The filters of the JSON in column `asked`. Raises `SearchError`."""
    asked = asked_of(text)
    return read_filters(topics()[asked.topic], [(k, pairs(query)) for k, query in asked.filters])


def status_of(standing: Standing) -> Status:
    """What notifications say about it."""
    return Status(standing.id, standing.topic, standing.status, standing.last_event, standing.error)
