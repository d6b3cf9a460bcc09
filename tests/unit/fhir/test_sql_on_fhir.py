"""The test cases of SQL-on-FHIR v2, all of them (https://sql-on-fhir.org; licence beside them)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.views.compiling import table_of
from helsevev.fhir.views.definition import ViewError

SUITE = Path(__file__).parent / "sql_on_fhir"
FILES = sorted(SUITE.glob("*.json"))


def _cases() -> list[Any]:
    found = []
    for path in FILES:
        # Read as resources are: a decimal keeps its digits.
        suite = serialization.decode(path.read_bytes())
        found += [
            pytest.param(suite["resources"], case, id=f"{path.stem}: {case['title']}")
            for case in suite["tests"]
        ]
    return found


def _rows(view: dict[str, Any], resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    table = table_of(view)
    names = [column.name for column in table.columns]
    return [
        dict(zip(names, row, strict=True)) for resource in resources for row in table.rows(resource)
    ]


def _sortable(row: dict[str, Any]) -> str:
    plain = {name: float(v) if isinstance(v, Decimal) else v for name, v in row.items()}
    return json.dumps(plain, sort_keys=True, default=str)


@pytest.mark.parametrize(("resources", "case"), _cases())
def test_a_view_makes_the_rows_that_the_suite_expects(
    resources: list[dict[str, Any]], case: dict[str, Any]
) -> None:
    if case.get("expectError"):
        with pytest.raises(ViewError):
            _rows(case["view"], resources)
        return
    rows = _rows(case["view"], resources)
    if "expect" in case:
        expected = case["expect"]
        assert sorted(map(_sortable, rows)) == sorted(map(_sortable, expected))
    if "expectCount" in case:
        assert len(rows) == case["expectCount"]
    if "expectColumns" in case:
        names = [column.name for column in table_of(case["view"]).columns]
        assert names == case["expectColumns"]


def test_the_suite_is_whole() -> None:
    assert len(FILES) == 22
    assert len(_cases()) == 134
