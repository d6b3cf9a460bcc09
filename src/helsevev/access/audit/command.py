"""`helsevev audit`: verify the trail, keep and compare checkpoints, prove a row, change keys."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, FileType, Namespace
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from helsevev.access.audit import proving
from helsevev.access.audit.checkpoint import BadCheckpoint, Checkpoint, PublicKey, opened
from helsevev.access.audit.log_keys import LogKeys
from helsevev.access.audit.merkle import is_consistent
from helsevev.access.audit.sealing import BrokenLog, Sealer
from helsevev.access.audit.verifying import Report, Verifier
from helsevev.kit import clock
from helsevev.kit.chapter import Command, CommandContext
from helsevev.kit.settings import Settings
from helsevev.record.database import Database
from helsevev.record.opening import opened as opened_record

_BROKEN: Final = 3
"""Exit status when something was found."""


def keys_of(settings: Settings) -> LogKeys:
    """The keys of this installation's log."""
    return LogKeys(settings.audit_keys or settings.data / "audit-log")


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do"
    )
    verify = actions.add_parser("verify", help="prove the trail, or find what is wrong")
    verify.add_argument("--since", type=_time, help="only what was sealed since this day or time")
    verify.add_argument(
        "--checkpoint", action="append", default=[], type=Path, metavar="FILE",
        help="a checkpoint that was kept elsewhere; may be given several times",
    )  # fmt: skip
    verify.add_argument(
        "--key", action="append", default=[], type=Path, metavar="FILE",
        help="public keys to trust in place of those in the data folder",
    )  # fmt: skip
    checkpoint = actions.add_parser("checkpoint", help="print the newest signed checkpoint")
    checkpoint.add_argument("--out", type=FileType("w"), default="-", metavar="FILE")
    consistency = actions.add_parser(
        "consistency", help="prove that a longer log began as a shorter one"
    )
    consistency.add_argument("old", type=Path, help="the older checkpoint")
    consistency.add_argument("new", type=Path, help="the newer checkpoint")
    prove = actions.add_parser("prove", help="prove that a row is in the log")
    prove.add_argument("row", help="the id of the AuditEvent")
    actions.add_parser("keys", help="print the public keys that check checkpoints")
    actions.add_parser("rotate-key", help="sign with a new key from now on")


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        return asyncio.run(_carry_out(context.settings, arguments))
    except (BadCheckpoint, BrokenLog, proving.NotSealed, ValueError, OSError) as problem:
        sys.stderr.write(f"helsevev audit: {problem}\n")
        return 2


async def _carry_out(settings: Settings, arguments: Namespace) -> int:
    keys = keys_of(settings)
    if arguments.action == "keys":
        return _say("\n".join(map(str, keys.known())))
    async with opened_record(settings, 2) as database:
        sealer = Sealer(database, keys)
        if arguments.action == "verify":
            return await _verify(database, keys, arguments)
        if arguments.action == "rotate-key":
            return _say(await sealer.rotate(), end="")
        if arguments.action == "consistency":
            return await _consistency(database, keys, arguments)
        await sealer.seal()
        note = await sealer.sign()
        if arguments.action == "prove":
            return await _prove(database, keys, arguments.row, note)
        arguments.out.write(note)
        return 0


async def _verify(database: Database, keys: LogKeys, arguments: Namespace) -> int:
    known = [PublicKey.parse(path.read_text()) for path in arguments.key] or keys.known()
    held = [opened(path.read_text(), known) for path in arguments.checkpoint]
    began = clock.now()
    report = await Verifier(database, known).verify(held, arguments.since)
    seconds = max((clock.now() - began).total_seconds(), 0.001)
    _tell(report, held, seconds)
    return _BROKEN if report.findings else 0


def _tell(report: Report, held: list[Checkpoint], seconds: float) -> None:
    _say(
        f"{report.leaves} rows, {report.checkpoints} checkpoints ({len(held)} from outside),"
        f" {seconds:.1f} s ({report.leaves / seconds:,.0f} rows/s)."
    )
    _say(f"The log has {report.size} rows; root {b64encode(report.root).decode()}.")
    unsigned = report.size - report.signed
    _say(f"{unsigned} of them wait for a signature, {report.waiting} more for a seal.")
    for finding in report.findings:
        row = f" [AuditEvent/{finding.row}]" if finding.row else ""
        _say(f"{finding.kind.upper()}: {finding.text}{row}")
    if not report.findings:
        _say("Nothing was altered, removed, added or put elsewhere.")


async def _consistency(database: Database, keys: LogKeys, arguments: Namespace) -> int:
    known = keys.known()
    old, new = (opened(path.read_text(), known) for path in (arguments.old, arguments.new))
    proof = await proving.consistency(database, old.size, new.size)
    _say("\n".join(b64encode(each).decode() for each in proof))
    if is_consistent(old.size, new.size, old.root, new.root, proof):
        return _say(f"The log of {new.size} rows begins with that of {old.size}.")
    sys.stderr.write("The two checkpoints are not of one log that only grew.\n")
    return _BROKEN


async def _prove(database: Database, keys: LogKeys, row: str, note: str) -> int:
    checkpoint = opened(note, keys.known())
    index, at = await proving.place_of(database, *proving.row_of(row))
    path = await proving.inclusion(database, index, checkpoint.size)
    _say(f"AuditEvent/{row} of {at.isoformat()} is leaf {index}; its path to the root:")
    _say("\n".join(b64encode(each).decode() for each in path))
    return _say(f"\n{note}", end="")


def _say(line: str, status: int = 0, end: str = "\n") -> int:
    sys.stdout.write(f"{line}{end}")
    return status


AUDIT = Command("audit", "verify and prove the audit trail", _add_arguments, _run)
