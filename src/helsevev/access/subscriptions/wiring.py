"""Puts the parts of subscriptions together over one gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from helsevev.access.gate import Gate
from helsevev.access.subscriptions.door import TYPE, SubscriptionDoor, refuse_unsealed
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.matching import Matcher
from helsevev.access.subscriptions.notices import Notices
from helsevev.access.subscriptions.sending import Notifier, Patience
from helsevev.access.subscriptions.streams import Streams
from helsevev.access.writing import Writer
from helsevev.kit.chapter import Rule, RuleBeside
from helsevev.record.changes import Feed
from helsevev.record.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class Outward:
    """What sending depends on: the API's own address, where may be sent to, and for how long."""

    base: str = "http://localhost/fhir"
    endpoints: Endpoints = field(default_factory=Endpoints)
    patience: Patience = field(default_factory=Patience)


def writer_over(
    gate: Gate,
    feed: Feed,
    rules: Mapping[str, Rule],
    outward: Outward,
    beside: Mapping[str, RuleBeside] | None = None,
) -> tuple[Writer, SubscriptionDoor, Streams, Notifier]:
    """The writer for every door, the one that takes subscriptions, and what sends them on."""
    roles = gate.store.roles
    asked, rows = Subscriptions(roles.program), Subscriptions(roles.whole)
    notices = Notices(gate, Subscriptions(roles.shown), outward.base)
    plain = Writer(gate, feed, rules, beside)
    door = SubscriptionDoor(gate, plain, asked, notices, outward.endpoints)
    matcher = Matcher(gate, rows)
    notifier = Notifier(rows, matcher, notices, door, outward.endpoints, outward.patience)
    writer = Writer(gate, feed, {**rules, TYPE: refuse_unsealed}, beside)
    writer.keepers[TYPE] = door
    return writer, door, Streams(door, asked, notices), notifier
