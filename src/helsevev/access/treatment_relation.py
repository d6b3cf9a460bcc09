"""Who treats whom, derived from care teams, episodes of care and encounters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from helsevev.fhir import dates
from helsevev.fhir.compartment import subject_of
from helsevev.kit.projection import Projection

GRACE: Final = timedelta(days=30)
"""How long after its end a contact still gives access: discharge notes, results that come late."""

_GRACE: Final = GRACE // timedelta(microseconds=1)

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

    Times are microseconds since 1970, end exclusive. A status that means "not (yet) so", or a
    group in place of an inhabitant, gives none.
    """
    if resource.get("status") in _NO_RELATION or subject_of(resource) is None:
        return
    start, end = _bounds(resource.get("period"))
    if end == dates.MAX and resource.get("status") == "finished":
        # It is over, though nobody wrote when: at the latest when that was written.
        end = _said_at(resource) or start
    spans: dict[str, tuple[int, int]] = {}
    for grantee, own in _grantees(resource):
        first, last = _bounds(own)
        span = max(start, first), min(min(end, last) + _GRACE, dates.MAX)
        known = spans.get(grantee, span)
        spans[grantee] = min(known[0], span[0]), max(known[1], span[1])
    for grantee, (first, last) in sorted(spans.items()):
        if first < last:
            yield grantee, first, last


def _bounds(period: dict[str, Any] | None) -> tuple[int, int]:
    found = dates.period_bounds(period.get("start"), period.get("end")) if period else None
    return found or (dates.MIN, dates.MAX)


def _said_at(resource: dict[str, Any]) -> int | None:
    said = dates.bounds(resource.get("meta", {}).get("lastUpdated", ""))
    return said[1] if said else None


def _grantees(resource: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Whom the resource names, each with a period of their own where they have one."""
    found: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
    match resource["resourceType"]:
        case "CareTeam":
            found += [(named, None) for named in resource.get("managingOrganization", ())]
            for participant in resource.get("participant", ()):
                own = participant.get("period")
                found.append((participant.get("member", {}), own))
                found.append((participant.get("onBehalfOf", {}), own))
        case "EpisodeOfCare":
            found += [
                (resource.get(name, {}), None) for name in ("managingOrganization", "careManager")
            ]
        case "Encounter":
            found.append((resource.get("serviceProvider", {}), None))
            for participant in resource.get("participant", ()):
                found.append((participant.get("individual", {}), participant.get("period")))
    for reference, own in found:
        text = reference.get("reference", "")
        if text.startswith(("Organization/", "Practitioner/", "PractitionerRole/")):
            yield text.partition("/_history/")[0], own


PROJECTION: Final = Projection(
    table="treatment_relation",
    sources=frozenset({"CareTeam", "EpisodeOfCare", "Encounter"}),
    columns={"grantee": "text", "start_at": "bigint", "end_at": "bigint"},
    rows=relations,
)
