"""Notifications of topic-based subscriptions, as R4 Bundles (R5 backport, Notifications)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from helsevev.fhir import serialization

_IG: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_METHODS: Final = {"C": ("POST", "201"), "U": ("PUT", "200"), "D": ("DELETE", "204")}
_NAMES: Final = uuid.UUID("5f0dbf3c-9d58-5f0c-9f0a-2c6c1f6b9a55")

CLOSED: Final = "The owner of the subscription may no longer see what this event is about."


@dataclass(frozen=True, slots=True)
class Status:
    """Where a subscription stands: `last_event` is the number of its newest event."""

    id: str
    topic: str
    status: str
    last_event: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as its receiver is told of it.

    `at` is an instant; `verb` is C, U or D; `json` is the resource, None when it is not sent.
    `reference` is "" where neither it nor anything else may be told; `closed` says why.
    """

    number: int
    at: str
    verb: str = "U"
    reference: str = ""
    json: bytes | None = None
    closed: bool = False


def notification(
    kind: str, status: Status, events: Sequence[Event], at: str, base: str, *, topic: bool = True
) -> bytes:
    """The Bundle, as JSON bytes; resources go in as they are stored.

    `kind` is handshake, heartbeat, event-notification, query-event or query-status; `base` is
    the server's address, for absolute URLs. Without `topic` the topic is not named.
    """
    # The same notification has the same id each time it is tried, so that a receiver can tell.
    span = f"{events[0].number}-{events[-1].number}" if events else at
    name = str(uuid.uuid5(_NAMES, f"{status.id} {kind} {span}"))
    entries: list[Any] = [
        {
            "fullUrl": f"urn:uuid:{name}",
            "resource": parameters(kind, status, events, name, base, topic=topic),
            "request": {"method": "GET", "url": f"{base}/Subscription/{status.id}/$status"},
            "response": {"status": "200"},
        }
    ]
    entries += [_entry(event, base) for event in events if event.reference]
    bundle = {
        "resourceType": "Bundle",
        "id": name,
        "meta": {"profile": [f"{_IG}/backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": at,
        "entry": entries,
    }
    return serialization.encode(bundle)


def parameters(
    kind: str, status: Status, events: Sequence[Event], name: str, base: str, *, topic: bool = True
) -> dict[str, Any]:
    """R5's SubscriptionStatus as R4 Parameters; `name` is its id.

    References are absolute: a receiver that has nothing but this knows what they lead to.
    """
    own = {"reference": f"{base}/Subscription/{status.id}"}
    said: list[dict[str, Any]] = [{"name": "subscription", "valueReference": own}]
    if topic:
        said.append({"name": "topic", "valueCanonical": status.topic})
    said += [
        {"name": "status", "valueCode": status.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(status.last_event)},
    ]
    said += [{"name": "notification-event", "part": _parts(event, base)} for event in events]
    said += [_error(f"Event {event.number}: {CLOSED}") for event in events if event.closed]
    if status.error:
        said.append(_error(status.error))
    return {
        "resourceType": "Parameters",
        "id": name,
        "meta": {"profile": [f"{_IG}/backport-subscription-status-r4"]},
        "parameter": said,
    }


def _error(text: str) -> dict[str, Any]:
    return {"name": "error", "valueCodeableConcept": {"text": text}}


def _parts(event: Event, base: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"name": "event-number", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": event.at},
    ]
    if event.reference:
        focus = {"reference": f"{base}/{event.reference}"}
        parts.append({"name": "focus", "valueReference": focus})
    return parts


def _entry(event: Event, base: str) -> dict[str, Any]:
    method, answer = _METHODS[event.verb]
    url = event.reference.partition("/")[0] if method == "POST" else event.reference
    entry: dict[str, Any] = {"fullUrl": f"{base}/{event.reference}"}
    if event.json is not None:
        entry["resource"] = msgspec.Raw(event.json)
    entry["request"] = {"method": method, "url": url}
    entry["response"] = {"status": answer}
    return entry
