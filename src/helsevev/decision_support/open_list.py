"""The open list of interactions: the French thesaurus (ANSM) in English, by WorldVista.

Three tab-separated files: interactions between substances and classes, the members of classes, and
ATC codes of substances. A substance without an ATC code is left out, and counted.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from helsevev.content.decision_shapes import InteractionRule, Level
from helsevev.decision_support.knowledge import BadList, InteractionList

_TABLE: Final = "eng_tables*.tsv"
_GROUPS: Final = "eng_groups2*.tsv"
_CODES: Final = "eng_groups_tables*atc_codes*.tsv"
_ATC: Final = re.compile(r"[A-Z]\d\d[A-Z]{2}\d\d")
_SEVERITIES: Final[dict[str, tuple[Literal[1, 2, 3], Level | None]]] = {
    "contraindication": (1, "stop"),
    "not recommended": (1, "interrupt"),
    "precaution for use": (2, "quiet"),
    "take into account": (3, None),
}
"""The thesaurus's four severities as FEST's relevance, and how loud."""


class Loaded(Struct, frozen=True):
    """A list that was read, and how many rows had a substance without an ATC code."""

    list: InteractionList
    rows: int
    left_out: int


def read_open_list(folder: Path) -> Loaded:
    """The list in a folder. Raises `BadList` for a folder that is not one."""
    table, groups, codes = (_file(folder, pattern) for pattern in (_TABLE, _GROUPS, _CODES))
    of_substance = _codes_of_substances(codes)
    of_class = _members(groups, of_substance)
    rules, rows = [], 0
    for row in _rows(table, "Drug Interaction ID"):
        rows += 1
        rule = _rule(row, of_substance, of_class)
        if rule is not None:
            rules.append(rule)
    if not rules:
        raise BadList(f"{folder} has no interaction between substances with ATC codes.")
    edition = hashlib.sha256(table.read_bytes()).hexdigest()[:8]
    name = "ANSM Thésaurus des interactions, WorldVista (09/2016)"
    return Loaded(InteractionList(name, f"2016-09-{edition}", rules), rows, rows - len(rules))


def _file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not found:
        raise BadList(f"{folder} has no file like {pattern}.")
    return found[0]


def _rows(path: Path, first: str) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="cp1252", errors="replace", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t")
        if not reader.fieldnames or first not in reader.fieldnames:
            raise BadList(f"{path.name} has no column {first}.")
        for row in reader:
            yield {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}


def _codes_of_substances(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in _rows(path, "ATC Code"):
        if code := _ATC.match(row["ATC Code"]):
            found[_name(row.get("Drug Name", ""))].add(code[0])
    return found


def _members(path: Path, of_substance: Mapping[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in _rows(path, "Drug Name"):
        codes = of_substance.get(_name(row["Drug Name"]), set())
        found[_name(row.get("Class Name", ""))] |= codes
    return found


def _rule(
    row: Mapping[str, str], of_substance: Mapping[str, set[str]], of_class: Mapping[str, set[str]]
) -> InteractionRule | None:
    sides = []
    for number in ("1", "2"):
        drug, group = row.get(f"Drug {number} Name", ""), row.get(f"Drug {number} Class Name", "")
        # "OTHER …" is the same class again, for two of its members.
        codes = of_class.get(_name(group).removeprefix("OTHER "), set()) if group else set()
        codes = codes | of_substance.get(_name(drug), set())
        sides.append(tuple(sorted(codes)))
    severity = _SEVERITIES.get(row.get("Severity", "").casefold())
    if severity is None or not all(sides):
        return None
    return InteractionRule(
        id=f"ansm-{row['Drug Interaction ID']}", first=sides[0], second=sides[1],
        relevance=severity[0], level=severity[1], consequence=row.get("Description", ""),
        handling=row.get("Comment", ""), source=f"ANSM, {row.get('Source File', '')}",
    )  # fmt: skip


def _name(written: str) -> str:
    return " ".join(written.upper().split())
