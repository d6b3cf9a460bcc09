"""`helsevev access effective`: who can do what, on a day, and what came and went between two."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Any, Final

from helsevev.access.actor import SYSTEM
from helsevev.access.administration.effective.asking import REACHED, Asked, Told, told
from helsevev.access.administration.effective.exporting import exported
from helsevev.access.administration.effective.rights import BY_ITSELF, BY_RELATION, WAS, counted
from helsevev.access.administration.effective.working_out import Row
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.errors import AccessError, Invalid
from helsevev.kit.chapter import CommandContext

_SIGNS: Final = {"came": "+", "went": "-", "changed": "~"}
_EPILOG: Final = """examples:
  helsevev access effective --unit infectious-diseases
  helsevev access effective --role physician --form csv
  helsevev access effective --since 2026-10-01 --on 2026-10-31"""


def add_arguments(verbs: Any) -> None:
    """The verb `effective`, among those of `helsevev access`."""
    one: ArgumentParser = verbs.add_parser(
        "effective", help="list who can do what, or what changed between two days", epilog=_EPILOG
    )
    one.add_argument("--person", default="", metavar="ID", help="a Practitioner's id")
    one.add_argument("--unit", default="", metavar="ID", help="an Organization and all below it")
    one.add_argument(
        "--role", default="", metavar="NAME", help="what it is called, or a profession"
    )
    one.add_argument(
        "--on", default="", metavar="DATE", help="at the end of that day; default: now"
    )
    one.add_argument(
        "--since", default="", metavar="DATE", help="what came and went since the end of that day"
    )
    one.add_argument(
        "--form", choices=("text", "csv", "json"), default="text", help="default: text"
    )


def run(context: CommandContext, arguments: Namespace) -> int:
    """Print it; 0 also when nobody fits."""
    asked = Asked(
        person=arguments.person.removeprefix("Practitioner/"),
        unit=arguments.unit.removeprefix("Organization/"),
        role=arguments.role,
        on=arguments.on,
        since=arguments.since,
    )
    try:
        found = asyncio.run(_told(context, asked))
    except Invalid as problem:
        for issue in problem.issues:
            sys.stderr.write(f"helsevev access: --{issue.expression}: {issue.diagnostics}\n")
        return 2
    except AccessError as problem:
        sys.stderr.write(f"helsevev access: {problem}\n")
        return 1
    is_text = arguments.form == "text"
    text = "\n".join([*lines(found), ""]) if is_text else exported(found.rows, arguments.form)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


async def _told(context: CommandContext, asked: Asked) -> Told:
    async with context.services() as services:
        return await told(StaffKeeper(services.gate, services.bundles), SYSTEM, asked)


def lines(found: Told) -> Iterator[str]:
    """What was found, for reading."""
    if found.since is not None:
        yield f"From {found.since:%Y-%m-%d %H:%M} to {found.at:%Y-%m-%d %H:%M} UTC:"
        yield ", ".join(f"{number} {what}" for what, number in counted(found.rows).items())
    else:
        people = len({row["person"] for row in found.rows})
        yield f"{len(found.rows)} roles of {people} people, {found.at:%Y-%m-%d %H:%M} UTC"
    for row in found.rows:
        yield ""
        yield from _one(row)


def _one(row: Row) -> Iterator[str]:
    sign = f"{_SIGNS[row['change']]} " if "change" in row else ""
    span = " ".join(f"{name} {row[name]}" for name in ("from", "until") if row[name])
    yield f"{sign}{row['name'] or row['person']}: {row['role']}, {row['unit']}" + (
        f" ({span})" if span else ""
    )
    yield f"    works as   {row['profession'] or 'nothing that the rules know'}"
    for name in BY_RELATION:
        if row[name]:
            yield f"    {name:<12} when {_either(row[name].split())}"
    if besides := [name for name in BY_ITSELF if row[name]]:
        yield f"    may also   {', '.join(besides)}"
    for column in REACHED:
        if row.get(column, "0") != "0":
            yield f"    {column.replace('-', ' ')}: {row[column]}"
    for column, value in row.items():
        if column.startswith(WAS):
            yield f"    was        {column.removeprefix(WAS)}: {value or 'nothing'}"


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
