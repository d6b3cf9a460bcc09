"""Compositions as whole documents: each with all that it names, as far as the actor may see it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.stored import Stored
from helsevev.access.writing import Writer
from helsevev.fhir import references
from helsevev.kit import clock

_STEPS: Final = 2
"""How far references are followed: what the document names, and what that names."""

_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Document:
    """A Bundle of type document; `stored` when it was kept."""

    bundle: dict[str, Any]
    stored: Stored | None


class Documents:
    """Puts documents together."""

    def __init__(self, gate: Gate, writer: Writer) -> None:
        self._gate = gate
        self._writer = writer

    async def of(self, actor: Actor, composition_id: str, base: str, *, keep: bool) -> Document:
        """The document of a Composition, kept as a Bundle when asked.

        What the actor may not see is left out, and its reference stays. Raises `NotFound`, `Gone`
        or `Refused`; with `keep` also what `Writer.write` raises.
        """
        composition = await self._gate.open_resource(actor, "Composition", composition_id)
        found: dict[tuple[str, str], dict[str, Any]] = {
            ("Composition", composition_id): composition.resource
        }
        newest = list(found.values())
        for _ in range(_STEPS):
            wanted = {place for resource in newest for place in _named(resource)} - found.keys()
            seen = await self._gate.open_many(
                actor, sorted(wanted)[: _MOST - len(found)], interaction="document"
            )
            found |= seen
            newest = list(seen.values())
        now = clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        bundle = {
            "resourceType": "Bundle",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid.uuid4()}"},
            "type": "document",
            "timestamp": now,
            "entry": [
                {"fullUrl": f"{base}/{kind}/{name}", "resource": resource}
                for (kind, name), resource in found.items()
            ],
        }
        if not keep:
            return Document(bundle, None)
        written = await self._writer.write(actor, bundle, create=True)
        return Document(bundle, written.stored)


def _named(resource: dict[str, Any]) -> set[tuple[str, str]]:
    places = (
        references.relative(reference.get("reference", ""))
        for _, reference in references.walk(resource)
    )
    return {place for place in places if place is not None}
