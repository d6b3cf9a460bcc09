"""What an expression may cost: whoever may ask one may write anything into it."""

from __future__ import annotations

import time

import pytest

from helsevev.fhir.path import TooCostly, compile_path

PATIENT = {"resourceType": "Patient", "id": "kari", "name": [{"family": "Vik"}] * 8}
EIGHT = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8)"
DOUBLED = f"{EIGHT}.aggregate($total & $total & $total & $total & $total & $total, 'xxxxxxxx')"


@pytest.mark.parametrize(
    "expression",
    [
        "(1 | 2 | 3).repeat($this + 1).count()",
        "'x'" + ".replace('x', 'xxxxxxxxxx')" * 9,
        "'x'" + ".replace('', 'xxxxxxxxxx')" * 9,
        "'x'" + ".replaceMatches('.', 'xxxxxxxxxx')" * 9,
        DOUBLED + ".select($this & $this & $this & $this & $this & $this & $this & $this)",
        "'xxxxxxxxxxxxxxxx'" + ".split('').join('xxxxxxxxxxxxxxxxxxxx')" * 6,
        f"{EIGHT}.select(" * 8 + "$this" + ")" * 8,
        f"{EIGHT}.aggregate($total" + ".combine($total)" * 7 + ", 1)",
    ],
)
def test_what_would_never_end_or_fill_the_memory_is_refused_within_seconds(
    expression: str,
) -> None:
    begun = time.process_time()
    with pytest.raises(TooCostly):
        compile_path(expression)(PATIENT)
    assert time.process_time() - begun < 20


def test_whole_numbers_overflow_to_nothing() -> None:
    grown = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8).aggregate($total * $total, 1000000)"
    assert compile_path(grown)(PATIENT) == []
    assert compile_path("1000000 * 1000000")(PATIENT) == [10**12]
