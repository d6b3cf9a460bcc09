"""`helsevev apps`: register apps and systems, suspend them, and see who is in the register."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path

from helsevev.access.actor import SYSTEM
from helsevev.access.apps.clients import Clients
from helsevev.access.apps.registering.form import asked_of
from helsevev.access.apps.registration import KINDS, Client
from helsevev.access.errors import AccessError
from helsevev.kit.chapter import Command, CommandContext


def _add_arguments(parser: ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT", help="what to do")
    acts.add_parser("list", help="who is registered, and whether they are let in")
    new = acts.add_parser("register", help="register an app or a system; prints its client id")
    new.add_argument("name", help="its name, as people read it")
    new.add_argument("--vendor", required=True, help="who answers for it")
    new.add_argument("--kind", choices=KINDS, required=True, help="how it shows who it is")
    new.add_argument(
        "--redirect-uri", action="append", default=[], metavar="URL", help="where it comes back to"
    )
    new.add_argument("--scope", action="append", default=[], help="what it may be granted at most")
    new.add_argument("--launch-url", default="", metavar="URL", help="opens it from a chart")
    new.add_argument("--keys", default="", metavar="FILE|URL", help="its public keys, as a JWKS")
    new.add_argument(
        "--for-inhabitants", action="store_true", help="inhabitants may let it in to their record"
    )
    new.add_argument("--not-for-staff", action="store_true", help="staff may not use it")
    for name, text in (
        ("suspend", "end all that it has, at once, and let it in no more"),
        ("activate", "let a suspended app in again"),
    ):
        acts.add_parser(name, help=text).add_argument("id", help="its client id")


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        return asyncio.run(_carry_out(context, arguments))
    except (AccessError, OSError) as problem:
        sys.stderr.write(f"helsevev apps: {problem}\n")
        return 1


async def _carry_out(context: CommandContext, arguments: Namespace) -> int:
    async with context.services() as services:
        clients: Clients = services.apps.clients
        match arguments.act:
            case "register":
                await _register(clients, arguments)
            case "suspend":
                await clients.suspend(SYSTEM, arguments.id)
            case "activate":
                await clients.activate(SYSTEM, arguments.id)
            case _:
                _say(line(client) for client in await clients.every(SYSTEM))
    return 0


async def _register(clients: Clients, arguments: Namespace) -> None:
    keys = arguments.keys
    if keys and not keys.startswith("http"):
        keys = await asyncio.to_thread(Path(keys).read_text)
    said = {
        "name": arguments.name, "vendor": arguments.vendor, "kind": arguments.kind, "keys": keys,
        "redirect_uris": " ".join(arguments.redirect_uri), "scopes": " ".join(arguments.scope),
        "launch_url": arguments.launch_url,
    }  # fmt: skip
    if arguments.for_inhabitants:
        said["for_inhabitants"] = "yes"
    if not arguments.not_for_staff:
        said["for_staff"] = "yes"
    client, secret = await clients.register(SYSTEM, asked_of(said))
    _say([f"client_id      {client.id}"])
    if secret:
        _say([f"client_secret  {secret}", "The secret is told this once."])


def line(client: Client) -> str:
    """One line about an app."""
    state = "active" if client.active else "suspended"
    asked = client.registration
    return f"{state:<9}  {client.id}  {asked.kind:<12}  {asked.name} ({asked.vendor})"


def _say(lines: Iterable[str]) -> None:
    for each in lines:
        sys.stdout.write(f"{each}\n")


APPS = Command("apps", "register apps and systems, list and suspend them", _add_arguments, _run)
