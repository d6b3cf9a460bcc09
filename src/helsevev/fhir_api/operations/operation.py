"""What an operation is to the router and to the CapabilityStatement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.request import Request

ANY_TYPE: Final = ("*",)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its name without `$`, its OperationDefinition's URL, and where it is called.

    `types` and `instances` name the resource types at whose level it is offered, or `ANY_TYPE`.
    One that is `of_versions` is offered at `[type]/[id]/_history/[vid]` as well as at the instance.
    One that `affects_state` is called by POST alone (R4, operations, section 3.2.0.1).
    """

    name: str
    definition: str
    answer: Callable[[Doors, Request], Awaitable[Answer]]
    system: bool = False
    types: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    of_versions: bool = False
    affects_state: bool = False
    public: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that call it."""
        return ("POST",) if self.affects_state else ("GET", "POST")

    def is_at_type(self, resource_type: str) -> bool:
        """Whether it is offered at `[type]/$name`."""
        return (
            self.types == ANY_TYPE and resource_type in RESOURCE_TYPES
        ) or resource_type in self.types

    def is_at_instance(self, resource_type: str) -> bool:
        """Whether it is offered at `[type]/[id]/$name`."""
        return (
            self.instances == ANY_TYPE and resource_type in RESOURCE_TYPES
        ) or resource_type in self.instances
