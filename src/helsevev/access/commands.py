"""`helsevev token`: a bearer token for the API, as a demo persona or for a system."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from datetime import timedelta

from helsevev.access import demo
from helsevev.access.actor import SYSTEM, Actor
from helsevev.kit.chapter import Command, CommandContext


def _add_arguments(parser: ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--persona", metavar="NAME", help="speak for this persona of the demo")
    who.add_argument("--system", action="store_true", help="speak for a system: the whole record")
    parser.add_argument("--days", type=int, default=30, help="how long it lasts (default 30)")


def _run(context: CommandContext, arguments: Namespace) -> int:
    personas = demo.personas()
    if arguments.system:
        actor = SYSTEM
    elif arguments.persona in personas:
        actor = personas[arguments.persona]
    else:
        return _complain(f"no persona {arguments.persona!r}; there are {', '.join(personas)}")
    if arguments.days < 1:
        return _complain("--days must be at least 1")
    token = asyncio.run(_issue(context, actor, timedelta(days=arguments.days)))
    sys.stdout.write(f"{token}\n")
    return 0


def _complain(text: str) -> int:
    sys.stderr.write(f"helsevev token: {text}\n")
    return 2


async def _issue(context: CommandContext, actor: Actor, lasts: timedelta) -> str:
    async with context.services() as services:
        token: str = await services.credentials.issue_token(actor, lasts)
        return token


TOKEN = Command("token", "print a bearer token for the API", _add_arguments, _run)
