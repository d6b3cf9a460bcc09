"""Forms from anywhere are shown with every question they ask, and with what of them is not done."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import built_in
from helsevev.documentation.forms import losses
from helsevev.documentation.forms.sheet import Sheet
from helsevev.fhir import serialization
from helsevev.fhir.questionnaire import Lost, fill, prepare
from helsevev.fhir.questionnaire.extensions import LOST
from helsevev.screens.rendering import render_text

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
HL7 = Path(__file__).parents[1] / "fhir" / "questionnaire" / "hl7"


def shown(questionnaire: dict[str, Any]) -> tuple[Sheet, str]:
    prepared = prepare(questionnaire)
    filled = fill(prepared, {}, context={}, now=NOW)
    sheet = Sheet(prepared, filled, {}, ())
    page = render_text(
        "documentation/forms/_items.html", sheet=sheet, ids=sheet.ids(),
        problems=sheet.problems(), prefix="a:",
    )  # fmt: skip
    return sheet, html.unescape(page)


def check_shown(questionnaire: dict[str, Any]) -> None:
    sheet, page = shown(questionnaire)
    for key, place in sheet.filled.by_key.items():
        item = place.item
        if item.look.hidden or sheet.is_summed_below(item):
            continue
        assert f'data-place="{key}"' in page, key
        assert item.text in page, key


def of_packs() -> dict[str, dict[str, Any]]:
    return {form.key: form.questionnaire for pack in built_in() for form in pack.of(Form).values()}


@pytest.mark.parametrize("key", sorted(of_packs()))
def test_every_question_of_a_packs_form_is_shown(key: str) -> None:
    check_shown(of_packs()[key])


def test_hl7s_examples_are_shown() -> None:
    for path in sorted(HL7.glob("*.json")):
        check_shown(serialization.decode(path.read_bytes()))


def test_forms_met_in_norway_are_shown(shared: Path) -> None:
    folder = shared / "data" / "norway" / "questionnaires"
    if not folder.is_dir():
        pytest.skip(f"There are no forms in {folder}.")
    found = list(_questionnaires(folder))
    assert len(found) >= 19
    for each in found:
        check_shown(each)
        sheet, _ = shown(each)
        # Every loss has a line of its own, unless another says the same of the same question.
        told = {name for _, _, name in sheet.losses()}
        assert told == {lost.url.rpartition("/")[2] for lost in sheet.prepared.unsupported}


def test_every_known_loss_has_words_of_its_own() -> None:
    general = losses.words_of(Lost("", "http://example.org/x", "something else"))
    for url, what in LOST.items():
        assert losses.words_of(Lost("", url, what)) != general, url


def _questionnaires(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.json")):
        if path.parent.name in ("openehr-scores", "helsenorge-velferd-mock"):
            continue
        whole = serialization.decode(path.read_bytes())
        for each in [entry["resource"] for entry in whole.get("entry", ())] or [whole]:
            if each["resourceType"] == "Questionnaire":
                yield each
