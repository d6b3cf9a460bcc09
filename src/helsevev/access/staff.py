"""Who a member of staff is when working in one of their roles, read from the record itself."""

from __future__ import annotations

import re
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.unit_period import is_open
from helsevev.content.loading import professions
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record.store import Store

MOST_PARENTS: Final = 12
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


async def actor_of_role(store: Store, role_id: str) -> Actor | None:
    """The actor that a PractitionerRole stands for; None when there is no such active role.

    The unit is the role's organisation, the organisation the topmost that it is part of.
    """
    if not _ID.fullmatch(role_id):
        return None
    role = await _read(store, f"PractitionerRole/{role_id}")
    if role is None or not role.get("active", True):
        return None
    practitioner = await _read(store, role.get("practitioner", {}).get("reference", ""))
    where = role.get("organization", {}).get("reference", "")
    units = await _lineage(store, where)
    if not await _is_open(store, where):
        return None
    if practitioner is None or not practitioner.get("active", True) or not units:
        return None
    title = _text(role.get("code", [{}])[0])
    return Actor(
        kind="practitioner",
        id=f"Practitioner/{practitioner['id']}",
        name=name_of(practitioner),
        profession=profession_in(practitioner, title),
        role=title,
        organisation=units[-1][0],
        organisation_name=units[-1][1],
        unit_name=units[0][1],
        organisations=tuple(reference for reference, _ in units),
        practitioner_role=f"PractitionerRole/{role_id}",
    )


async def _is_open(store: Store, unit: str) -> bool:
    found = await _read(store, unit)
    return found is not None and is_open(found, dates.microseconds(clock.now()))


async def _read(store: Store, reference: str) -> dict[str, Any] | None:
    resource_type, _, resource_id = reference.partition("/")
    stored = await store.read(resource_type, resource_id) if resource_id else None
    return None if stored is None or stored.deleted else stored.resource


async def _lineage(store: Store, reference: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while reference and len(found) < MOST_PARENTS:
        organisation = await _read(store, reference)
        if organisation is None:
            break
        found.append((reference, organisation.get("name", "")))
        reference = organisation.get("partOf", {}).get("reference", "")
    return found


def profession_in(practitioner: dict[str, Any], title: str) -> str:
    """What somebody works as in a role that is called this; "" when the rules know nothing."""
    known = professions()
    if title in known.position:
        return known.position[title]
    for qualification in practitioner.get("qualification", ()):
        for coding in qualification["code"].get("coding", ()):
            if coding.get("system") == known.system:
                approved = known.approval.get(coding.get("code", ""), "")
                return known.role.get(title, approved)
    return ""


def _text(concept: dict[str, Any]) -> str:
    codings = concept.get("coding", [{}])
    return str(concept.get("text") or codings[0].get("display", ""))


def name_of(person: dict[str, Any]) -> str:
    """The name of a Practitioner or Patient, as text; "" when there is none."""
    name = person.get("name", [{}])[0]
    return str(name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]))
