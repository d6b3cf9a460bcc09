"""What is asked of a record all at once: the entries of a transaction, and their Bundle.

The rules are http://hl7.org/fhir/R4/http.html#transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from helsevev.fhir.reading import mapping, text


def created(
    resource: Mapping[str, Any], full_url: str = "", *, only_once: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An entry that creates a resource, which others of the Bundle name by `full_url`.

    `only_once` are search parameters with their values: nothing is created when they find it.
    """
    request = {"method": "POST", "url": resource["resourceType"]}
    if only_once:
        request["ifNoneExist"] = urlencode(only_once)
    full_url = full_url or f"urn:uuid:{uuid4()}"
    return {"fullUrl": full_url, "resource": dict(resource), "request": request}


def replaced(resource: Mapping[str, Any], version: int | str | None = None) -> dict[str, Any]:
    """An entry that keeps a resource as it is now: refused when it is not of `version` any longer.

    The version is the one that the resource was read with, when none is said.
    """
    if version is None:
        version = text(mapping(resource.get("meta")).get("versionId"))
    place = f"{resource['resourceType']}/{resource['id']}"
    request = {"method": "PUT", "url": place, "ifMatch": f'W/"{version}"'}
    return {"resource": dict(resource), "request": request}


def kept(resource: Mapping[str, Any]) -> dict[str, Any]:
    """An entry that keeps a resource: one with an id as it is now, any other as a new one.

    A new one that others of the Bundle name has their name for it ("urn:uuid:…") as its id.
    """
    key = text(resource.get("id"))
    if key and not key.startswith("urn:"):
        return replaced(resource)
    return created({name: value for name, value in resource.items() if name != "id"}, key)


def transaction(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The Bundle in which all of the entries are done, or none."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
