"""Who treats whom, derived from care teams, episodes of care and encounters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from helsevev.fhir import dates
from helsevev.kit.projection import Projection

GRACE: Final = timedelta(days=30)
"""How long after its end a contact still gives access: discharge notes, results that come late."""

_NO_RELATION: Final = {
    "entered-in-error",
    "cancelled",
    "proposed",
    "planned",
    "waitlist",
    "inactive",
}


def relations(resource: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """(grantee reference, start, end) for each one whom `resource` ties to its inhabitant.

    Times are microseconds since 1970, end exclusive. A status that means "not (yet) so" gives none.
    """
    if resource.get("status") in _NO_RELATION:
        return
    start, end = _period(resource)
    for grantee in sorted(set(_grantees(resource))):
        yield grantee, start, end


def _period(resource: dict[str, Any]) -> tuple[int, int]:
    period = resource.get("period") or {}
    bounds = dates.period_bounds(period.get("start"), period.get("end"))
    start, end = bounds or (dates.MIN, dates.MAX)
    return start, min(end + GRACE // timedelta(microseconds=1), dates.MAX)


def _grantees(resource: dict[str, Any]) -> Iterator[str]:
    found: list[dict[str, Any]] = []
    match resource["resourceType"]:
        case "CareTeam":
            found += resource.get("managingOrganization", ())
            for participant in resource.get("participant", ()):
                found += [participant.get("member", {}), participant.get("onBehalfOf", {})]
        case "EpisodeOfCare":
            found += [resource.get("managingOrganization", {}), resource.get("careManager", {})]
            found += resource.get("team", ())
        case "Encounter":
            found.append(resource.get("serviceProvider", {}))
            found += [p.get("individual", {}) for p in resource.get("participant", ())]
    for reference in found:
        text = reference.get("reference", "")
        if text.startswith(("Organization/", "Practitioner/", "PractitionerRole/")):
            yield text


PROJECTION: Final = Projection(
    table="treatment_relation",
    sources=frozenset({"CareTeam", "EpisodeOfCare", "Encounter"}),
    columns={"grantee": "text", "start_at": "bigint", "end_at": "bigint"},
    rows=relations,
)
