"""Reads LOINC from its release: terms, the hierarchy of parts, answer lists, translations.

Files as in the archive from loinc.org: LoincTable/Loinc.csv, AccessoryFiles/AnswerFile/*.csv,
AccessoryFiles/ComponentHierarchyBySystem/*.csv, AccessoryFiles/PartFile/Part.csv, and
AccessoryFiles/LinguisticVariants/*.csv. Only Loinc.csv has to be there.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from .opening import File
from .shapes import BadDistribution, Concept, Designation, Distribution, Member, Release, Value

LOINC: Final = "http://loinc.org"
_ALIAS: Final = "urn:oid:2.16.840.1.113883.6.1"
_PROPERTIES: Final = (
    "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "STATUS",
    "ORDER_OBS", "CLASSTYPE", "EXAMPLE_UCUM_UNITS",
)  # fmt: skip
_RETIRED: Final = frozenset({"DEPRECATED"})
_HIERARCHIES: Final = ("ComponentHierarchyBySystem.csv", "MultiAxialHierarchy.csv")
_VARIANT: Final = re.compile(r"([a-z]{2})[A-Z]{2}\d+LinguisticVariant\.csv")
_NUMBER: Final = re.compile(r"[Ll]oinc[_ -]?v?(\d+\.\d+)")


def loinc(files: Iterable[File], version: str, source: str) -> Distribution:
    """LOINC. Raises `BadDistribution` when there is no Loinc.csv."""
    read = _Files(files)
    if not read.terms:
        raise BadDistribution("There is no Loinc.csv here.")
    numbers = _NUMBER.search(source) or _NUMBER.search(read.terms.name)
    named = version or (numbers[1] if numbers else read.newest())
    types = dict.fromkeys(_PROPERTIES, "string") | {"answer-list": "code"}
    release = Release(
        LOINC, named, "LOINC", "en", source, read.concepts, designations=read.designations,
        members=read.members, properties=types, aliases=(_ALIAS,), case_sensitive=False,
    )  # fmt: skip
    return Distribution((release,))


class _Files:
    """The release's files by what they are."""

    def __init__(self, files: Iterable[File]) -> None:
        by_name = {file.bare: file for file in files}
        self.terms = by_name.get("Loinc.csv") or by_name.get("LoincTableCore.csv")
        self._answers = by_name.get("AnswerList.csv")
        self._links = by_name.get("LoincAnswerListLink.csv")
        self._parts = by_name.get("Part.csv")
        found = (by_name[name] for name in _HIERARCHIES if name in by_name)
        self._hierarchy = next(found, None)
        self._variants = [
            (match[1], file)
            for name, file in sorted(by_name.items())
            if (match := _VARIANT.fullmatch(name))
        ]

    def newest(self) -> str:
        """The newest version that a term was changed in."""
        changed = (row.get("VersionLastChanged", "") for row in _rows(self.terms))
        return max((v for v in changed if v), key=_ordered, default="")

    def concepts(self) -> Iterator[Concept]:
        parents = self._parents()
        lists: dict[str, list[Value]] = defaultdict(list)
        for row in _rows(self._links):
            lists[row["LoincNumber"]].append(row["AnswerListId"])
        seen: set[str] = set()
        for row in _rows(self.terms):
            code = row["LOINC_NUM"]
            seen.add(code)
            said: dict[str, list[Value]] = {n: [row[n]] for n in _PROPERTIES if row.get(n)}
            if code in lists:
                said["answer-list"] = lists[code]
            display = row.get("LONG_COMMON_NAME") or row.get("SHORTNAME") or row["COMPONENT"]
            yield Concept(
                code, display, tuple(parents.get(code, ())),
                row.get("DefinitionDescription") or "", row.get("STATUS") not in _RETIRED,
                properties=said,
            )  # fmt: skip
        yield from self._groups(parents, seen)

    def _groups(self, parents: Mapping[str, dict[str, None]], seen: set[str]) -> Iterator[Concept]:
        """Parts, answer lists and answers: what terms are arranged by and answered with."""
        for row in _rows(self._parts):
            code = row["PartNumber"]
            if code not in seen:
                seen.add(code)
                display = row.get("PartDisplayName") or row["PartName"]
                active = row.get("Status") not in _RETIRED
                yield Concept(code, display, tuple(parents.get(code, ())), active=active)
        for row in _rows(self._hierarchy):
            code = row["CODE"]
            if code not in seen:
                seen.add(code)
                yield Concept(code, row["CODE_TEXT"], tuple(parents.get(code, ())))
        for row in _rows(self._answers):
            for code, display in (
                (row["AnswerListId"], row["AnswerListName"]),
                (row.get("AnswerStringId", ""), row.get("DisplayText", "")),
            ):
                if code and code not in seen:
                    seen.add(code)
                    yield Concept(code, display)

    def _parents(self) -> dict[str, dict[str, None]]:
        parents: dict[str, dict[str, None]] = defaultdict(dict)
        for row in _rows(self._hierarchy):
            if row["IMMEDIATE_PARENT"] and row["IMMEDIATE_PARENT"] != row["CODE"]:
                parents[row["CODE"]][row["IMMEDIATE_PARENT"]] = None
        return parents

    def designations(self) -> Iterator[Designation]:
        for row in _rows(self.terms):
            long = row.get("LONG_COMMON_NAME")
            for name in ("SHORTNAME", "DisplayName", "CONSUMER_NAME"):
                if row.get(name) and row[name] != long:
                    yield Designation(row["LOINC_NUM"], "en", row[name], name)
        for language, file in self._variants:
            for row in _rows(file):
                for name in ("LONG_COMMON_NAME", "LinguisticVariantDisplayName", "SHORTNAME"):
                    if row.get(name):
                        first = name != "SHORTNAME"
                        yield Designation(row["LOINC_NUM"], language, row[name], "", first)

    def members(self) -> Iterator[Member]:
        for row in _rows(self._answers):
            if row.get("AnswerStringId"):
                yield Member(row["AnswerListId"], row["AnswerStringId"])


def _rows(file: File | None) -> Iterator[dict[str, str]]:
    if file is None:
        return
    with file.text() as text:
        for row in csv.DictReader(text):
            # A cell that is missing at a line's end is empty.
            yield {name: value or "" for name, value in row.items() if name is not None}


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
