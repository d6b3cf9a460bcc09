"""The end of a replay: every write is read back and compared with the ledger."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from . import notation
from .ledger import Entry, Ledger
from .record import Record
from .turn import MARKS

_ASKED_AT_ONCE: Final = 40
_AT_WORK: Final = 8
_EXAMPLES: Final = 5
Resource = dict[str, Any]


@dataclass(slots=True)
class Verdicts:
    """What became of the writes. Lost are those acknowledged that are gone or read otherwise."""

    acknowledged: int = 0
    read_back: int = 0
    missing: int = 0
    altered: int = 0
    doubled: int = 0
    unanswered_stored: int = 0
    unanswered_not_stored: int = 0
    refused: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Acknowledged, but not found, or found with other content."""
        return self.missing + self.altered

    def as_data(self) -> dict[str, Any]:
        """The verdicts as plain data."""
        names = (
            "acknowledged", "read_back", "lost", "missing", "altered", "doubled", "refused",
            "unanswered_stored", "unanswered_not_stored", "examples",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def judge(self, entry: Entry, found: Sequence[str]) -> None:
        """Judge one write by the hashes of what was found of it."""
        if len(found) > 1:
            self.doubled += 1
            self._tell("found twice", entry)
        if entry.state != "acknowledged":
            self._judge_unacknowledged(entry, bool(found))
            return
        self.acknowledged += 1
        if not found:
            self.missing += 1
            self._tell("not found", entry)
        elif entry.digest not in found:
            self.altered += 1
            self._tell("found with other content", entry)
        else:
            self.read_back += 1

    def _judge_unacknowledged(self, entry: Entry, is_there: bool) -> None:
        if entry.state == "refused":
            self.refused += 1
            if is_there:
                # Those who signed were told that it was not stored: they write it again.
                self.doubled += 1
                self._tell("refused, and stored all the same", entry)
        elif is_there:
            self.unanswered_stored += 1
        else:
            self.unanswered_not_stored += 1

    def _tell(self, what: str, entry: Entry) -> None:
        if len(self.examples) < _EXAMPLES:
            place = entry.reference or f"{entry.resource_type} of Patient/{entry.patient}"
            self.examples.append(f"{entry.action}: {place} ({entry.mark}) was {what}")


async def verify(
    ledger: Ledger, record: Record, advance: Callable[[int], None] = lambda _: None
) -> Verdicts:
    """Look up every write of the ledger. Raises `Unreadable`, `NoAnswer`.

    `advance` is told how many more have been judged.
    """
    verdicts = Verdicts()
    waiting = list(_portions(ledger.entries()))
    waiting.reverse()

    async def work() -> None:
        while waiting:
            portion = waiting.pop()
            for entry, found in zip(portion, await _found(record, portion), strict=True):
                verdicts.judge(entry, found)
            advance(len(portion))

    async with asyncio.TaskGroup() as workers:
        for _ in range(_AT_WORK):
            workers.create_task(work())
    return verdicts


def _portions(entries: Iterable[Entry]) -> Iterable[list[Entry]]:
    """Entries that one search finds together: many by identifier, others one by one."""
    together: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind != "identifier":
            yield [entry]
            continue
        portion = together[entry.resource_type]
        portion.append(entry)
        if len(portion) == _ASKED_AT_ONCE:
            yield portion
            together[entry.resource_type] = []
    yield from (portion for portion in together.values() if portion)


async def _found(record: Record, portion: list[Entry]) -> list[list[str]]:
    """The hashes of what is found of each entry."""
    match portion[0].kind:
        case "identifier":
            return await _by_identifier(record, portion)
        case "note":
            return [await _note(record, portion[0])]
        case "round":
            return [await _round(record, portion[0])]


async def _by_identifier(record: Record, portion: list[Entry]) -> list[list[str]]:
    by_mark: dict[str, dict[str, Resource]] = defaultdict(dict)
    wanted = ",".join(f"{MARKS}|{entry.mark}" for entry in portion)
    for resource in await record.found(portion[0].resource_type, {"identifier": wanted}):
        for identifier in resource.get("identifier", ()):
            if identifier.get("system") == MARKS:
                by_mark[identifier["value"]][resource["id"]] = resource
    found = []
    for entry in portion:
        resources = by_mark[entry.mark]
        digests = [notation.digest(notation.whole(each)) for each in resources.values()]
        if entry.reference and entry.state == "acknowledged":
            digests = await _also_by_id(record, entry, resources, digests)
        found.append(digests)
    return found


async def _also_by_id(
    record: Record, entry: Entry, resources: dict[str, Resource], digests: list[str]
) -> list[str]:
    """What search and reading agree on: found by neither alone, in the version acknowledged."""
    resource = await record.read(entry.reference)
    if resource is None or resource["id"] not in resources:
        return [digest for digest in digests if digest != entry.digest]
    same = notation.digest(notation.whole(resource)) == entry.digest
    if not same or resource["meta"]["versionId"] != entry.version:
        return [f"other than {entry.digest}", *digests[1:]]
    return digests


async def _note(record: Record, entry: Entry) -> list[str]:
    found = []
    day = date.fromisoformat(entry.sent_at[:10]) - timedelta(days=1)
    asked = {"patient": entry.patient, "date": f"ge{day}"}
    async for note in record.search("Composition", asked, page=100):
        written = notation.words(note)
        if notation.mark_of(written) == entry.mark:
            found.append(notation.digest(written))
    return found


async def _round(record: Record, entry: Entry) -> list[str]:
    """A round is stored in one moment; another one at the same second is nobody's double."""
    rounds: dict[str, list[Resource]] = defaultdict(list)
    asked = {"patient": entry.patient, "date": entry.mark}
    for observation in await record.found("Observation", asked):
        rounds[observation["meta"]["lastUpdated"]].append(observation)
    digests = [notation.digest(notation.values(taken)) for taken in rounds.values()]
    return [digest for digest in digests if digest == entry.digest] or digests[:1]
