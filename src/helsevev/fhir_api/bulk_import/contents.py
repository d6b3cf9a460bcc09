"""What a decoded text asks of the record: every kind of Bundle as one transaction, ids for all.

Transactions and batches are requests, and carried out as they stand (a batch whole or not at all,
too). Collections, search results, documents and messages are resources that have ids, and are
stored under them.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

from helsevev.fhir import serialization
from helsevev.fhir.bundle import BundleError
from helsevev.fhir.outcome import Issue, error

REQUESTS: Final = ("transaction", "batch")
HOLDS_RESOURCES: Final = ("collection", "searchset", "document", "message")


def as_transaction(bundle: dict[str, Any]) -> dict[str, Any]:
    """The Bundle as a transaction. Raises `BundleError` for kinds that hold nothing to store."""
    kind = bundle.get("type")
    if kind in REQUESTS:
        return {**bundle, "type": "transaction"}
    if kind not in HOLDS_RESOURCES:
        known = ", ".join((*REQUESTS, *HOLDS_RESOURCES))
        text = f"A Bundle of type {kind} cannot be imported; those of {known} can."
        raise BundleError([error("not-supported", text, "Bundle.type")])
    given = bundle.get("entry", [])
    if type(given) is not list:
        raise BundleError([error("structure", "entry is an array", "Bundle.entry")])
    entries: list[dict[str, Any]] = []
    seen: dict[str, bytes] = {}
    issues: list[Issue] = []
    for index, item in enumerate(given):
        path = f"Bundle.entry[{index}]"
        resource = item.get("resource") if type(item) is dict else None
        if type(resource) is not dict:
            issues.append(error("required", "the entry has no resource", f"{path}.resource"))
            continue
        if _is_outcome(item):
            continue
        entry = _put(item, resource)
        url = entry["request"]["url"]
        content = serialization.encode(entry["resource"])
        if seen.setdefault(url, content) != content:
            issues.append(error("duplicate", f"{url} is here with other content too", path))
        elif content is seen[url]:
            entries.append(entry)
    if issues:
        raise BundleError(issues)
    return {"resourceType": "Bundle", "type": "transaction"} | (
        {"entry": entries} if entries else {}
    )


def with_id(resource: dict[str, Any], full_url: object = None) -> dict[str, Any]:
    """The resource with an id: its own, that of its `urn:uuid:`, or one made of its content.

    So the same input given twice is the same resource.
    """
    if "id" in resource:
        return resource
    if type(full_url) is str and full_url.startswith("urn:uuid:"):
        name = full_url.removeprefix("urn:uuid:")
    else:
        name = f"in-{blake2b(serialization.encode(resource), digest_size=16).hexdigest()}"
    return {**resource, "id": name}


def _put(item: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    full_url = item.get("fullUrl")
    named = with_id(resource, full_url)
    url = f"{named.get('resourceType')}/{named['id']}"
    entry = {"resource": named, "request": {"method": "PUT", "url": url}}
    return entry if full_url is None else {"fullUrl": full_url, **entry}


def _is_outcome(item: dict[str, Any]) -> bool:
    search = item.get("search")
    return type(search) is dict and search.get("mode") == "outcome"
