"""Content is written as fields by those who know the subject; the rest stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from helsevev.authoring.field_words import word
from helsevev.authoring.fields import Field, Group, NotFields, filled, shown
from helsevev.authoring.skeletons import begins, skeleton
from helsevev.content.packs.forms import Form
from helsevev.content.packs.kinds import KINDS
from helsevev.content.packs.pack import PAGE
from helsevev.content.packs.shelf import built_in
from helsevev.kit import clock

SCORE = """# Skrevet av faggruppen.
title = "Smerte"
version = "1.0.0"
source = ["Prøve"]

[[item]]
key = "now"      # nøkkelen endres ikke
text = "Smerte nå"
options = [[0, "Ingen"], [10, "Verst"]]

[[item]]
key = "where"
text = "Hvor"

[[case]]
name = "Verst"
answers = { now = 10 }
"""
FILES = [
    (path, text)
    for pack in built_in()
    for path, text in pack.files.items()
    if path != PAGE and path.endswith(".toml")
]
LARGEST = {max(found, key=lambda each: len(each[1])) for found in (
    [each for each in FILES if each[0].startswith(f"{folder}/")] for folder in KINDS
) if found}  # fmt: skip
"""The largest file of each kind; the others take their time."""


def fields(group: Group) -> Iterator[Field]:
    """Every field of a file."""
    yield from group.fields
    for inner in (*group.groups, *(row for rows in group.lists for row in rows.rows)):
        yield from fields(inner)


def as_shown(group: Group) -> dict[str, str]:
    """What a browser sends back when nobody has written anything."""
    said: dict[str, str] = {}
    for field in fields(group):
        if field.shown == "cells":
            for y, row in enumerate(field.rows):
                said |= {f"{field.path}.{y}.{x}": cell for x, cell in enumerate(row)}
        else:
            said[field.path] = field.value.replace("\n", "\r\n")
    return said


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(*each, id=each[0], marks=() if each in LARGEST else pytest.mark.soak)
        for each in FILES
    ],
)
def test_a_file_that_nobody_changed_is_kept_to_the_letter_and_every_field_has_a_name(
    path: str, text: str
) -> None:
    kind = KINDS[path.rpartition("/")[0]]
    group = shown(text, kind)
    assert filled(text, kind, as_shown(group)) == text
    for field in fields(group):
        name = re.sub(r"^.*\.", "", field.path)
        assert field.label != name or word(name) != name, f"{field.path} has no name in words"


def test_what_is_filled_in_is_written_and_comments_stay() -> None:
    made = filled(
        SCORE, Form, {"item.0.text": "Smerte akkurat nå", "item.0.options.1.0": "9",
                      "item.0.options.2.0": "10", "item.0.options.2.1": "Uutholdelig"},
    )  # fmt: skip
    assert "# nøkkelen endres ikke" in made
    assert 'text = "Smerte akkurat nå"' in made
    options = next(each for each in fields(shown(made, Form)) if each.path == "item.0.options")
    assert options.rows[:-1] == (("0", "Ingen"), ("9", "Verst"), ("10", "Uutholdelig"))
    assert '[9, "Verst"]' in made


def test_rows_are_added_moved_and_taken_away_and_fields_are_added() -> None:
    assert shown(filled(SCORE, Form, {}, "add item"), Form).lists[0].rows[-1].label == "3"
    moved = filled(SCORE, Form, {}, "up item.1")
    assert [row.label for row in shown(moved, Form).lists[0].rows] == ["Hvor", "Smerte nå"]
    assert len(shown(filled(SCORE, Form, {}, "remove item.1"), Form).lists[0].rows) == 1
    assert "required = true" in filled(SCORE, Form, {}, "field item.1. required")
    gone = filled(SCORE, Form, {"item.1.text": ""})
    assert 'text = "Hvor"' not in gone


def test_pairs_are_lines_and_numbers_stay_numbers() -> None:
    made = filled(SCORE, Form, {"case.0.answers": "now = 0\nwhere = 'Kne'"})
    assert re.search(r"answers = \{ ?now = 0, where = ['\"]Kne['\"] ?\}", made), made


@pytest.mark.parametrize(
    "act", ["add nothing.here", "remove item.9", "field nowhere. x", "dance item", "up item.x"]
)
def test_an_act_that_makes_no_sense_is_refused_and_not_a_crash(act: str) -> None:
    with pytest.raises(NotFields):
        filled(SCORE, Form, {}, act)


def test_a_file_that_is_no_toml_is_told_to_be_so() -> None:
    with pytest.raises(NotFields):
        shown("title = ", Form)


@pytest.mark.parametrize("kind", [each for each in KINDS.values() if begins(each)])
def test_the_beginnings_of_a_new_item_can_be_read_and_say_what_is_missing(kind: type) -> None:
    text = skeleton(kind, "Ny", clock.now().date())
    assert kind.read(text, "new.toml", "new").cases()  # type: ignore[attr-defined]
