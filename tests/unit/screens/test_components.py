"""Components say in words what they mean, whatever they are given."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import UndefinedError

from helsevev.screens.rendering import environment, render_text


def ui(name: str, *arguments: Any, **named: Any) -> str:
    """Render one component as a page would."""
    return str(getattr(environment().globals["ui"], name)(*arguments, **named))


def test_the_banner_says_allergies_are_not_recorded_when_nobody_has_asked() -> None:
    asked = ui(
        "patient_banner", "Solveig", "1941-03-07", "female", "1", allergy_status="none-known"
    )
    not_asked = ui(
        "patient_banner", "Solveig", "1941-03-07", "female", "1", allergy_status="not-recorded"
    )
    assert "Ingen kjente allergier" in asked
    assert "Allergier er ikke registrert" in not_asked


def test_a_listed_allergy_is_shown_though_the_status_says_none() -> None:
    html = ui(
        "patient_banner", "Solveig", "1941-03-07", "female", "1",
        allergies=[{"text": "Penicillin"}], allergy_status="none-known",
    )  # fmt: skip
    assert "Penicillin" in html
    assert "Ingen kjente" not in html


def test_a_newborn_is_a_boy_or_a_girl_and_not_a_man_or_a_woman() -> None:
    html = ui("patient_banner", "Even", "2026-11-01", "male", "", now="2026-11-21")
    assert "gutt" in html
    assert "20 dager" in html


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '" onload="x', "{{ 7*7 }}"])
def test_what_people_write_is_never_markup(hostile: str) -> None:
    html = "".join(
        [
            ui("patient_banner", hostile, "1941-03-07", "female", hostile, location=hostile),
            ui("note", hostile, hostile, "2026-11-21", text=hostile),
            ui("medication_row", hostile, dose=hostile, warning=hostile),
            ui("result_cell", hostile, text=hostile),
            ui("difference", hostile, hostile + "x"),
            ui("error_state", hostile, hostile),
        ]
    )
    assert "<script" not in html
    assert 'onload="' not in html


def test_abnormal_is_a_symbol_and_a_word_and_a_range() -> None:
    html = ui("result_cell", "Kalium", "5.6", "mmol/L", "3.5", "5.0")
    assert "↑ høy" in html
    assert "3,5–5,0" in html


def test_draft_and_signed_never_look_alike() -> None:
    draft = ui("note", "Notat", "Kari", "2026-11-21", "draft", text="x")
    signed = ui("note", "Notat", "Kari", "2026-11-21", "signed", text="x")
    assert "Utkast" in draft
    assert "Signert" not in draft
    assert "Signert" in signed
    assert "Utkast" not in signed


def test_the_curve_has_its_values_as_a_table_too() -> None:
    points = [{"time": "2026-01-01", "value": "71.20", "source": "Hjemmetjenesten"}]
    html = ui("curve", "weight", "Vekt", points, "kg")
    assert "<table" in html
    assert "71,20" in html
    assert "Hjemmetjenesten" in html


def test_a_page_that_forgets_a_value_fails_in_its_test_and_not_before_a_patient() -> None:
    with pytest.raises(UndefinedError):
        render_text("screens/_problem.html")


def test_no_page_carries_inline_script_or_style() -> None:
    html = render_text("screens/problem.html", what="a", kept="b", next_step="c", incident="")
    assert " style=" not in html
    assert "<style" not in html
    assert html.count("<script") == html.count("<script src=") == 2
