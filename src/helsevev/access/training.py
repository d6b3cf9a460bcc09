"""A class's fresh region: the record is kept once as it is, and put back when one begins anew."""

from __future__ import annotations

import sys
from argparse import Namespace

import uvloop

from helsevev.access.actor import SYSTEM
from helsevev.access.audit_trail import AuditTrail
from helsevev.access.gate import author_of
from helsevev.kit import clock
from helsevev.kit.chapter import CommandContext
from helsevev.kit.settings import Settings
from helsevev.record import keeping
from helsevev.record.audit import audit_row
from helsevev.record.database import Database
from helsevev.record.embedded import exclusive
from helsevev.record.opening import opened, reached

_QUESTION = "Everything written since the region was kept is lost. Go on? [y/N] "


async def keep(settings: Settings) -> None:
    """Keep the record as it is now, for `reset`.

    Raises `keeping.CannotKeep` while somebody uses it.
    """
    async with reached(settings) as url:
        async with opened(settings, 1):
            # Only what this program can open is worth keeping.
            pass
        await keeping.keep(url)


async def keep_if_possible(settings: Settings) -> str:
    """Keep the record; why that could not be, or nothing."""
    try:
        await keep(settings)
    except keeping.CannotKeep as problem:
        return str(problem)
    return ""


async def reset(settings: Settings) -> None:
    """Put back the record as it was kept; who was signed in no longer is.

    That it was reset is the newest row of its audit trail. Raises `keeping.CannotKeep` while
    somebody uses the record, or when none was kept.
    """
    async with reached(settings) as url:
        await keeping.put_back(url, _tell_of_reset)


async def _tell_of_reset(database: Database) -> None:
    author = author_of(SYSTEM, "region-reset", basis="system")
    row = audit_row(0, 0, clock.now(), author, SYSTEM.id, action="reset")
    await AuditTrail(database).keep(row)


def run(context: CommandContext, arguments: Namespace) -> int:
    """`helsevev region keep` and `helsevev region reset`; the exit status."""
    settings = context.settings
    # Whoever serves this data folder is told apart from other users of its database.
    with exclusive(settings.data):
        if arguments.action == "keep":
            uvloop.run(keep(settings))
            return _say("The region is kept as it is now.")
        if not arguments.yes and not _agreed():
            return _say("Nothing was changed.", 1)
        began = clock.now()
        uvloop.run(reset(settings))
        seconds = (clock.now() - began).total_seconds()
        return _say(f"The region is as it was when it was kept ({seconds:.1f} s).")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write("helsevev region reset: give --yes where nobody can be asked\n")
        return False
    return input(_QUESTION).strip().lower() in ("y", "yes", "j", "ja")


def _say(line: str, status: int = 0) -> int:
    sys.stdout.write(f"{line}\n")
    return status
