"""`helsevev alarms`: what an administrator has to look at, newest first."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from zoneinfo import ZoneInfo

from helsevev.access.identity.alarms import Alarms
from helsevev.kit.chapter import Command, CommandContext

_HERE = ZoneInfo("Europe/Oslo")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--seen", type=int, metavar="ID", help="note that this one was looked at")


def _run(context: CommandContext, arguments: Namespace) -> int:
    asyncio.run(_tell(context, arguments.seen))
    return 0


async def _tell(context: CommandContext, looked_at: int | None) -> None:
    async with context.services() as services:
        alarms = Alarms(services.gate.store.database)
        if looked_at is not None:
            await alarms.seen(looked_at)
        for row in await alarms.newest():
            at = row["at"].astimezone(_HERE).isoformat(" ", "minutes")
            mark = "seen" if row["seen_at"] else "NEW "
            who = f"{row['person_name']} ({row['person']}), {row['organisation']}"
            sys.stdout.write(f"{row['id']} {mark} {at} {row['kind']}: {who}. {row['told']}\n")


ALARMS = Command(
    "alarms", "list emergency logins and other alarms of signing in", _add_arguments, _run
)
