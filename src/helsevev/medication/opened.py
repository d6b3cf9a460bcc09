"""One patient's medicines, opened by somebody: what the pages of this chapter are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import NotFound
from helsevev.access.permit import Permit
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import (
    birth_date,
    full_name,
    mapping,
    moment,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.kit import clock
from helsevev.medication.panel import Medicine, Medicines, medicines
from helsevev.medication.versions import Difference, difference, medicine_of

ALL: Final = 5000
"""More medicines than any list holds."""
_WRITERS: Final = ("recorder", "requester", "informationSource")
_MOST_COMPARED: Final = 40


@dataclass(frozen=True, slots=True)
class Permitted:
    """A patient's record that somebody has opened, as this chapter's pages speak of it."""

    permit: Permit
    services: Services

    @property
    def actor(self) -> Actor:
        """Who has opened it."""
        return self.permit.actor

    @property
    def patient_id(self) -> str:
        """Whose list it is."""
        return self.permit.patient_id

    @property
    def base(self) -> str:
        """The address of the record."""
        return f"/patient/{self.permit.patient_id}"

    @property
    def may_prescribe(self) -> bool:
        """Whether the reader's profession orders medicines."""
        return may_write(self.actor.profession, "MedicationRequest")


@dataclass(frozen=True, slots=True)
class Opened(Permitted):
    """The list of one patient as one reader sees it now."""

    name: str
    birth_date: str
    encounter: str | None
    resources: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]
    listed: Medicines


async def open_list(
    services: Services,
    actor: Actor,
    patient_id: str,
    *,
    interaction: str = "medications",
    listed: bool = True,
) -> Opened:
    """Open the list, decided and audited; without `listed` only whose it is. Raises `Refused`."""
    permit = await services.gate.open_chart(actor, patient_id, interaction=interaction)
    kinds = ("MedicationRequest", "MedicationStatement", "Medication")
    slices = [Slice("Patient", 1), Slice("Encounter", 50)]
    slices += [Slice(kind, ALL) for kind in kinds if listed]
    found = await services.gate.open_slices(permit, slices, interaction=interaction)
    requests, statements, products = (found.get(kind, []) for kind in kinds)
    kept = [*requests, *statements]
    names = await _names(services, actor, kept)
    patient = next(iter(found["Patient"]), {})
    return Opened(
        permit=permit,
        services=services,
        name=full_name(patient.get("name")),
        birth_date=birth_date(patient),
        encounter=the_ongoing(found["Encounter"]),
        resources={f"{each['resourceType']}/{each['id']}": each for each in kept},
        names=names,
        listed=medicines(requests, statements, products, now=clock.now(), names=names),
    )


def the_line(opened: Opened, kind: str, key: str) -> tuple[Medicine, Mapping[str, Any]]:
    """A line of the list, and its resource. Raises `NotFound` for what is not on it."""
    resource = opened.resources.get(f"{kind}/{key}")
    if resource is None or resource.get("status") == "entered-in-error":
        raise NotFound(f"{kind}/{key}")
    for line in opened.listed.every:
        if line.key == f"{kind}/{key}":
            return line, resource
    return medicine_of(resource, opened.names), resource


async def _names(
    services: Services, actor: Actor, resources: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """What those are called whom the resources name by reference only."""
    unnamed = {
        (kind, key)
        for resource in resources
        for element in _WRITERS
        for party in objects(resource.get(element))
        if not party.get("display")
        for kind, _, key in [reference_key(party).partition("/")]
        if kind in ("Practitioner", "Organization") and key
    }
    if not unnamed:
        return {}
    found = await services.gate.open_many(actor, unnamed, interaction="names")
    return {
        f"{kind}/{key}": full_name(each.get("name")) if kind == "Practitioner"
        else text(each.get("name"))
        for (kind, key), each in found.items()
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What others made of a medicine since the reader last looked: "new", "changed", "stopped"."""

    kind: str
    before: Medicine | None
    differences: tuple[Difference, ...]
    who: str


async def changes_since(opened: Opened, since: datetime | None) -> dict[str, Change]:
    """ "Type/id" -> what became of it after `since` by somebody else; the newest few are compared.

    A reader's own writing is no news.
    """
    if since is None:
        return {}
    newer = [
        (written.at, key, resource)
        for key, resource in opened.resources.items()
        if (written := moment(mapping(resource.get("meta")).get("lastUpdated"))) is not None
        and written.at > since
        and reference_key(_writer(resource)) != opened.actor.id
    ]
    newer.sort(key=lambda each: each[0], reverse=True)
    found: dict[str, Change] = {}
    for _at, key, resource in newer:
        if text(resource.get("status")) == "entered-in-error":
            continue
        compare = len(found) < _MOST_COMPARED
        before = await _as_it_was(opened, resource, since) if compare else None
        now = medicine_of(resource, opened.names)
        kind = "stopped" if now.group == "stopped" else "changed" if before else "new"
        told = difference(before, now) if before else ()
        found[key] = Change(kind, before, told, reference_text(_writer(resource), opened.names))
    return found


def _writer(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((mapping(resource[w]) for w in _WRITERS if resource.get(w)), {})


async def _as_it_was(
    opened: Opened, resource: Mapping[str, Any], since: datetime
) -> Medicine | None:  # fmt: skip
    """The medicine as the reader last saw it; None when it was not there then."""
    for version in await versions(opened, resource):
        written = moment(mapping(version.get("meta")).get("lastUpdated"))
        if written is not None and written.at <= since:
            return medicine_of(version, opened.names)
    return None


async def versions(opened: Opened, resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The versions of one line, newest first, as far as they are shown to the reader."""
    page = await opened.services.history.of_instance(
        opened.actor, resource["resourceType"], resource["id"], count=100
    )
    return [stored.resource for stored in page.versions if not stored.deleted]


def looked_at(since: int) -> datetime | None:
    """The moment that an address names (microseconds since 1970); None for 0 or nonsense."""
    try:
        return datetime.fromtimestamp(since / 1e6, UTC) if since > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
