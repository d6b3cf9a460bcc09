"""A topic-based Subscription (R5 backport, http://hl7.org/fhir/uv/subscriptions-backport) as data.

What the profile adds to R4's resource stands in extensions; here they are read and checked, and
the headers that a receiver is to be sent are taken out of the resource before it is kept.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from helsevev.fhir.outcome import Issue, error

_IG: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
PROFILE: Final = f"{_IG}/backport-subscription"
TOPICS: Final = f"{_IG}/capabilitystatement-subscriptiontopic-canonical"
CHANNELS: Final = "https://helsevev.example/fhir/CodeSystem/subscription-channel"
"""System of the channel types that R4 does not have: `sse`, server-sent events."""

REST_HOOK: Final = "rest-hook"
STREAM: Final = "sse"
CONTENTS: Final = ("empty", "id-only", "full-resource")
HIDDEN: Final = "(kept secret)"
MOST_EVENTS: Final = 100
"""Most events in one notification, also when a subscription allows more."""

LONGEST_TIMEOUT: Final = 60
"""Seconds that a receiver may take at most."""

MOST_HEADERS: Final = 10
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x20-\x7e\t]{0,4096})")
_OURS: Final = frozenset(
    {"connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a subscription asks for.

    `filters` are `(resource type, query)`; all of a type hold together. `heartbeat`, `timeout`
    are seconds (0: no heartbeat); `endpoint` is "" for a stream; `end` is an instant or "".
    """

    topic: str
    channel: str
    endpoint: str = ""
    content: str = "empty"
    filters: tuple[tuple[str, str], ...] = ()
    heartbeat: int = 0
    timeout: int = 10
    most: int = 20
    end: str = ""

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def is_topic_based(subscription: dict[str, Any]) -> bool:
    """Whether it follows the backport; R4's own subscriptions to a search are kept, no more."""
    profiles = subscription.get("meta", {}).get("profile", ())
    return any(profile.partition("|")[0] == PROFILE for profile in profiles)


def read(subscription: dict[str, Any]) -> tuple[Asked | None, list[Issue]]:
    """What a valid R4 Subscription of the backport's profile asks for, or why it cannot be read."""
    issues: list[Issue] = []
    channel = subscription.get("channel", {})
    kind = _channel(channel, issues)
    endpoint = channel.get("endpoint", "")
    if kind == REST_HOOK and not endpoint:
        issues.append(error("required", "A rest-hook has an endpoint.", _AT_ENDPOINT))
    content = _extension(channel.get("_payload"), "backport-payload-content", "valueCode")
    if content not in CONTENTS:
        text = f"Say how much to send, {', '.join(CONTENTS)}, in backport-payload-content."
        issues.append(error("required", text, "Subscription.channel.payload"))
    if channel.get("payload", "application/fhir+json") not in _PAYLOADS:
        text = "Notifications are sent as application/fhir+json."
        issues.append(error("not-supported", text, "Subscription.channel.payload"))
    timeout = _extension(channel, "backport-timeout", "valueUnsignedInt")
    most = _extension(channel, "backport-max-count", "valuePositiveInt")
    heartbeat = _extension(channel, "backport-heartbeat-period", "valueUnsignedInt")
    asked = Asked(
        topic=subscription.get("criteria", ""),
        channel=kind,
        endpoint=endpoint if kind == REST_HOOK else "",
        content=content or "empty",
        filters=_filters(subscription, issues),
        heartbeat=min(_number(heartbeat, 0), 86_400),
        timeout=min(_number(timeout, 10) or 10, LONGEST_TIMEOUT),
        most=min(_number(most, 20), MOST_EVENTS),
        end=subscription.get("end", ""),
    )
    return (None if issues else asked), issues


def headers_of(subscription: dict[str, Any]) -> tuple[list[tuple[str, str]], list[Issue]]:
    """The headers `(name, value)` that it wants sent, a value HIDDEN where it was read back."""
    found: list[tuple[str, str]] = []
    issues: list[Issue] = []
    given = subscription.get("channel", {}).get("header", [])
    for place, text in enumerate(given):
        match = _HEADER.fullmatch(text or "")
        where = f"Subscription.channel.header[{place}]"
        if match is None:
            # Not repeated in the answer: it may be a secret with a slip in it.
            issues.append(error("value", "A header is `Name: value` in ASCII.", where))
        elif match[1].lower() in _OURS:
            issues.append(error("business-rule", f"{match[1]} is set by the server.", where))
        else:
            found.append((match[1], match[2].strip()))
    if len(given) > MOST_HEADERS:
        text = f"At most {MOST_HEADERS} headers."
        issues.append(error("too-long", text, "Subscription.channel.header"))
    return found, issues


def without_secrets(subscription: dict[str, Any]) -> dict[str, Any]:
    """The subscription with the names of its headers only."""
    channel = subscription.get("channel", {})
    if "header" not in channel:
        return subscription
    hidden = [f"{text.partition(':')[0]}: {HIDDEN}" for text in channel["header"] if text]
    return {**subscription, "channel": {**channel, "header": hidden}}


_AT_ENDPOINT: Final = "Subscription.channel.endpoint"
_PAYLOADS: Final = ("application/fhir+json", "application/json")


def _channel(channel: dict[str, Any], issues: list[Issue]) -> str:
    custom = _extension(channel.get("_type"), "backport-channel-type", "valueCoding")
    if custom is not None:
        if (custom.get("system"), custom.get("code")) == (CHANNELS, STREAM):
            return STREAM
    elif channel.get("type") == REST_HOOK:
        return REST_HOOK
    text = f"Channels are rest-hook and, as a backport-channel-type, {CHANNELS}|{STREAM}."
    issues.append(error("not-supported", text, "Subscription.channel.type"))
    return ""


def _filters(subscription: dict[str, Any], issues: list[Issue]) -> tuple[tuple[str, str], ...]:
    found = []
    extensions = (subscription.get("_criteria") or {}).get("extension", ())
    for extension in extensions:
        if extension.get("url") != f"{_IG}/backport-filter-criteria":
            continue
        text = extension.get("valueString", "")
        kind, mark, query = text.partition("?")
        if not (mark and kind and query):
            issues.append(
                error("value", f"A filter is Type?parameter=value, not {text[:80]!r}.", _CRITERIA)
            )
        else:
            found.append((kind, query))
    return tuple(found)


_CRITERIA: Final = "Subscription.criteria"


def _extension(element: Any, name: str, value: str) -> Any:
    for extension in (element or {}).get("extension", ()):
        if extension.get("url") == f"{_IG}/{name}":
            return extension.get(value)
    return None


def _number(value: Any, otherwise: int) -> int:
    return otherwise if value is None else int(value)
