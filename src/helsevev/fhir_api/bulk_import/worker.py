"""A process that decodes, checks and stores portions of text; two of them keep two cores busy."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

import uvloop

from helsevev.access.actor import SYSTEM
from helsevev.access.bulk import BundleError, Loader, Unavailable, Unresolved
from helsevev.access.errors import AccessError
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue
from helsevev.fhir.serialization import MalformedJson
from helsevev.fhir_api.bulk_import import wire
from helsevev.fhir_api.bulk_import.contents import as_transaction, with_id
from helsevev.fhir_api.bulk_import.portion import Fault, Mode, Portion, Report
from helsevev.kit import memory
from helsevev.kit.chapter import CommandContext

_log = logging.getLogger(__name__)

_TIDY_EVERY: Final = 16
"""Portions between two times at which freed memory is given back."""

_MOST_FAULTS: Final = 10
"""Faults told of one bundle."""


def run(
    link: socket.socket, others: Iterable[socket.socket], context: CommandContext, mode: Mode
) -> None:
    """The life of a worker, until the other end of `link` is closed."""
    for other in others:
        # Held open here, they would keep other workers from hearing that the importer is gone.
        other.close()
    # Ctrl-C reaches the whole group; the importer decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What decoding makes is freed by its reference counts; looking for cycles costs a quarter.
    gc.freeze()
    gc.disable()
    uvloop.run(_work(link, context, mode))


async def _work(link: socket.socket, context: CommandContext, mode: Mode) -> None:
    reader, writer = await asyncio.open_connection(sock=link)
    requests = wire.received(reader, Portion)
    running: set[asyncio.Task[None]] = set()
    first = await anext(requests, None)
    if first is None:
        return
    async with context.services() as services:
        worker = Worker(Loader(services.writer, services.searcher), mode)

        async def answer(portion: Portion) -> None:
            report = await worker.store(portion)
            # An importer that is gone hears nothing; the record remembers what was stored.
            with contextlib.suppress(ConnectionError, RuntimeError):
                wire.send(writer, report)
                await writer.drain()

        portion: Portion | None = first
        count = 0
        while portion is not None:
            task = asyncio.create_task(answer(portion))
            running.add(task)
            task.add_done_callback(running.discard)
            count += 1
            if count % _TIDY_EVERY == 0:
                memory.give_back()
            portion = await anext(requests, None)
        await asyncio.gather(*running)
    with contextlib.suppress(RuntimeError):
        writer.close()


class Worker:
    """Stores portions, one transaction for each Bundle and each chunk of loose resources."""

    def __init__(self, loader: Loader, mode: Mode) -> None:
        self._loader = loader
        self._overwrite = mode == "replace"

    async def store(self, portion: Portion) -> Report:
        """What became of the portion; only a database that stays away ends in `fatal`."""
        report = Report(portion.serial)
        try:
            if portion.first_line:
                await self._store_lines(portion, report)
            else:
                await self._store_text(portion, report)
        except Unavailable as problem:
            report.fatal = str(problem)
        except Exception as problem:  # noqa: BLE001 - one odd file must not end the whole import
            _log.exception("%s", portion.file)
            reason = f"unexpected {type(problem).__name__}: {problem}"
            report.failed += 1
            report.faults.append(Fault(portion.file, reason, portion.first_line or None))
        return report

    async def _store_text(self, portion: Portion, report: Report) -> None:
        found = _decoded(portion, portion.text, None, report)
        if found is None:
            return
        if found[0].get("resourceType") == "Bundle":
            await self._store_bundle(portion, *found, None, report)
        else:
            await self._store_resources(portion, [(None, found[0])], report)

    async def _store_lines(self, portion: Portion, report: Report) -> None:
        loose: list[tuple[int | None, dict[str, Any]]] = []
        for number, line in enumerate(portion.text.split(b"\n"), portion.first_line):
            if not line.strip():
                continue
            found = _decoded(portion, line, number, report)
            if found is None:
                continue
            if found[0].get("resourceType") == "Bundle":
                await self._store_bundle(portion, *found, number, report)
            else:
                loose.append((number, found[0]))
        await self._store_resources(portion, loose, report)

    async def _store_bundle(
        self, portion: Portion, bundle: dict[str, Any], text: bytes, line: int | None,
        report: Report,
    ) -> None:  # fmt: skip
        once = [bundle]

        def fresh() -> dict[str, Any]:
            # Planning changes a Bundle in place, so another attempt begins with the text.
            return as_transaction(once.pop() if once else serialization.decode(text))

        try:
            loaded = await self._loader.load_bundle(
                SYSTEM, fresh, blake2b(text, digest_size=16).digest(), overwrite=self._overwrite
            )
        except Unresolved as waiting:
            report.waiting += _faults(portion, waiting.issues, line)
        except (AccessError, BundleError) as failure:
            report.failed += 1
            report.faults += _faults(portion, failure.issues, line)
        else:
            _count(report, loaded.by_type, loaded.unchanged)

    async def _store_resources(
        self, portion: Portion, loose: list[tuple[int | None, dict[str, Any]]], report: Report
    ) -> None:
        if not loose:
            return
        resources = [with_id(resource) for _, resource in loose]
        try:
            judged = await self._loader.load_resources(SYSTEM, resources, overwrite=self._overwrite)
        except AccessError as refusal:
            if len(loose) > 1:
                # Something about one of them; alone, each is judged for itself.
                for each in loose:
                    await self._store_resources(portion, [each], report)
                return
            report.failed += 1
            report.faults += _faults(portion, refusal.issues, loose[0][0])
            return
        by_type: Counter[str] = Counter()
        unchanged = 0
        for (line, resource), verdict in zip(loose, judged, strict=True):
            if verdict.issues:
                report.failed += 1
                report.faults += _faults(portion, verdict.issues, line)
            else:
                by_type[resource["resourceType"]] += 1
                unchanged += verdict.unchanged
        _count(report, by_type, unchanged)


def _decoded(
    portion: Portion, text: bytes, line: int | None, report: Report
) -> tuple[dict[str, Any], bytes] | None:
    """The JSON object, and its text without indentation; None when there is none."""
    try:
        return serialization.decode_canonical(text.removeprefix(b"\xef\xbb\xbf"))
    except MalformedJson as problem:
        where = (
            f"column {problem.column}" if line else f"line {problem.line}, column {problem.column}"
        )
        report.failed += 1
        report.faults.append(Fault(portion.file, f"{problem.message} ({where})", line))
        return None


def _faults(portion: Portion, issues: Iterable[Issue], line: int | None) -> list[Fault]:
    # One thing missing is often missed in many places; the first place will do.
    every = list({issue.diagnostics: issue for issue in reversed(list(issues))}.values())[::-1]
    found = [
        Fault(portion.file, issue.diagnostics, line, issue.expression or None)
        for issue in every[:_MOST_FAULTS]
    ]
    if len(every) > _MOST_FAULTS:
        found.append(Fault(portion.file, f"and {len(every) - _MOST_FAULTS} more", line))
    return found


def _count(report: Report, by_type: Counter[str], unchanged: int) -> None:
    report.unchanged += unchanged
    for name, count in by_type.items():
        report.by_type[name] = report.by_type.get(name, 0) + count
