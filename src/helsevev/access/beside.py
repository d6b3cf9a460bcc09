"""Rules between a resource and what else stands in the inhabitant's record, for every door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helsevev.access.errors import Unprocessable
from helsevev.access.unit_times import TimesOfUnits
from helsevev.fhir import references
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.outcome import Issue
from helsevev.kit.chapter import Around, Beside, RuleBeside
from helsevev.record import beside
from helsevev.record.store import Store
from helsevev.record.turns import Turn, seen

SPANS_INHABITANTS: Final = frozenset(
    {"Account", "Appointment", "AppointmentResponse", "AuditEvent", "Communication", "Group",
     "Linkage", "List", "Patient", "Person", "Provenance", "RelatedPerson", "Schedule"}
)  # fmt: skip
"""Types that may rightly name what belongs to several inhabitants."""


async def same_inhabitant(store: Store, resources: Sequence[tuple[dict[str, Any], int]]) -> None:
    """No order, encounter or document of another inhabitant may be named.

    Takes (resource, inhabitant's key). References to what is nobody's, such as the ward's
    devices, and to what is not in the record pass.
    Raises `Unprocessable` naming every such reference.
    """
    named: list[tuple[str, str, tuple[str, str], int]] = []
    for resource, patient in resources:
        if patient <= 0 or resource["resourceType"] in SPANS_INHABITANTS:
            continue
        for path, reference in references.walk(resource):
            target = references.relative(reference.get("reference", ""))
            if target and target[0] not in SPANS_INHABITANTS and is_clinical(target[0]):
                named.append((path, "/".join(target), target, patient))
    if not named:
        return
    own = {(r["resourceType"], r["id"]): patient for r, patient in resources if "id" in r}
    places = await store.places_of({target for _, _, target, _ in named} - own.keys())
    places.update(own)
    issues = [
        Issue("error", "business-rule", f"{text} belongs to another inhabitant.", path)
        for path, text, target, patient in named
        if 0 < places.get(target, patient) != patient
    ]
    if issues:
        raise Unprocessable(issues)


class RulesBeside:
    """Carries out the chapters' rules that look at more than one resource."""

    def __init__(
        self, store: Store, rules: Mapping[str, RuleBeside], unit_times: TimesOfUnits
    ) -> None:
        self._store = store.beyond
        self._unit_times = unit_times
        self._rules = rules

    async def check(self, resources: Sequence[tuple[dict[str, Any], int]]) -> list[Turn]:
        """The turns to be taken with the write of (resource, inhabitant's key) that pass.

        What the rules saw stays so until the write, or the turns are taken by another. Raises
        `Unprocessable` with every issue.
        """
        wanted = [
            (resource, patient, rule, look)
            for resource, patient in resources
            if (rule := self._rules.get(resource["resourceType"]))
            and patient > 0
            and (look := rule.wants(resource))
        ]
        if wanted:
            await self._unit_times.known()
        names = {_turn(r["resourceType"], patient, look) for r, patient, _, look in wanted}
        turns = await seen(self._store.database, names)
        issues: list[Any] = []
        for resource, patient, rule, look in wanted:
            kind, own_id = resource["resourceType"], resource.get("id", "")
            found = await beside.around(self._store.shown, patient, kind, own_id, look)
            with_it = [
                each for each, whose in resources
                if each is not resource and whose == patient and each["resourceType"] == kind
            ]  # fmt: skip
            replaced = {each.get("id") for each in with_it}
            others = [each for each in found.others if each["id"] not in replaced]
            issues += rule.check(resource, Around(found.versions, [*others, *with_it]))
        if issues:
            raise Unprocessable(issues)
        return list(turns.values())


def _turn(kind: str, patient: int, look: Beside) -> str:
    return f"{look.turn}/{patient}" if look.turn else "/".join((kind, *look.versions_of))
