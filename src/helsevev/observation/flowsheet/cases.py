"""Runs the examples that a flowsheet's own file gives."""

from __future__ import annotations

from datetime import datetime

from helsevev.content.packs.flowsheets import Flowsheet, SheetCase
from helsevev.content.score_shapes import News2
from helsevev.content.shapes import VitalSigns
from helsevev.fhir.reading import OSLO
from helsevev.observation.flowsheet.cells import judge
from helsevev.observation.flowsheet.sheet import Sheet
from helsevev.observation.flowsheet.taking import Typed, read_column, shown
from helsevev.observation.vital_signs import Person

_AT = datetime(2026, 1, 15, 12, tzinfo=OSLO)


def faults(content: Flowsheet, signs: VitalSigns, table: News2) -> list[str]:
    """What became otherwise than the cases say, one sentence each; none when all hold."""
    try:
        return [said for case in content.case for said in _run(content, case, signs, table)]
    except ValueError as problem:
        return [str(problem)]


def _run(content: Flowsheet, case: SheetCase, signs: VitalSigns, table: News2) -> list[str]:
    sheet = Sheet(content, signs, table, case.months, case.sex)
    person = Person("case", case.months, sex=case.sex)
    read = read_column(sheet, Typed(_AT, case.typed), person, {})
    refused = {each.expression for each in read.issues}
    said = []
    if refused != set(case.refused):
        said.append(f"{case.name}: refused {sorted(refused)}, not {sorted(case.refused)}")
    for key, wanted in case.stored.items():
        found = shown(sheet.by_key[key], read)
        if found != wanted:
            said.append(f"{case.name}: {key} became {found!r}, not {wanted!r}")
    judged = {
        key: kind
        for key, numbers in read.numbers.items()
        if (kind := judge(sheet, sheet.by_key[key].parts, numbers))
    }
    if case.judged and judged != case.judged:
        said.append(f"{case.name}: judged {judged}, not {case.judged}")
    if case.net is not None:
        signed = {"in": 1, "out": -1, "": 0}
        net = sum(
            signed[sheet.by_key[key].row.balance] * value
            for key, numbers in read.numbers.items()
            for value in numbers.values()
        )
        if net != case.net:
            said.append(f"{case.name}: the balance is {net}, not {case.net}")
    return said
