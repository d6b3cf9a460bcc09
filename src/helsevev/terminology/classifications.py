"""Reads Norwegian classifications of disease: ICD-10, ICPC-2 and its terms (ICPC-2B).

As the Directorate of Health distributes them (JSON lists of codes, tables), and as others pass
them on (`system#code#text`). Codes below a category are below it here too; the chapters of ICD-10
and ICPC-2 stand above as groups that are known by their range of codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from .opening import File
from .shapes import (
    BadDistribution,
    Concept,
    ConceptMap,
    Designation,
    Distribution,
    Mapping,
    Release,
)
from .tables import END, PARENT, Row, codes, is_over, pick

ICD10: Final = "http://hl7.org/fhir/sid/icd-10-no"
ICPC2: Final = "http://hl7.org/fhir/sid/icpc-2"
ICPC2B: Final = "urn:oid:2.16.578.1.12.4.1.1.7171"
_VOLVEN: Final = "urn:oid:2.16.578.1.12.4.1.1."

_CHAPTERS: Final = (
    ("I", "A00", "B99"), ("II", "C00", "D48"), ("III", "D50", "D89"), ("IV", "E00", "E90"),
    ("V", "F00", "F99"), ("VI", "G00", "G99"), ("VII", "H00", "H59"), ("VIII", "H60", "H95"),
    ("IX", "I00", "I99"), ("X", "J00", "J99"), ("XI", "K00", "K93"), ("XII", "L00", "L99"),
    ("XIII", "M00", "M99"), ("XIV", "N00", "N99"), ("XV", "O00", "O99"), ("XVI", "P00", "P96"),
    ("XVII", "Q00", "Q99"), ("XVIII", "R00", "R99"), ("XIX", "S00", "T98"), ("XX", "V01", "Y98"),
    ("XXI", "Z00", "Z99"), ("XXII", "U00", "U99"),
)  # fmt: skip
"""ICD-10's chapters: number, first and last category."""

_SEX: Final = "kjnn"
_LEVEL: Final = "tilhrighetiicpc2b"
_SHORT: Final = ("shorttitle", "tekstmedmaksimalt60tegn")
_ICD_OF_ICPC: Final = ("icd10datcode",)


@dataclass(frozen=True, slots=True)
class _Line:
    code: str
    display: str
    parent: str
    row: Row

    @property
    def active(self) -> bool:
        return not is_over(pick(self.row, END))


def icd10(files: Iterable[File], version: str, source: str) -> Distribution:
    """ICD-10 in its Norwegian edition. Raises `BadDistribution`."""
    lines = _lines(files)
    known = {line.code for line in lines}
    categories = {code[:3] for code in known if len(code) > 3} - known
    groups = [
        Concept(number, f"{first}\N{EN DASH}{last}", abstract=True)
        for number, first, last in _CHAPTERS
    ]
    groups += [
        Concept(code, code, tuple(_chapter(code)), abstract=True) for code in sorted(categories)
    ]
    known |= categories
    concepts = [
        Concept(
            line.code,
            line.display,
            (line.parent,) if line.parent in known else tuple(_icd10_parent(line.code, known)),
            active=line.active,
            properties=_said(line, (("sex", _SEX), ("asterisk", "stjernekode"))),
        )
        for line in lines
    ]
    return Distribution(
        (
            Release(
                ICD10, version, "ICD-10", "nb", source,
                lambda: iter([*groups, *concepts]),
                properties={"sex": "string", "asterisk": "string"},
                aliases=(f"{_VOLVEN}7110",),
            ),
        )
    )  # fmt: skip


def _icd10_parent(code: str, known: set[str]) -> Iterator[str]:
    shorter = code[:-1].rstrip(".")
    while len(shorter) >= 3:
        if shorter in known:
            yield shorter
            return
        shorter = shorter[:-1].rstrip(".")
    yield from _chapter(code)


def _chapter(code: str) -> Iterator[str]:
    yield from (number for number, first, last in _CHAPTERS if first <= code[:3] <= last)


def icpc2(files: Iterable[File], version: str, source: str) -> Distribution:
    """ICPC-2, its terms as ICPC-2B, and what it maps to in ICD-10. Raises `BadDistribution`."""
    rubrics: dict[str, _Line] = {}
    terms: list[_Line] = []
    mapped: dict[tuple[str, str], None] = {}
    for line in _lines(files):
        level = line.row.get(_LEVEL, "")
        if level == "ICPC-2":
            # The directorate's list tells the rubric in the columns about the parent.
            code, name = line.parent or line.code, line.row.get("foreldrekodetekst", line.display)
            rubrics.setdefault(code, replace(line, code=code, display=name, parent=""))
        elif level == "TERM" or "." in line.code:
            terms.append(line)
            named = line.row.get("parenttext", "")
            if line.parent and named:
                rubrics.setdefault(line.parent, _Line(line.parent, named, "", {}))
        elif not level:
            rubrics.setdefault(line.code, line)
        for target in filter(None, [pick(line.row, _ICD_OF_ICPC)]):
            dotted = f"{target[:3]}.{target[3:]}" if len(target) > 3 else target
            mapped[line.code, dotted] = None
    releases = []
    if rubrics:
        releases.append(_rubrics(rubrics, terms, mapped, version, source))
    if terms:
        releases.append(_terms(terms, version, source))
    return Distribution(tuple(releases))


def _rubrics(
    rubrics: dict[str, _Line],
    terms: list[_Line],
    mapped: dict[tuple[str, str], None],
    version: str,
    source: str,
) -> Release:
    letters = sorted({code[:1] for code in rubrics if code[:1].isalpha()})
    groups = [Concept(letter, letter, abstract=True) for letter in letters]
    concepts = [
        Concept(line.code, line.display, (line.code[:1],), active=line.active)
        for line in rubrics.values()
    ]
    names = [
        Designation(line.code, "nb", short)
        for line in rubrics.values()
        if (short := pick(line.row, _SHORT)) and short != line.display
    ]
    # What general practice says of a rubric finds it too.
    names += [
        Designation(line.parent, "nb", line.display)
        for line in terms
        if line.parent in rubrics and line.display != rubrics[line.parent].display
    ]
    maps = ()
    if mapped:
        lines = [Mapping(ICPC2, code, ICD10, target, "relatedto") for code, target in mapped]
        url = f"{ICPC2}?fhir_cm={ICD10}"
        maps = (ConceptMap(url, version, "ICPC-2 to ICD-10", lambda: iter(lines)),)  # type: ignore[assignment]
    return Release(
        ICPC2, version, "ICPC-2", "nb", source, lambda: iter([*groups, *concepts]),
        designations=lambda: iter(names), maps=maps, aliases=(f"{_VOLVEN}7170",),
    )  # fmt: skip


def _terms(terms: list[_Line], version: str, source: str) -> Release:
    known = {line.code for line in terms}
    rubrics = {line.parent: line.row for line in terms if line.parent and line.parent not in known}
    groups = [
        Concept(code, row.get("parenttext") or row.get("foreldrekodetekst") or code, abstract=True)
        for code, row in rubrics.items()
    ]
    unique = {line.code: line for line in terms}
    concepts = [
        Concept(line.code, line.display, (line.parent,), active=line.active)
        for line in unique.values()
    ]
    return Release(ICPC2B, version, "ICPC-2B", "nb", source, lambda: iter([*groups, *concepts]))


def _lines(files: Iterable[File]) -> list[_Line]:
    found: dict[str, _Line] = {}
    extra: list[_Line] = []
    for file in files:
        if not file.name.lower().endswith((".csv", ".txt", ".json", ".tsv")):
            continue
        for code, display, row in codes(file):
            line = _Line(code, display, pick(row, PARENT), row)
            if found.setdefault(code, line) is not line:
                # A code that stands several times, once for each thing that it maps to.
                extra.append(line)
    if not found:
        raise BadDistribution("There is no table of codes here (.csv, .tsv, .txt or .json).")
    return [*found.values(), *(line for line in extra if pick(line.row, _ICD_OF_ICPC))]


def _said(line: _Line, names: Iterable[tuple[str, str]]) -> dict[str, list[Any]]:
    return {name: [line.row[key]] for name, key in names if line.row.get(key, "").strip()}
