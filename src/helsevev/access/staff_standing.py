"""Who works here now, and where: the read model of Practitioner, PractitionerRole, Organization.

What is taken out of it ends sessions, tokens and quick ways back in the same transaction
(migrations 0017 and 0025), so that no way of ending a role forgets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.access.unit_period import end_of
from helsevev.fhir import dates, references
from helsevev.fhir.search_query import normalize
from helsevev.kit.projection import Projection

_NAME: Final = 200
"""So much of a name is looked for and sorted by; PostgreSQL's indexes hold no long texts."""

_Row = tuple[int, int, str, str, str, str]


def title_of(role: dict[str, Any]) -> str:
    """What a PractitionerRole is called; "" when it does not say."""
    concept = role.get("code", [{}])[0]
    codings = concept.get("coding", [{}])
    return str(concept.get("text") or codings[0].get("display", ""))


def period_of(resource: dict[str, Any]) -> tuple[int, int]:
    """From when until when a role holds, in microseconds since 1970."""
    period = resource.get("period", {})
    start, end = dates.bounds(period.get("start", "")), dates.bounds(period.get("end", ""))
    return dates.MIN if start is None else start[0], dates.MAX if end is None else end[1]


def _kept_here(reference: dict[str, Any] | None) -> str:
    """The reference as `Type/id`; "" when it names nothing of this record."""
    local = references.relative((reference or {}).get("reference", ""))
    return "" if local is None else "/".join(local)


def _rows(resource: dict[str, Any]) -> Iterator[_Row]:
    if not resource.get("active", True):
        return
    if resource["resourceType"] == "Practitioner":
        name = resource.get("name", [{}])[0]
        words = name.get("text") or " ".join([name.get("family", ""), *name.get("given", ())])
        person = f"Practitioner/{resource['id']}"
        yield dates.MIN, dates.MAX, person, "", "", normalize(words)[:_NAME]
        return
    if resource["resourceType"] == "Organization":
        part_of = _kept_here(resource.get("partOf"))
        name = normalize(resource.get("name", ""))[:_NAME]
        yield dates.MIN, end_of(resource), "", part_of, "", name
        return
    person = _kept_here(resource.get("practitioner"))
    unit = _kept_here(resource.get("organization"))
    if person and unit:
        yield *period_of(resource), person, unit, title_of(resource), ""


PROJECTION: Final = Projection(
    "staff_standing",
    frozenset({"Practitioner", "PractitionerRole", "Organization"}),
    {
        "start_at": "bigint", "end_at": "bigint", "person": "text", "unit": "text",
        "title": "text", "name": "text",
    },
    _rows,
)  # fmt: skip
