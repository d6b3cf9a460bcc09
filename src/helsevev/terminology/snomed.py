"""Reads SNOMED CT from its release files (RF2, snapshot): concepts, names, hierarchy, refsets.

Source: SNOMED CT Release File Specifications (confluence.ihtsdotools.org/display/DOCRELFMT). Files
are read line by line; what is kept of them is some tens of bytes for each concept.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from .id_sets import IdSet
from .opening import File
from .shapes import (
    BadDistribution,
    Concept,
    ConceptMap,
    Designation,
    Distribution,
    Mapping,
    Member,
    Release,
    Value,
)

SNOMED: Final = "http://snomed.info/sct"
_IS_A: Final = "116680003"
_DEFINED: Final = "900000000000073002"
_PREFERRED: Final = "900000000000548007"
_INTERNATIONAL: Final = "900000000000207008"
_MODULES: Final = {"INT": _INTERNATIONAL, "NO1000202": "51000202101"}
"""Editions by the country and namespace in their files' names."""

_LANGUAGE_REFSETS: Final = {
    "61000202103": "nb", "91000202106": "nn",
    "900000000000509007": "en", "900000000000508004": "en",
}  # fmt: skip
_MAP_TARGETS: Final = {
    "447562003": "http://hl7.org/fhir/sid/icd-10",
    "450993002": "http://hl7.org/fhir/sid/icpc-2",
    "446608001": "urn:oid:2.16.840.1.113883.6.43.1",
    "6011000124106": "http://hl7.org/fhir/sid/icd-10-cm",
}
_EQUIVALENCES: Final = {
    "447557004": "equal", "447558002": "narrower", "447559005": "wider", "447560000": "inexact",
    "447556008": "unmatched",
}  # fmt: skip
"""How a map's line stands to its target, by its correlation."""

_FILE: Final = re.compile(
    r"x?(?:sct2|der2)_(?P<kind>[A-Za-z]*?)_?(?P<content>[A-Za-z0-9]*?)Snapshot"
    r"(?:-(?P<language>[a-z]{2})[A-Za-z0-9-]*)?_(?P<edition>[A-Z0-9]+)_(?P<date>\d{8})\.txt"
)
_PROPERTIES: Final = {
    "moduleId": "code", "effectiveTime": "string", "sufficientlyDefined": "boolean",
}  # fmt: skip


def snomed(files: Iterable[File], version: str, source: str) -> Distribution:
    """An edition of SNOMED CT from its snapshot. Raises `BadDistribution`."""
    found = _Files()
    for file in files:
        found.take(file)
    if not found.concepts or not found.descriptions or not found.relationships:
        missing = [
            name
            for name, there in (
                ("sct2_Concept_Snapshot", found.concepts),
                ("sct2_Description_Snapshot", found.descriptions),
                ("sct2_Relationship_Snapshot", found.relationships),
            )
            if not there
        ]
        raise BadDistribution(f"The snapshot lacks {', '.join(missing)}_….txt.")
    edition = _Edition(found)
    named = version or found.version
    release = Release(
        SNOMED, named, "SNOMED CT", "en", source, edition.concepts,
        ties=edition.ties, designations=edition.designations, members=edition.members,
        properties=_PROPERTIES, maps=tuple(edition.maps(named)),
    )  # fmt: skip
    return Distribution((release,))


@dataclass(slots=True)
class _Files:
    concepts: list[File] = field(default_factory=list)
    descriptions: list[File] = field(default_factory=list)
    relationships: list[File] = field(default_factory=list)
    languages: list[File] = field(default_factory=list)
    members: list[File] = field(default_factory=list)
    maps: list[File] = field(default_factory=list)
    edition: str = "INT"
    date: str = ""

    def take(self, file: File) -> None:
        match = _FILE.fullmatch(file.bare)
        if match is None:
            return
        kind, content = match["kind"], match["content"]
        place: list[File] | None = None
        if file.bare.lstrip("x").startswith("sct2"):
            place = {
                "Concept": self.concepts, "Description": self.descriptions,
                "Relationship": self.relationships,
            }.get(kind or content)  # fmt: skip
        elif content == "Language":
            place = self.languages
        elif "Map" in content:
            place = self.maps
        elif kind == "Refset" and content.startswith("Simple"):
            place = self.members
        if place is not None:
            place.append(file)
            if place is self.concepts and (match["edition"] != "INT" or not self.date):
                self.edition, self.date = match["edition"], match["date"]

    @property
    def version(self) -> str:
        """The edition's URI (http://hl7.org/fhir/R4/snomedct.html#4.3.1.0.3)."""
        module = _MODULES.get(self.edition, _INTERNATIONAL)
        return f"{SNOMED}/{module}/version/{self.date}"


@dataclass(frozen=True, slots=True)
class _Uses:
    """Descriptions that are preferred in each language, and those used in a Norwegian one."""

    preferred: dict[str, IdSet]
    used: dict[str, IdSet]


class _Edition:
    """Reads an edition's files, each as often as it is asked for."""

    def __init__(self, files: _Files) -> None:
        self._files = files

    def concepts(self) -> Iterator[Concept]:
        for key, time, active, module, status in self._concept_rows():
            said: dict[str, list[Value]] = {
                "moduleId": [module],
                "effectiveTime": [time],
                "sufficientlyDefined": [status == _DEFINED],
            }
            yield Concept(key, "", active=active == "1", properties=said)

    def _concept_rows(self) -> Iterator[list[str]]:
        """The newest line of each concept: one may stand in the international and another file."""
        files = self._files.concepts
        if len(files) == 1:
            yield from (row[:5] for row in _rows(files))
            return
        newest: dict[int, int] = {}
        for row in _rows(files):
            key = int(row[0])
            newest[key] = max(newest.get(key, 0), int(row[1]))
        for row in _rows(files):
            if newest.get(int(row[0])) == int(row[1]):
                del newest[int(row[0])]
                yield row[:5]

    def ties(self) -> Iterator[tuple[str, str]]:
        """What is a kind of what, of concepts in use."""
        inactive = IdSet(int(row[0]) for row in self._concept_rows() if row[2] != "1")
        for row in _rows(self._files.relationships):
            if row[7] == _IS_A and row[2] == "1" and int(row[4]) not in inactive:
                yield row[4], row[5]

    def designations(self) -> Iterator[Designation]:
        uses = self._acceptability()
        earlier: list[IdSet] = []
        for file in self._files.descriptions:
            for row in _rows([file]):
                key, _, active, _, concept, language, kind, term = row[:8]
                number = int(key)
                if active != "1" or any(number in others for others in earlier):
                    continue
                norwegian = [code for code in ("nb", "nn") if number in uses.used[code]]
                for code in norwegian or [language]:
                    preferred = code in uses.preferred and number in uses.preferred[code]
                    yield Designation(concept, code, term, kind, preferred)
            if file is not self._files.descriptions[-1]:
                # The same name may stand in the international and in the national file.
                earlier.append(IdSet(int(row[0]) for row in _rows([file]) if row[2] == "1"))

    def _acceptability(self) -> _Uses:
        preferred = {each: array("q") for each in _LANGUAGE_REFSETS.values()}
        used = {each: array("q") for each in ("nb", "nn")}
        for row in _rows(self._files.languages):
            language = _LANGUAGE_REFSETS.get(row[4])
            if row[2] != "1" or language is None:
                continue
            if row[6] == _PREFERRED:
                preferred[language].append(int(row[5]))
            if language in used:
                used[language].append(int(row[5]))
        return _Uses(
            {language: IdSet(ids) for language, ids in preferred.items()},
            {language: IdSet(ids) for language, ids in used.items()},
        )

    def members(self) -> Iterator[Member]:
        for row in _rows(self._files.members):
            if row[2] == "1":
                yield Member(row[4], row[5])

    def maps(self, version: str) -> Iterator[ConceptMap]:
        refsets: dict[str, list[File]] = defaultdict(list)
        for file in self._files.maps:
            for refset in {row[4] for row in _rows([file])}:
                refsets[refset].append(file)
        for refset, files in sorted(refsets.items()):
            yield _map(refset, files, version)


def _map(refset: str, files: list[File], version: str) -> ConceptMap:
    return ConceptMap(
        f"{SNOMED}?fhir_cm={refset}", version, f"SNOMED CT map {refset}",
        lambda: _lines(refset, files), source_value_set=f"{SNOMED}?fhir_vs",
    )  # fmt: skip


def _lines(refset: str, files: list[File]) -> Iterator[Mapping]:
    """A map's lines by group and priority; columns by their names, since maps differ."""
    target_system = _MAP_TARGETS.get(refset, "")
    found: list[tuple[str, int, int, str, str, str]] = []
    for file in files:
        with file.text() as text:
            heading = next(text, "").rstrip("\r\n").split("\t")
            for line in text:
                row = dict(zip(heading, line.rstrip("\r\n").split("\t"), strict=False))
                if row.get("active") == "1" and row.get("refsetId") == refset:
                    found.append((
                        row["referencedComponentId"], int(row.get("mapGroup") or 1),
                        int(row.get("mapPriority") or 1), row.get("mapTarget", ""),
                        row.get("correlationId", ""), row.get("mapAdvice", ""),
                    ))  # fmt: skip
    for source, _, _, target, correlation, advice in sorted(found):
        equivalence = _EQUIVALENCES.get(correlation, "relatedto") if target else "unmatched"
        yield Mapping(SNOMED, source, target_system, target, equivalence, "", advice)


def _rows(files: Iterable[File]) -> Iterator[list[str]]:
    for file in files:
        with file.text() as text:
            next(text, "")
            for number, line in enumerate(text, 2):
                row = line.rstrip("\r\n").split("\t")
                if len(row) < 5:
                    raise BadDistribution(f"{file.bare}, line {number}: too few columns.")
                yield row
