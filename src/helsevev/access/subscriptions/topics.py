"""The topics that this record offers, from their content."""

from __future__ import annotations

from functools import cache
from typing import Final
from urllib.parse import parse_qsl

from helsevev.content.loading import subscription_topics
from helsevev.content.shapes import TopicTrigger
from helsevev.fhir.subscription_topics import Topic, Trigger, conditions

BASE: Final = "https://helsevev.example/fhir/SubscriptionTopic"
_VERBS: Final = {"create": "C", "update": "U", "delete": "D"}


@cache
def topics() -> dict[str, Topic]:
    """Every topic, by its canonical URL."""
    made = [
        Topic(
            f"{BASE}/{topic.code}",
            topic.title,
            tuple(_trigger(trigger) for trigger in topic.trigger),
            {kind: frozenset(names) for kind, names in topic.filter.items()},
        )
        for topic in subscription_topics().topic
    ]
    return {topic.url: topic for topic in made}


def pairs(query: str) -> list[tuple[str, str]]:
    """A query's names and values, decoded."""
    return parse_qsl(query, keep_blank_values=True, max_num_fields=50)


def _trigger(trigger: TopicTrigger) -> Trigger:
    verbs = "".join(_VERBS[verb] for verb in trigger.verbs)
    return Trigger(
        trigger.resource,
        verbs,
        conditions(trigger.resource, pairs(trigger.previous)),
        conditions(trigger.resource, pairs(trigger.current)),
    )
