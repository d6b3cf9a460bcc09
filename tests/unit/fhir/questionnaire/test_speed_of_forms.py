"""A long form answers a change before its writer notices."""

from __future__ import annotations

from statistics import quantiles

from bench import forms

from helsevev.fhir.questionnaire import fill, prepare
from helsevev.kit import clock


def test_a_form_of_200_items_with_50_calculations_answers_a_change_within_its_budget() -> None:
    prepared = prepare(forms.form())
    assert len(prepared.by_link) == 200
    assert sum(item.is_calculated for item in prepared.items) == 50
    took = forms.changes(prepared, 30)
    # Of the 50 ms that an answer may take; a quiet machine needs 10, and the page the rest.
    assert quantiles(took, n=20)[-1] <= 35


def test_its_sums_are_right_after_a_change() -> None:
    prepared = prepare(forms.form())
    found = fill(prepared, forms.response(0), context={}, now=clock.now())
    by_link = {item["linkId"]: item["answer"][0] for item in found.response["item"]}
    # q0 is now 1; q1 1, q2 2: with q3 3, q5 1 (q4 is 0 points) the next sum goes on from it.
    assert by_link["s0"]["valueDecimal"] == 4
    assert by_link["s1"]["valueDecimal"] == 4 + 3 + 0 + 1
