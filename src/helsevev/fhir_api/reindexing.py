"""`helsevev reindex`: what resources are found by, worked out anew by the rules of this version."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any

import uvloop

from helsevev.kit.chapter import Command, CommandContext
from helsevev.kit.progress import Bar


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--again", action="store_true", help="from the beginning, though it was finished before"
    )


def _run(context: CommandContext, arguments: Namespace) -> int:
    begun = time.monotonic()
    with Bar() as bar:
        ended = uvloop.run(_reindex(context, bar, again=arguments.again))
    sys.stdout.write(
        f"{ended.done:>12,}  resources looked at, {ended.changed:,} of them found anew"
        f" ({time.monotonic() - begun:.1f} s)\n"
    )
    return 0


async def _reindex(context: CommandContext, bar: Bar, *, again: bool) -> Any:
    async with context.services() as services:
        indexes = await services.packer.sizes()
        ended = await services.reindexer.run(
            lambda at: bar.show("resources", at.done, at.total), again=again
        )
        await services.packer.pack(
            indexes, lambda done, total: bar.show("packing indexes", done, total)
        )
        return ended


REINDEX = Command("reindex", "work out anew what resources are found by", _add_arguments, _run)
