"""What lies on the table when lists are reconciled: the lists, the stay, and who is to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import (
    OSLO,
    birth_date,
    full_name,
    mapping,
    objects,
    reference_key,
    text,
)
from helsevev.kit import clock
from helsevev.medication.opened import ALL, Permitted
from helsevev.medication.reconciliation.comparing import Row, compare
from helsevev.medication.reconciliation.handover import Handover, handovers
from helsevev.medication.reconciliation.lists import (
    HOME,
    SAID,
    WARD,
    lines_of,
    product_places,
    the_stay,
)
from helsevev.medication.reconciliation.receivers import Receiver, receivers, told_at
from helsevev.medication.reconciliation.record import Reconciled, last_of_stay, reconciled
from helsevev.medication.reconciliation.standing import IN_STAY

Resource = Mapping[str, Any]
DRAFT: Final = "reconcile"
_SLICES: Final = (
    Slice("Patient", 1), Slice("Encounter", 50), Slice("EpisodeOfCare", 50), Slice("CareTeam", 20),
    Slice("ServiceRequest", 50), Slice("List", 100), Slice("Task", 200), Slice("Medication", ALL),
    Slice("MedicationRequest", ALL), Slice("MedicationStatement", ALL),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table(Permitted):
    """One patient's lists as one reader has them before them. `seen` names what they show."""

    at: str
    name: str
    birth_date: str
    patient: Resource
    stay: Resource | None
    encounter: str | None
    resources: Mapping[str, Resource]
    products: Mapping[str, Resource]
    rows: tuple[Row, ...]
    lists: tuple[str, ...]
    names: Mapping[str, str]
    receivers: tuple[Receiver, ...]
    done: tuple[Reconciled, ...]
    handovers: tuple[Handover, ...]
    tasks: Mapping[str, Resource]
    said: Sequence[Resource]
    seen: str

    @property
    def may_sign(self) -> bool:
        """Whether the reader may sign this transition: going home ends the ward's orders."""
        return self.may_prescribe or self.at != "discharge"

    @property
    def missing(self) -> str:
        """The transition of the ongoing stay that nobody has reconciled yet; "" when none is."""
        if self.stay is None or last_of_stay(self.done, self.stay, IN_STAY):
            return ""
        return "admission"

    @property
    def open_rows(self) -> int:
        """How many medicines the newest reconciliation left for somebody to decide."""
        return len(self.done[0].open) if self.done else 0


async def open_table(
    services: Services,
    actor: Actor,
    patient_id: str,
    at: str = "home",
    said: Sequence[Resource] = (),
    *,
    interaction: str = "reconcile",
) -> Table:
    """Open a patient's lists, decided and audited. Raises `Refused`."""
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, _SLICES, interaction=interaction
    )
    requests, statements = found["MedicationRequest"], found["MedicationStatement"]
    stay = the_stay(found["Encounter"])
    wanted = product_places([*requests, *statements, *said])
    known = await services.gate.open_many(actor, wanted, interaction="products") if wanted else {}
    products = {f"{kind}/{key}": each for (kind, key), each in known.items()}
    products |= {f"Medication/{each['id']}": each for each in found["Medication"]}
    names = await _names(services, actor, found)
    today = clock.now().astimezone(OSLO).date()
    lists = lines_of(requests, statements, products, stay, today, said)
    patient = next(iter(found["Patient"]), {})
    rows = compare(lists)
    return Table(
        permit=permit, services=services, at=at, name=full_name(patient.get("name")),
        birth_date=birth_date(patient), patient=patient, stay=stay,
        encounter=f"Encounter/{stay['id']}" if stay else the_ongoing(found["Encounter"]),
        resources={f"{r['resourceType']}/{r['id']}": r for r in (*requests, *statements, *said)},
        products=products, rows=rows,
        lists=tuple(n for n in (HOME, WARD, SAID) if lists[n] or (n == WARD and stay)),
        names=names,
        receivers=told_at(receivers(patient, found, actor.organisations, names), at),
        done=reconciled(found["List"], names), handovers=handovers(found["Task"], names),
        tasks={text(each.get("id")): each for each in found["Task"]}, said=said,
        seen=_print(rows, [*requests, *statements]),
    )  # fmt: skip


def _print(rows: Sequence[Row], resources: Sequence[Resource]) -> str:
    """What names the lists as they stand: another order, or another version, is another print."""
    shown = {line.key for row in rows for line in row.lines}
    told = sorted(
        f"{key} {text(mapping(each.get('meta')).get('versionId'))}"
        for each in resources if (key := f"{each['resourceType']}/{each['id']}") in shown
    )  # fmt: skip
    return sha256("\n".join(told).encode()).hexdigest()


async def _names(
    services: Services, actor: Actor, found: Mapping[str, Sequence[Resource]]
) -> dict[str, str]:
    """What the organisations are called that are named by reference only."""
    unnamed: set[tuple[str, str]] = set()
    for kind, elements in _UNITS.items():
        for each in found.get(kind, ()):
            for element in elements:
                for named in objects(each.get(element)):
                    reference = mapping(named.get("member")) or named
                    key = reference_key(reference)
                    if key.startswith("Organization/") and not reference.get("display"):
                        unnamed.add(("Organization", key.removeprefix("Organization/")))
    if not unnamed:
        return {}
    known = await services.gate.open_many(actor, unnamed, interaction="names")
    return {f"{kind}/{key}": text(each.get("name")) for (kind, key), each in known.items()}


_UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "EpisodeOfCare": ("managingOrganization",), "ServiceRequest": ("performer",),
    "CareTeam": ("managingOrganization", "participant"), "Patient": ("generalPractitioner",),
    "Task": ("owner",), "Encounter": ("serviceProvider",),
}  # fmt: skip
