"""The professional content that is in force, for pages, rules and jobs."""

from __future__ import annotations

from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock


class Packs:
    """Knows what is in force."""

    async def current(self) -> Shelf:
        """All content that is in force today."""
        return Shelf(built_in(), clock.now().astimezone(OSLO).date())
