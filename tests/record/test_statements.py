"""SQL has a name and a sentence, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from helsevev.record import statements


def test_each_statement_is_found_by_its_name() -> None:
    found = statements.read(
        "-- name: one\n-- Gives one.\nSELECT 1;\n-- name: two\n-- Two.\nSELECT 2", "x"
    )
    assert dict(found) == {"one": "SELECT 1", "two": "SELECT 2"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1",
        "-- name: bare\nSELECT 1",
        "-- name: hollow\n-- Says much.\n",
        "-- name: twin\n-- A.\nSELECT 1\n-- name: twin\n-- B.\nSELECT 2",
    ],
)
def test_a_statement_without_name_or_sentence_is_refused(text: str) -> None:
    with pytest.raises(statements.BadStatementFile):
        statements.read(text, "bad.sql")


def test_all_the_record_s_statements_can_be_read() -> None:
    folder = Path(statements.__file__).parent / "sql"
    for path in folder.glob("*.sql"):
        assert statements.load(path.stem)
