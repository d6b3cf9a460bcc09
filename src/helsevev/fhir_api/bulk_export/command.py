"""`helsevev export --out DIR`: the record, or a part of it, as files that can be imported again."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

import uvloop

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError
from helsevev.access.export.asked import Asked, filters_of, format_of, moment_of, types_of
from helsevev.access.export.exports import Exported
from helsevev.fhir import serialization
from helsevev.fhir.views.definition import ViewError
from helsevev.kit.chapter import Command, CommandContext

CHECKSUMS: Final = "SHA256SUMS"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--type", action="append", default=[], metavar="TYPE,…", help="only these resource types"
    )
    parser.add_argument(
        "--patient", action="append", default=[], metavar="ID",
        help="only what is kept with this inhabitant (the id of the Patient)",
    )  # fmt: skip
    parser.add_argument("--since", default="", help="only what was written from then on")
    parser.add_argument("--until", default="", help="only what was written before then")
    parser.add_argument(
        "--filter", action="append", default=[], metavar="TYPE?QUERY",
        help="of this type only what the search finds",
    )  # fmt: skip
    parser.add_argument(
        "--view", action="append", default=[], type=Path, metavar="FILE",
        help="the rows of this ViewDefinition (JSON) in place of resources",
    )  # fmt: skip
    parser.add_argument("--format", default="", help="ndjson (default), parquet; views: csv too")


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        asked = _asked(arguments)
        if arguments.out.exists() and any(arguments.out.iterdir()):
            return _complain(f"{arguments.out} is not empty; name a new folder")
        arguments.out.mkdir(parents=True, exist_ok=True)
    except (AccessError, OSError, ValueError) as problem:
        return _complain(str(problem))
    begun = time.monotonic()
    try:
        exported = uvloop.run(_export(context, asked, arguments.out))
    except (AccessError, ViewError, OSError) as problem:
        return _complain(str(problem))
    _write_checksums(exported, arguments.out)
    seconds = max(time.monotonic() - begun, 0.001)
    for written in exported.files:
        sys.stdout.write(f"{written.count:>12,}  {written.name}  ({written.size:,} bytes)\n")
    sys.stdout.write(
        f"{exported.read:>12,}  resources in {seconds:.1f} s ({exported.read / seconds:,.0f}"
        f" a second), as of {exported.at.isoformat()}\n"
    )
    return 0


def _asked(arguments: Namespace) -> Asked:
    views = tuple(serialization.decode(path.read_bytes()) for path in arguments.view)
    return Asked(
        level="patient" if arguments.patient else "system",
        format=format_of(
            arguments.format, ("ndjson", "parquet", "csv") if views else ("ndjson", "parquet")
        ),
        types=types_of(arguments.type),
        patients=tuple(p.removeprefix("Patient/") for p in arguments.patient) or None,
        since=moment_of(arguments.since, "--since"),
        until=moment_of(arguments.until, "--until"),
        filters=filters_of(arguments.filter),
        views=views,
    )


async def _export(context: CommandContext, asked: Asked, folder: Path) -> Exported:
    async with context.services() as services:
        shown = time.monotonic()

        async def tell(read: int) -> bool:
            nonlocal shown
            if sys.stderr.isatty() and time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                sys.stderr.write(f"\r{read:>12,}  resources read ")
            return await asyncio.sleep(0, True)

        exported: Exported = await services.exports.export_to(SYSTEM, asked, folder, tell)
        if sys.stderr.isatty():
            sys.stderr.write("\r" + " " * 40 + "\r")
        return exported


def _write_checksums(exported: Exported, folder: Path) -> None:
    """As `sha256sum --check` reads them."""
    lines = [f"{written.sha256}  {written.name}\n" for written in exported.files]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def _complain(text: str) -> int:
    sys.stderr.write(f"helsevev export: {text}\n")
    return 2


EXPORT = Command("export", "write the record, or a part of it, to files", _add_arguments, _run)
