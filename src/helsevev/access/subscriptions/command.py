"""`helsevev subscriptions`: who listens, what could not be delivered, and whose that is."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError
from helsevev.access.subscriptions.door import SubscriptionDoor
from helsevev.kit.chapter import Command, CommandContext
from helsevev.record.subscriptions import DeadLetter, Standing


def _add_arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--dead-letters", action="store_true", help="only what was given up, with its owner"
    )
    what.add_argument("--retry", metavar="ID", help="begin again where it stopped, at once")
    what.add_argument(
        "--set-aside", metavar="ID", help="send nothing of what waits; somebody has seen to it"
    )


def _run(context: CommandContext, arguments: Namespace) -> int:
    return asyncio.run(_carry_out(context, arguments))


async def _carry_out(context: CommandContext, arguments: Namespace) -> int:
    async with context.services() as services:
        door: SubscriptionDoor = services.subscriptions
        try:
            if arguments.retry:
                await door.retry(SYSTEM, arguments.retry)
            elif arguments.set_aside:
                await door.settle(SYSTEM, arguments.set_aside)
            elif not arguments.dead_letters:
                _say(standing_line(each) for each in await door.standings(SYSTEM))
        except AccessError as problem:
            sys.stderr.write(f"helsevev subscriptions: {problem}\n")
            return 1
        _say(letter_line(letter) for letter in await door.dead_letters(SYSTEM))
    return 0


def standing_line(standing: Standing) -> str:
    """One line about a subscription, without where it is sent."""
    waiting = standing.last_event - standing.delivered
    line = f"{standing.status:<9} {standing.id}  {standing.topic.rpartition('/')[2]}"
    line += f"  {standing.delivered} delivered, {waiting} waiting"
    return f"{line}  {standing.error}".rstrip()


def letter_line(letter: DeadLetter) -> str:
    """One line about events that were given up, and who is to see to them."""
    span = f"events {letter.first_event}-{letter.last_event}"
    return (
        f"dead      {letter.subscription}  {span}  for {letter.owner_name or letter.owner_id}"
        f"  since {letter.at:%Y-%m-%d %H:%M} UTC  {letter.reason}"
    ).rstrip()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


SUBSCRIPTIONS = Command(
    "subscriptions", "list subscriptions and what could not be delivered", _add_arguments, _run
)
