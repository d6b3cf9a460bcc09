"""Doses given outside the plan as a patient's round shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import codes, mapping, objects, reference_key, reference_text, text
from helsevev.medication.administration import moment_given, said_outside
from helsevev.medication.dosage import dose_amount

OUTSIDE: Final = "outside-plan"
"""Code of the task to acknowledge a dose that was given outside the plan."""


class OutsidePlan(Struct, frozen=True):
    """A dose that was given outside the plan, and the task to who prescribes, when it is known."""

    name: str
    administration: Mapping[str, Any]
    task: Mapping[str, Any]

    @property
    def why(self) -> str:
        """Why it was given, in words."""
        return text(mapping(said_outside(self.administration)).get("text"))

    @property
    def by(self) -> str:
        """Who gave it."""
        signed = objects(self.administration.get("performer"))
        return reference_text(signed[0].get("actor")) if signed else ""

    @property
    def awaits(self) -> bool:
        """Whether somebody who prescribes still has to acknowledge it."""
        return self.task.get("status") == "requested"

    @property
    def verdict(self) -> str:
        """What who prescribes has said of it: a code, or "" while nobody has."""
        output = objects(self.task.get("output"))
        return next(iter(codes(output[0].get("valueCodeableConcept"))), "") if output else ""

    @property
    def amount(self) -> str:
        """How much was given, in words."""
        given = mapping(self.administration.get("dosage")).get("dose")
        return dose_amount({"doseAndRate": [{"doseQuantity": given}]}) if given else ""


def lately_outside(
    given: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    name_of: Callable[[Mapping[str, Any]], str],
    since: datetime,
) -> Iterable[OutsidePlan]:
    """What was given outside the plan since then, and what still awaits who prescribes."""
    about = {reference_key(t.get("focus")): t for t in tasks if OUTSIDE in codes(t.get("code"))}
    for each in given:
        if said_outside(each) is None:
            continue
        task = about.get(f"MedicationAdministration/{text(each.get('id'))}", {})
        at = moment_given(each)
        if task.get("status") == "requested" or at is None or at >= since:
            yield OutsidePlan(name_of(each), each, task)
