"""Where the lines of a note come from: the record's own facts, earlier notes, or the writer.

A line that says word for word what the record or an earlier note says is marked as such, however
it came there; a line that was changed is the writer's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import mapping, objects, reference_key, text

BROUGHT: Final = "https://helsevev.no/fhir/StructureDefinition/brought-text"
"""Extension of a Composition's section: `text` (the line), `kind` (record or copy), `source`."""

RECORD: Final = "record"
COPY: Final = "copy"
_FEWEST: Final = 25
"""Letters that one or more lines in a row must have in common before they count as copied."""


class Trace(Struct, frozen=True):
    """Where a line came from: `kind` RECORD or COPY, "Type/id", its version, and what it is."""

    line: str
    kind: str
    source: str
    version: str = ""
    said: str = ""


class Stretch(Struct, frozen=True):
    """Lines that came from the same place; `kind` is "" for the writer's own."""

    text: str
    kind: str = ""
    sources: tuple[Trace, ...] = ()


class Known(Struct, frozen=True):
    """An earlier note as lines are looked for in it."""

    source: str
    said: str
    text: str


def bare(line: str) -> str:
    """A line as it is compared: without marks of a list and spaces around it."""
    return " ".join(line.strip().lstrip("-•*").split())


class Tracer:
    """Knows what lines may come from; `own` are sentences that everybody uses."""

    def __init__(
        self,
        facts: Mapping[str, Trace],
        earlier: Sequence[Known] = (),
        own: Iterable[str] = (),
    ) -> None:
        """`facts` by their words; `earlier` notes, the oldest first: there a line was written."""
        self._facts = {bare(words): fact for words, fact in facts.items()}
        self._own = {bare(line) for line in own}
        self._earlier = earlier
        self._lines = [[bare(each) for each in note.text.split("\n")] for note in earlier]
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, lines in enumerate(self._lines):
            for at, line in enumerate(lines):
                if line:
                    self._places[line].append((number, at))

    def of(self, written: str) -> list[Trace]:
        """The lines of a text that are somebody else's words, in order."""
        lines = [bare(line) for line in written.split("\n")]
        found: list[Trace] = []
        at = 0
        while at < len(lines):
            line = lines[at]
            if (fact := self._facts.get(line)) is not None and line:
                found.append(fact)
            elif line and line not in self._own and (run := self._run(lines, at)):
                number, length = run
                note = self._earlier[number]
                found += [
                    Trace(copied, COPY, note.source, said=note.said)
                    for copied in lines[at : at + length]
                    if copied
                ]
                at += length - 1
            at += 1
        return found

    def _run(self, lines: Sequence[str], at: int) -> tuple[int, int] | None:
        """The earliest note that has the most lines in a row from here on, and how many."""
        best, longest = None, 0
        for number, place in self._places.get(lines[at], ()):
            there = self._lines[number]
            length = 0
            while (
                at + length < len(lines)
                and place + length < len(there)
                and lines[at + length] == there[place + length]
                and lines[at + length] not in self._facts
            ):
                length += 1
            letters = sum(len(line) for line in lines[at : at + length] if line not in self._own)
            if letters >= _FEWEST and length > longest:
                best, longest = number, length
        return None if best is None else (best, longest)


def kept(traces: Iterable[Trace]) -> list[dict[str, Any]]:
    """The traces as extensions of the section that holds the lines."""
    return [
        {
            "url": BROUGHT,
            "extension": [
                {"url": "text", "valueString": trace.line},
                {"url": "kind", "valueCode": trace.kind},
                {
                    "url": "source",
                    "valueReference": {
                        "reference": trace.source,
                        **({"display": trace.said} if trace.said else {}),
                    },
                },
                *([{"url": "version", "valueString": trace.version}] if trace.version else []),
            ],
        }
        for trace in traces
    ]


def traces_of(section: Mapping[str, Any]) -> list[Trace]:
    """The traces that a section keeps."""
    found = []
    for extension in objects(section.get("extension")):
        if extension.get("url") == BROUGHT:
            parts = {text(p.get("url")): p for p in objects(extension.get("extension"))}
            source = mapping(mapping(parts.get("source")).get("valueReference"))
            found.append(Trace(
                text(mapping(parts.get("text")).get("valueString")),
                text(mapping(parts.get("kind")).get("valueCode")),
                reference_key(source),
                text(mapping(parts.get("version")).get("valueString")),
                text(source.get("display")),
            ))  # fmt: skip
    return found


def with_traces(section: Mapping[str, Any], traces: Sequence[Trace]) -> dict[str, Any]:
    """The section with these traces and no others; its other extensions and entries stay."""
    before = {trace.source for trace in traces_of(section)}
    now = list(dict.fromkeys(trace.source for trace in traces if trace.kind == RECORD))
    extensions = [e for e in objects(section.get("extension")) if e.get("url") != BROUGHT]
    entries = [e for e in objects(section.get("entry")) if reference_key(e) not in before]
    named = {reference_key(each) for each in entries}
    entries += [{"reference": source} for source in now if source not in named]
    made = {k: v for k, v in section.items() if k not in ("extension", "entry")}
    if extensions or traces:
        made["extension"] = [*extensions, *kept(traces)]
    if entries:
        made["entry"] = entries
    return made


def stretches(written: str, traces: Iterable[Trace]) -> tuple[Stretch, ...]:
    """A text with its lines grouped by where they came from, in order."""
    by_line = {bare(trace.line): trace for trace in traces}
    groups: list[tuple[str, str, list[str], list[Trace]]] = []
    for line in written.split("\n"):
        trace = by_line.get(bare(line)) if line.strip() else None
        kind = trace.kind if trace else ""
        place = trace.source if trace and kind == COPY else ""
        if not line.strip() and groups:
            # An empty line belongs to what it follows.
            groups[-1][2].append(line)
            continue
        if not groups or groups[-1][:2] != (kind, place):
            groups.append((kind, place, [], []))
        groups[-1][2].append(line)
        if trace:
            groups[-1][3].append(trace)
    return tuple(
        Stretch("\n".join(lines).strip("\n"), kind, tuple(found))
        for kind, _place, lines, found in groups
    )
