"""Every flowsheet of the packs does what its own cases say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from helsevev.content import loading
from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.content.packs.shelf import built_in
from helsevev.content.shapes import ContentError
from helsevev.observation.flowsheet.cases import faults
from helsevev.observation.flowsheet.sheet import Sheet

SHEETS = {
    f"{pack.key}/{key}": sheet for pack in built_in() for key, sheet in pack.of(Flowsheet).items()
}
BROKEN = {
    "no cases": "",
    "a sum of what is no choice": """
[[group]]
label = "A"
[[group.row]]
key = "gcs"
kind = "sum"
label = "GCS"
of = ["eye"]
[[case]]
name = "x"
""",
    "a balance that is not in mL": """
[[group]]
label = "A"
[[group.row]]
key = "salt"
kind = "number"
label = "Salt"
ucum = "g"
highest = 10
refused = "x"
balance = "in"
[[case]]
name = "x"
""",
    "a case of a row that is not there": """
[[group]]
label = "A"
[[group.row]]
key = "note"
kind = "text"
label = "Note"
[[case]]
name = "x"
typed = { pulse = "70" }
""",
}


def test_there_are_flowsheets_of_at_least_six_disciplines() -> None:
    owners = [pack.key for pack in built_in() if pack.of(Flowsheet)]
    assert len(SHEETS) >= 12
    assert len(owners) >= 6


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_the_cases_of_a_flowsheet_hold(sheet: Flowsheet) -> None:
    assert faults(sheet, loading.vital_signs(), loading.news2()) == []


def test_a_row_of_a_vital_sign_that_nobody_has_declared_is_told_before_it_is_released() -> None:
    said = """
title = "T"
version = "1"
source = ["S"]
[[group]]
label = "A"
[[group.row]]
key = "aura"
kind = "vital"
vital = "aura"
[[case]]
name = "x"
"""
    sheet = Flowsheet.read(said, "x.toml", "x")
    told = faults(sheet, loading.vital_signs(), loading.news2())
    assert told == ["aura: there is no vital sign aura"]


def test_a_parameter_with_the_same_key_is_the_same_on_every_sheet() -> None:
    told: dict[str, tuple[object, ...]] = {}
    for content in SHEETS.values():
        sheet = Sheet(content, loading.vital_signs(), loading.news2(), 480, "female")
        for each in sheet.parameters:
            said = (each.kind, each.unit, each.codes, [o.key for o in each.options])
            assert told.setdefault(each.key, said) == said, each.key


@pytest.mark.parametrize("fault", BROKEN)
def test_a_flowsheet_that_cannot_be_used_is_refused(fault: str) -> None:
    said = 'title = "T"\nversion = "1"\nsource = ["S"]\n' + BROKEN[fault]
    with pytest.raises(ContentError):
        Flowsheet.read(said, "x.toml", "x")


@pytest.mark.parametrize(
    ("months", "sex", "low"),
    [(900, "male", "27"), (900, "female", "16"), (300, "male", None), (None, "male", None)],
)
def test_what_is_normal_goes_by_age_and_sex(months: int | None, sex: str, low: str | None) -> None:
    sheet = Sheet(SHEETS["nursing/home-care"], loading.vital_signs(), loading.news2(), months, sex)
    found = sheet.normal(sheet.by_key["grip"].parts[0])[0]
    assert found == (None if low is None else Decimal(low))
