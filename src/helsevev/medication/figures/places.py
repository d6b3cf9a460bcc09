"""Which unit gives an inhabitant's medicines at a moment: of the stay, else of the service.

As it was written at the time, or soon enough after it: what is written later moves no dose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir import dates
from helsevev.fhir.reading import codes, mapping, reference_key
from helsevev.medication.timing import Leave, Standing

_NOT_THERE: Final = frozenset({
    "planned", "cancelled", "entered-in-error", "waitlist", "onhold", "arrived", "triaged",
})  # fmt: skip
STAY: Final = "IMP"


class Place(Struct, frozen=True):
    """Where somebody is given medicines: the unit's reference, and whether it is a stay."""

    unit: str
    is_stay: bool


class Places(Struct, frozen=True):
    """The versions of an inhabitant's stays and of the services that give them medicines.

    Each history is of one Encounter or EpisodeOfCare, the oldest version first. `giving` are the
    codes of services that give medicines; what was said `within` of a moment counts for it.
    """

    stays: Sequence[Sequence[Standing]]
    services: Sequence[Sequence[Standing]]
    giving: frozenset[str]
    within: timedelta

    def at(self, moment: datetime) -> Place | None:
        """Who gives medicines at a moment; None: nobody does."""
        for histories, is_stay in ((self.stays, True), (self.services, False)):
            found = self._nearest(histories, moment, is_stay=is_stay)
            if found is not None:
                return Place(found, is_stay)
        return None

    def units(self) -> set[str]:
        """Every unit that may have given, whenever it was."""
        found = set()
        for history in self.stays:
            found |= {_unit(each.order) for each in history}
        for history in self.services:
            found |= {_unit(each.order) for each in history if self._gives(each.order)}
        return found - {""}

    def leaves(self) -> list[Leave]:
        """When the patient was on leave from a stay, from when that was written on."""
        found = []
        for history in self.stays:
            since: datetime | None = None
            for each in history:
                is_away = each.order.get("status") == "onleave"
                if is_away and since is None:
                    since = each.since
                elif not is_away and since is not None:
                    found.append(Leave(since, each.since, since))
                    since = None
            if since is not None:
                found.append(Leave(since, None, since))
        return found

    def _nearest(
        self, histories: Iterable[Sequence[Standing]], moment: datetime, *, is_stay: bool
    ) -> str | None:
        """The unit of the one that began last of those that hold."""
        held: list[tuple[int, str]] = []
        for history in histories:
            stood = [each for each in history if each.since <= moment + self.within]
            if not stood:
                continue
            resource = stood[-1].order
            low, high = _period(stood[-1])
            unit = _unit(resource)
            at = dates.microseconds(moment)
            if not unit or resource.get("status") in _NOT_THERE or not low <= at < high:
                continue
            if is_stay or self._gives(resource):
                held.append((low, unit))
        return max(held)[1] if held else None

    def _gives(self, service: Mapping[str, Any]) -> bool:
        return not codes(service.get("type")).isdisjoint(self.giving)


def is_stay(resource: Mapping[str, Any]) -> bool:
    """Whether an Encounter is a stay in an institution."""
    return resource.get("resourceType") == "Encounter" and STAY in codes(resource.get("class"))


def _unit(resource: Mapping[str, Any]) -> str:
    return reference_key(resource.get("serviceProvider")) or reference_key(
        resource.get("managingOrganization")
    )


def _period(standing: Standing) -> tuple[int, int]:
    period = mapping(standing.order.get("period"))
    found = dates.period_bounds(period.get("start"), period.get("end"))
    low, high = found or (dates.MIN, dates.MAX)
    if high == dates.MAX and standing.order.get("status") == "finished":
        # It is over, though nobody wrote when: at the latest when that was written.
        high = dates.microseconds(standing.since)
    return low, high
