"""What changed in content is told in words that a professional reads, item by item."""

from __future__ import annotations

from helsevev.authoring.difference import Detail, of_file, of_files

PATH = "forms/pain.toml"
BEFORE = """
title = "Smerte"
version = "1.0.0"
source = ["Prøve"]

[[item]]
key = "now"
text = "Smerte nå"
options = [[0, "Ingen"], [10, "Verst tenkelig"]]

[[item]]
key = "where"
text = "Hvor"

[[total]]
text = "Samlet"
bands = [[0, "Lett", "Se an."], [4, "Sterk", "Vurder lindring."]]
"""
AFTER = (
    BEFORE.replace("1.0.0", "1.1.0")
    .replace('[4, "Sterk"', '[5, "Sterk"')
    .replace('[[item]]\nkey = "where"\ntext = "Hvor"\n', "")
    .replace('key = "now"', 'key = "now"\nrequired = true')
)


def test_a_change_is_told_by_question_with_what_stood_and_what_stands() -> None:
    found = of_file(PATH, BEFORE, AFTER)
    assert found is not None
    assert (found.what, found.title, found.before, found.after) == (
        "changed", "Smerte", "1.0.0", "1.1.0",
    )  # fmt: skip
    assert set(found.details) == {
        Detail("changed", "Versjon", "1.0.0", "1.1.0"),
        Detail("removed", "Spørsmål: Hvor", before="Nøkkel: where; Tekst: Hvor"),
        Detail("added", "Spørsmål: Smerte nå › Må besvares", after="ja"),
        Detail(
            "changed", "Sum: Samlet › Bånd", "4, Sterk, Vurder lindring.",
            "5, Sterk, Vurder lindring.",
        ),
    }  # fmt: skip


def test_what_has_only_moved_is_told_once_and_the_same_text_is_no_change() -> None:
    first, second = BEFORE.index("[[item]]"), BEFORE.index('[[item]]\nkey = "where"')
    end = BEFORE.index("[[total]]")
    moved = BEFORE[:first] + BEFORE[second:end] + BEFORE[first:second] + BEFORE[end:]
    found = of_file(PATH, BEFORE, moved)
    assert found is not None
    assert [each.what for each in found.details] == ["changed"]
    assert of_file(PATH, BEFORE, BEFORE) is None


def test_items_that_came_and_went_are_told_with_their_versions() -> None:
    found = of_files({PATH: BEFORE}, {"forms/other.toml": AFTER})
    assert [(each.what, each.key, each.before, each.after) for each in found.items] == [
        ("added", "other", "", "1.1.0"), ("removed", "pain", "1.0.0", ""),
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_compared_as_text() -> None:
    found = of_file(PATH, BEFORE, "title = ")
    assert found is not None
    assert found.details
