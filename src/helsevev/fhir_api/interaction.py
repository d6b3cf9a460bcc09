"""What an interaction is to the router, and what all interactions work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from helsevev.access.compartment import Compartments
from helsevev.access.conditional import Conditionals
from helsevev.access.gate import Gate
from helsevev.access.history import History
from helsevev.access.searching import Searcher
from helsevev.access.services import Services
from helsevev.access.transaction import Bundles
from helsevev.access.writing import Writer
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.request import Request


@dataclass(frozen=True, slots=True)
class Doors:
    """The gate's verbs that interactions use, and the way from a Bundle's entries back to them.

    `services` holds all that the gate offers, for operations. `deletes_several` lets a conditional
    delete take all that its condition fits.
    """

    services: Services
    gate: Gate
    writer: Writer
    bundles: Bundles
    searcher: Searcher
    history: History
    conditionals: Conditionals
    compartments: Compartments
    dispatch: Callable[[Request], Awaitable[Answer]]
    routes: Routes
    deletes_several: bool


@dataclass(frozen=True, slots=True)
class Interaction:
    """One interaction: its code in FHIR (restful-interaction), and what answers it.

    `public` needs no token. `conditional` marks a variant that FHIR lists by a flag of its own.
    """

    code: str
    answer: Callable[[Doors, Request], Awaitable[Answer]]
    public: bool = False
    conditional: bool = False


Routes = Mapping[str, Mapping[str, Interaction]]
"""By the path's shape and the method."""
