"""Brings a record whose rows are of older rules up to those of now, and says loudly that it does.

A newer program, or a migration, may find resources by more than the one that wrote them did. Who
protects somebody (a block, a representation) is made anew before anybody is answered, the rest in
the background, beside everybody's work. A process that is killed leaves the next one the rest.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from helsevev.kit.background import Background
from helsevev.record.connection import DatabaseError
from helsevev.record.reindexing import Progress, Reindexer

_log = logging.getLogger(__name__)
PROTECTING: Final = ("Consent", "RelatedPerson")
"""Types whose read models decide who may see what: those are right from the first answer on."""

TOLD_EACH: Final = 200_000
"""Resources between two lines in the log."""

_PAUSE: Final = 0.02
_RESTING: Final = 5.0
"""Seconds between two steps, and until the next try while the database is away."""


async def protect(reindexer: Reindexer) -> None:
    """Make the read models that protect somebody anew, when rows are of older rules.

    Raises `DatabaseError`: better no answer than one that passes a block over.
    """
    if not await reindexer.is_done():
        _log.warning(
            "This record was written by rules of an older version. Blocks and representations are"
            " worked out anew before anybody is answered."
        )
        await reindexer.project_types(PROTECTING)


class Rework(Background):
    """Works the whole record out anew where that is due, for as long as it runs."""

    name = "rework"

    def __init__(self, reindexer: Reindexer) -> None:
        self._reindexer = reindexer
        self._told = 0

    async def _go_on(self) -> None:
        while True:
            try:
                if await self._reindexer.is_done():
                    return
                _log.warning(
                    "What resources are found by was worked out by rules of an older version, so"
                    " that some searches miss some of them. It is worked out anew now, while"
                    " everybody goes on; `helsevev reindex` does the same, faster."
                )
                ended = await self._reindexer.run(self._tell, pause=_PAUSE)
            except DatabaseError as problem:
                _log.warning("The record cannot be worked out anew now: %s", problem)
                await asyncio.sleep(_RESTING)
            else:
                _log.warning(
                    "The record has been worked out anew: %d resources, %d of them found by more"
                    " or by other values than before.", ended.done, ended.changed,
                )  # fmt: skip
                return

    def _tell(self, at: Progress) -> None:
        if at.done // TOLD_EACH > self._told:
            self._told = at.done // TOLD_EACH
            _log.warning("Worked out anew: %d of about %d resources.", at.done, at.total)
