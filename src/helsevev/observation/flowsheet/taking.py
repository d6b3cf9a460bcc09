"""Columns of a flowsheet as they are typed: read, judged, and made into Observations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from msgspec import Struct

from helsevev.content.packs.flowsheets import Option
from helsevev.fhir.outcome import Issue, error
from helsevev.locale import gettext as _
from helsevev.observation.entries import (
    SNOMED,
    concept,
    consciousness_entry,
    frame,
    measurement,
    points_of,
    score_entry,
    valued,
)
from helsevev.observation.flowsheet.cells import AS_BEFORE, HOW, Cell, as_typed
from helsevev.observation.flowsheet.sheet import CONSCIOUSNESS, NEWS2, OWN_CODES, Parameter, Sheet
from helsevev.observation.news2 import Score, score
from helsevev.observation.vital_signs import NotRecordable, Performer, Person, read_number

_BETWEEN: Final = re.compile(r"[/.\- ]+")
_LONGEST: Final = 500

Made = list[tuple[str, dict[str, Any]]]


class Typed(Struct, frozen=True):
    """One column as typed: texts by row, and by row the id of what "as before" repeated."""

    at: datetime
    cells: Mapping[str, str]
    before: Mapping[str, str] = {}


class Sum(Struct, frozen=True):
    """A sum of choices: None while some of them are missing; `points` by row."""

    total: int | None
    points: Mapping[str, int]


class Read(Struct, frozen=True, kw_only=True):
    """What a column says, with what stands in it already.

    `issues` name the row as their expression. `numbers` are by row and part, `score` is None where
    the sheet or the person has no NEWS2.
    """

    at: datetime
    numbers: Mapping[str, Mapping[str, Decimal]]
    options: Mapping[str, Option]
    texts: Mapping[str, str]
    issues: tuple[Issue, ...]
    score: Score | None
    sums: Mapping[str, Sum]
    before: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed that can be kept."""
        return not (self.numbers or self.options or self.texts)


def read_column(
    sheet: Sheet,
    typed: Typed,
    person: Person,
    standing: Mapping[str, Cell],
    *,
    scale_2: bool = False,
) -> Read:
    """Read a column; `standing` are the values that it has already, which scores build on."""
    numbers: dict[str, dict[str, Decimal]] = {}
    options: dict[str, Option] = {}
    texts: dict[str, str] = {}
    issues: list[Issue] = []
    for parameter in sheet.parameters:
        said = typed.cells.get(parameter.key, "").strip()[:_LONGEST]
        if not said or not parameter.is_typed:
            continue
        if parameter.kind == "choice":
            option = parameter.option(said)
            if option is None:
                issues.append(_refused(_("Choose one of the answers."), parameter))
            else:
                options[parameter.key] = option
        elif parameter.kind == "text":
            texts[parameter.key] = said
        else:
            found = _numbers(parameter, said)
            if isinstance(found, dict):
                numbers[parameter.key] = found
            else:
                issues.append(found)
    kept = {key: cell for key, cell in standing.items() if not cell.is_unconfirmed}
    return Read(
        at=typed.at, numbers=numbers, options=options, texts=texts, issues=tuple(issues),
        score=_score(sheet, person, numbers, options, kept, scale_2=scale_2),
        sums=_sums(sheet, options, kept), before=typed.before,
    )  # fmt: skip


def _numbers(parameter: Parameter, said: str) -> dict[str, Decimal] | Issue:
    if parameter.kind == "pressure":
        return _pressure(parameter, said)
    part = parameter.parts[0]
    found = read_number(part, "".join(said.split()).replace("\u2212", "-"))
    if isinstance(found, Decimal):
        return {part.key: found}
    return Issue(found.severity, found.code, found.diagnostics, parameter.key)


def _pressure(parameter: Parameter, said: str) -> dict[str, Decimal] | Issue:
    """128/74, with any sign between, or none at all: four to six digits are read one way only."""
    pieces = [each for each in _BETWEEN.split(said) if each]
    if len(pieces) == 1 and pieces[0].isdigit() and 4 <= len(pieces[0]) <= 6:
        half = (len(pieces[0]) + 1) // 2
        pieces = [pieces[0][:half], pieces[0][half:]]
    if not 1 <= len(pieces) <= len(parameter.parts):
        return _refused(_("Write it as 128/74."), parameter)
    numbers: dict[str, Decimal] = {}
    for part, piece in zip(parameter.parts, pieces, strict=False):
        found = read_number(part, piece)
        if not isinstance(found, Decimal):
            return Issue(found.severity, found.code, found.diagnostics, parameter.key)
        numbers[part.key] = found
    values = list(numbers.values())
    if len(values) == 2 and values[1] >= values[0]:
        return _refused(_("Must be lower than the systolic pressure."), parameter)
    return numbers


def _refused(words: str, parameter: Parameter) -> Issue:
    return error("value", words, parameter.key)


def _score(
    sheet: Sheet,
    person: Person,
    numbers: Mapping[str, Mapping[str, Decimal]],
    options: Mapping[str, Option],
    kept: Mapping[str, Cell],
    *,
    scale_2: bool,
) -> Score | None:
    if not any(p.kind == NEWS2 for p in sheet.parameters) or not person.is_scored(sheet.table):
        return None
    values: dict[str, Decimal] = {}
    letter = ""
    for key, part in sheet.scored.items():
        if part == CONSCIOUSNESS:
            chosen = options.get(key)
            letter = chosen.key if chosen else kept[key].option if key in kept else ""
            continue
        found = numbers.get(key) or (kept[key].numbers if key in kept else {})
        if part in found:
            values[part] = found[part]
    return score(values, letter, sheet.table, scale_2=scale_2)


def _sums(sheet: Sheet, options: Mapping[str, Option], kept: Mapping[str, Cell]) -> dict[str, Sum]:
    sums = {}
    for parameter in sheet.parameters:
        if parameter.kind != "sum":
            continue
        points: dict[str, int] = {}
        for key in parameter.row.of:
            cell = kept.get(key)
            option = options.get(key) or (sheet.by_key[key].option(cell.option) if cell else None)
            if option is not None and option.points is not None:
                points[key] = option.points
        whole = len(points) == len(parameter.row.of)
        sums[parameter.key] = Sum(sum(points.values()) if whole else None, points)
    return sums


def record_columns(
    sheet: Sheet,
    columns: Sequence[tuple[Read, Mapping[str, Cell]]],
    *,
    person: Person,
    performer: Performer,
    key: UUID,
    encounter: str | None = None,
) -> list[tuple[Read, Made]]:
    """The Observations of each column with something in it, each with its urn:uuid.

    Each column comes with what stands in it. `key` names the filling in: the same form sent twice
    gives the same entries. Raises NotRecordable when nothing was typed or anything is wrong, with
    the time and the row in each issue; then nothing is made.
    """
    issues = [
        Issue(each.severity, each.code, f"{_told(sheet, read, each)} {each.diagnostics}",
              each.expression)
        for read, _standing in columns for each in read.issues
    ]  # fmt: skip
    if not issues and all(read.is_empty for read, _standing in columns):
        issues = [error("required", _("Nothing is filled in."), "cells")]
    if issues:
        raise NotRecordable(issues)
    return [
        (read, _made(sheet, read, standing, person, performer, key, encounter))
        for read, standing in columns
        if not read.is_empty
    ]


def _told(sheet: Sheet, read: Read, issue: Issue) -> str:
    label = sheet.by_key[issue.expression].label if issue.expression in sheet.by_key else ""
    return f"{read.at:%H:%M} {label}:"


def _made(
    sheet: Sheet,
    read: Read,
    standing: Mapping[str, Cell],
    person: Person,
    performer: Performer,
    key: UUID,
    encounter: str | None,
) -> Made:
    shared: dict[str, Any] = {
        "subject": {"reference": f"Patient/{person.patient_id}"},
        "effectiveDateTime": read.at.isoformat(timespec="seconds"),
        "performer": [{"reference": performer.reference, "display": performer.name}],
    }
    if encounter:
        shared["encounter"] = {"reference": encounter}
    made: Made = []
    urls: dict[str, str] = {}
    for parameter in sheet.parameters:
        resource = _observation(sheet, parameter, read, shared)
        if resource is None:
            continue
        if source := read.before.get(parameter.key):
            resource |= repeated(source)
        urls[parameter.key] = f"urn:uuid:{uuid5(key, f'{read.at.isoformat()} {parameter.key}')}"
        made.append((urls[parameter.key], resource))
    for cell in standing.values():
        if not cell.is_unconfirmed:
            urls.setdefault(cell.parameter, f"Observation/{cell.id}")
    made += _worked_out(sheet, read, shared, urls, key)
    return made


def repeated(source: str) -> dict[str, Any]:
    """What says that a value is as it was before, and where it was read."""
    return {
        "method": concept(HOW, AS_BEFORE, "As before", _("as before")),
        "derivedFrom": [{"reference": f"Observation/{source}"}],
    }


def _observation(
    sheet: Sheet, parameter: Parameter, read: Read, shared: Mapping[str, Any]
) -> dict[str, Any] | None:
    key = parameter.key
    if key in read.numbers and parameter.sign is not None:
        parts = [p for p in parameter.parts if p.key in read.numbers[key]]
        return measurement(
            parameter.sign, parts, read.numbers[key], sheet.months, shared, sheet.sex
        )
    if key in read.options and parameter.row.vital == CONSCIOUSNESS:
        return consciousness_entry(read.options[key].key, sheet.table, shared)
    value: dict[str, Any]
    if key in read.numbers:
        part = parameter.parts[0]
        value = valued(part, read.numbers[key][part.key], sheet.months, sheet.sex)
    elif key in read.options:
        option = read.options[key]
        coded = (SNOMED, option.snomed) if option.snomed else (OWN_CODES, option.key)
        value = {"valueCodeableConcept": concept(*coded, "", option.label)}
    elif key in read.texts:
        value = {"valueString": read.texts[key]}
    else:
        return None
    return {**frame(parameter.row.category, parameter.code), **shared, **value}


def _worked_out(
    sheet: Sheet, read: Read, shared: Mapping[str, Any], urls: Mapping[str, str], key: UUID
) -> Made:
    """Scores and sums that something typed now has made whole."""
    made: Made = []
    typed = {*read.numbers, *read.options}
    found = read.score
    if found is not None and found.total is not None and typed & sheet.scored.keys():
        sources = [urls[row] for row in sheet.scored if row in urls]
        url = f"urn:uuid:{uuid5(key, f'{read.at.isoformat()} {NEWS2}')}"
        made.append((url, score_entry(found, sheet.table, sources, shared)))
    for parameter in sheet.parameters:
        result = read.sums.get(parameter.key)
        if result is None or result.total is None or not typed & set(parameter.row.of):
            continue
        summed = {
            **frame("survey", parameter.code),
            **shared,
            "valueQuantity": points_of(result.total),
            "derivedFrom": [{"reference": urls[row]} for row in parameter.row.of if row in urls],
            "component": [
                {"code": sheet.by_key[row].code, "valueQuantity": points_of(points)}
                for row, points in result.points.items()
            ],
        }
        url = f"urn:uuid:{uuid5(key, f'{read.at.isoformat()} {parameter.key}')}"
        made.append((url, summed))
    return made


def shown(parameter: Parameter, read: Read) -> str:
    """A typed value as the grid shows it once it is stored; "" when there is none."""
    key = parameter.key
    if key in read.options:
        return read.options[key].label
    if key in read.numbers:
        return "/".join(as_typed(read.numbers[key][p.key]) for p in parameter.parts
                        if p.key in read.numbers[key])  # fmt: skip
    if key in read.sums:
        total = read.sums[key].total
        return "" if total is None else str(total)
    if parameter.kind == NEWS2 and read.score is not None and read.score.total is not None:
        return str(read.score.total)
    return read.texts.get(key, "")
