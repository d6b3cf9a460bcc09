"""CodeSystem, ValueSet and ConceptMap resources of the record take part in terminology.

Their canonical URLs are a read model, written with them. What they hold is taken into the tables
of terminology when it is first asked for, so that nothing has to happen after a write.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.access.stored import Stored
from helsevev.kit.projection import Projection
from helsevev.record.store import Store
from helsevev.record.terminology_loading import Loading
from helsevev.terminology.fhir_resources import map_of, release_of
from helsevev.terminology.shapes import BadDistribution


def _canonical(resource: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    if resource.get("url") and resource.get("status") != "entered-in-error":
        origin = f"{resource['resourceType']}/{resource['id']}/{resource['meta']['versionId']}"
        yield resource["url"], resource.get("version", ""), resource.get("status", ""), origin


PROJECTION: Final = Projection(
    table="terminology_resource",
    sources=frozenset({"CodeSystem", "ValueSet", "ConceptMap"}),
    columns={"url": "text", "version": "text", "status": "text", "origin": "text"},
    rows=_canonical,
)


class Unusable(Exception):
    """A resource of the record cannot be used as terminology; the message says which and why."""


class Posted:
    """Takes resources of the record into terminology's tables, each version once."""

    def __init__(self, store: Store, loading: Loading) -> None:
        self._store = store
        self._loading = loading

    async def load_code_system(self, origin: str) -> None:
        """Take a version of a CodeSystem in. Raises `Unusable`."""
        stored = await self._read(origin)
        if stored is None:
            return
        try:
            await self._loading.load(release_of(stored.resource, origin), origin, origin=origin)
        except BadDistribution as problem:
            raise Unusable(f"{stored.reference}: {problem}") from problem

    async def load_map(self, origin: str) -> None:
        """Take a version of a ConceptMap in."""
        stored = await self._read(origin)
        if stored is not None:
            await self._loading.load_map(map_of(stored.resource, origin), origin)

    async def value_set(self, origin: str) -> dict[str, Any] | None:
        """A version of a ValueSet, None when it was deleted meanwhile."""
        stored = await self._read(origin)
        return stored.resource if stored else None

    async def _read(self, origin: str) -> Stored | None:
        kind, resource_id, version = origin.split("/")
        stored = await self._store.read_version(kind, resource_id, int(version))
        return None if stored is None or stored.deleted else stored
