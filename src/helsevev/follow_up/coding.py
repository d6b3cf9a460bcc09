"""Systems and extensions by which a Task says what waits, on whose list, and who is told when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from helsevev.content.follow_up_shapes import ANY, Matter
from helsevev.content.loading import follow_up
from helsevev.fhir.reading import first, mapping, objects, text

MATTER: Final = "http://helsevev.no/fhir/CodeSystem/follow-up"
"""Code system of the matters of the content, of the inputs, and of what came of it."""
NEED: Final = "http://helsevev.no/fhir/follow-up"
"""Identifier system of a need: the same need is one Task, however often it is asked for."""
ESCALATION: Final = "http://helsevev.no/fhir/StructureDefinition/escalation"
"""On Task: one for each step, with `at`, `to` (a reference, or `role`) and, when taken, `told`."""
UNIT: Final = "http://helsevev.no/fhir/StructureDefinition/responsible-unit"
"""On Task: the Organization on whose list it stands, whoever owns it."""
SEEN: Final = "http://helsevev.no/fhir/StructureDefinition/opened-by"
"""On Task: `who` of its owner's unit opened it, and `at` what time."""


class Who(NamedTuple):
    """Somebody who can own a Task: the reference, and the name that people know them by."""

    reference: str
    name: str = ""

    def as_reference(self) -> dict[str, Any]:
        """The FHIR Reference."""
        named = {"display": self.name} if self.name else {}
        return {"reference": self.reference, **named}


def matter_of(task: Mapping[str, Any]) -> Matter:
    """The matter of the content that a Task is of; any other Task is a plain one."""
    matters = follow_up().matters
    for coding in objects(mapping(task.get("code")).get("coding")):
        if coding.get("system") == MATTER and text(coding.get("code")) in matters:
            return matters[text(coding.get("code"))]
    return matters[ANY]


def stamp(at: datetime) -> str:
    """An instant (aware) as FHIR writes it, in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def part(extension: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One part of an extension that has several; empty when it has not this one."""
    parts = objects(extension.get("extension"))
    return next((each for each in parts if each.get("url") == name), {})


def extensions(task: Mapping[str, Any], url: str) -> list[Mapping[str, Any]]:
    """All extensions of a kind."""
    return [each for each in objects(task.get("extension")) if each.get("url") == url]


def unit_of(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Reference of the unit on whose list a Task stands; empty when it names none.

    Where a Task does not say it, an owner that is a unit is meant.
    """
    said = mapping(first(extensions(task, UNIT)).get("valueReference"))
    owner = mapping(task.get("owner"))
    if said or not text(owner.get("reference")).startswith("Organization/"):
        return said
    return owner
