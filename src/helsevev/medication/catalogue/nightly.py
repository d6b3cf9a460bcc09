"""Learns every night how medicines are ordered here, for the order sentences that are offered."""

from __future__ import annotations

from helsevev.access.services import Services
from helsevev.kit.nightly import Nightly
from helsevev.medication.catalogue.command import learn


class SentencesLearned(Nightly):
    """Counts anew each night; what fewer than five people have is not told."""

    name = "order-sentences"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def night(self) -> None:
        """See `Nightly`."""
        await learn(self._services)
