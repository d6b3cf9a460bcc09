"""A log line is one line, and names nobody."""

from __future__ import annotations

import logging

from hypothesis import given
from hypothesis import strategies as st

from helsevev.kit.logs import PlainLines


def _line(message: str, *arguments: object) -> str:
    record = logging.LogRecord("test", logging.WARNING, __file__, 1, message, arguments, None)
    return PlainLines().format(record)


@given(st.text())
def test_nothing_that_is_logged_begins_a_line_of_its_own(said: str) -> None:
    assert len(_line("refused %s", f"{said}\n2026-01-01 WARNING forged").splitlines()) == 1


def test_no_national_number_and_no_token_is_logged() -> None:
    line = _line("%s asked with Bearer %s", "13116900216", "abcDEF123456-_abc")
    assert "13116900216" not in line
    assert "abcDEF123456" not in line
    assert "131169 00216" not in _line("Key (value)=(131169 00216) exists")


def test_an_unforeseen_failure_names_nobody_either() -> None:
    try:
        raise ValueError("Key (identifier)=(13116900216)")
    except ValueError as failure:
        told = (type(failure), failure, failure.__traceback__)
    record = logging.LogRecord("test", logging.ERROR, __file__, 1, "incident", (), told)
    text = PlainLines().format(record)
    assert "13116900216" not in text
    assert "Traceback" in text
