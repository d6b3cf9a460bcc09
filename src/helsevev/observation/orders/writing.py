"""What was read, as it is after a change, as an entry of a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def replaced(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource as it is now: refused when somebody has changed it since it was read."""
    version = resource["meta"]["versionId"]
    place = f"{resource['resourceType']}/{resource['id']}"
    request = {"method": "PUT", "url": place, "ifMatch": f'W/"{version}"'}
    return {"resource": dict(resource), "request": request}
