"""Reads the ATC classification: tables, FSH, and the medicine register (FEST).

An ATC code's beginning is what it is a kind of: A, A10, A10B, A10BA, A10BA02.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from .opening import File
from .shapes import BadDistribution, Concept, Designation, Distribution, Release
from .tables import codes

ATC: Final = "http://www.whocc.no/atc"
ALIASES: Final = ("urn:oid:2.16.578.1.12.4.1.1.7180", "urn:oid:2.16.840.1.113883.6.73")
_LEVELS: Final = (7, 5, 4, 3, 1)
_CODE: Final = re.compile(r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?")
_FSH: Final = re.compile(r'\s*\*\s+#\S+\s+"((?:[^"\\]|\\.)*)"\s+"([A-Z0-9]{1,7})"\s*')


def atc(files: Iterable[File], version: str, source: str) -> Distribution:
    """ATC from tables of codes and names. Raises `BadDistribution`."""
    names: dict[str, str] = {}
    language = "nb"
    for file in files:
        if file.name.endswith(".fsh"):
            language = "en"
            with file.text() as text:
                for line in text:
                    found = _FSH.fullmatch(line.rstrip("\n"))
                    if found:
                        names.setdefault(found[2], found[1].replace('\\"', '"'))
        elif file.name.lower().endswith((".csv", ".tsv", ".txt", ".json")):
            for code, name, _ in codes(file):
                if _CODE.fullmatch(code):
                    names.setdefault(code, name)
    if not names:
        raise BadDistribution("There are no ATC codes here.")
    return Distribution((release(names, version, source, language),))


def release(
    names: dict[str, str],
    version: str,
    source: str,
    language: str,
    more: Iterable[Designation] = (),
    content: str = "complete",
) -> Release:
    """ATC from codes and their names; `more` are names in other languages."""
    further = tuple(more)
    return Release(
        ATC, version, "ATC", language, source, lambda: _concepts(names),
        designations=lambda: iter(further), aliases=ALIASES,
        content="fragment" if content == "fragment" else "complete",
    )  # fmt: skip


def _concepts(names: dict[str, str]) -> Iterator[Concept]:
    for code in sorted(names):
        above = (code[:length] for length in _LEVELS if length < len(code))
        parent = next((each for each in above if each in names), None)
        # Combinations that FEST adds may have a longer code than WHO's seven characters.
        if parent is None and len(code) > 7 and code[:7] in names:
            parent = code[:7]
        yield Concept(code, names[code], (parent,) if parent else ())
