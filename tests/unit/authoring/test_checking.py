"""A pack is released when every file reads, fits the others, and its cases hold."""

from __future__ import annotations

from datetime import date

import pytest

from helsevev.authoring.cases import RUNNERS, run
from helsevev.authoring.checking import Checked, check
from helsevev.content.packs.kinds import KINDS
from helsevev.content.packs.pack import Pack
from helsevev.content.packs.shelf import Shelf, built_in

TODAY = date(2026, 11, 22)
PAGE = """
title = "Prøve"
owner = "Faggruppe"
version = "1.0.0"
status = "draft"
source = ["Prøve"]
discipline = "nurse"
effective_from = 2026-01-01
"""
SET = """
title = "Hudtyper"
version = "1.0.0"
source = ["Prøve"]
{more}
[[include]]
system = "http://snomed.info/sct"
code = [{{code = "1", display = "Hud"}}]
"""
CASE = """
[[case]]
name = "Hud er med"
system = "http://snomed.info/sct"
code = "{code}"
"""
WHOLE = SET.format(more="") + CASE.format(code="1")
PLAN = """
title = "Plan"
version = "1.0.0"
source = ["Prøve"]

[[action]]
key = "weigh"
title = "Vei"
at = ["08:00"]
form = "no-such-form"

[[case]]
about = "Alle"
proposes = ["weigh"]
"""


def checked(**files: str) -> Checked:
    """What a check says of a pack of these files."""
    return check("trial", {"pack.toml": PAGE, **files}, built_in(), TODAY)


def test_a_pack_whose_cases_hold_can_be_released() -> None:
    found = checked(**{"value_sets/skin.toml": WHOLE})
    assert found.holds, found.faults
    assert found.cases == 1


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("value_sets/skin.toml", "title = ", "not TOML"),
        ("value_sets/skin.toml", WHOLE + "colour = 1", "colour"),
        ("spells/fire.toml", WHOLE, "no kind of content lies here"),
        ("value_sets/skin.toml", SET.format(more=""), "ingen egne eksempler"),
        (
            "value_sets/skin.toml", SET.format(more="") + CASE.format(code="2"),
            "Hud er med: 2 is no member",
        ),
        ("value_sets/skin.toml", WHOLE.replace("1.0.0", "first"), "first"),
        (
            "value_sets/skin.toml",
            WHOLE + '[[changelog]]\nversion = "0.9.0"\non = 2026-01-01\nwhat = "x"\n',
            "1.0.0",
        ),
        ("value_sets/skin.toml", WHOLE.replace('display = "Hud"', 'display = ""'), "ValueSet"),
        ("plans/plan.toml", PLAN, "no-such-form"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_told_at_its_file(path: str, text: str, said: str) -> None:
    found = checked(**{path: text})
    assert not found.holds
    assert said in " ".join(found.of(path)), found.faults


def test_one_bad_file_hides_nothing_of_the_others() -> None:
    found = checked(**{"value_sets/a.toml": "title = ", "value_sets/skin.toml": WHOLE})
    assert [each.path for each in found.faults] == ["value_sets/a.toml"]
    assert found.ran["value_sets/skin.toml"].holds


def test_a_pack_without_a_page_and_an_item_of_another_pack_are_refused() -> None:
    assert not check("trial", {"value_sets/skin.toml": WHOLE}, (), TODAY).holds
    first = checked(**{"value_sets/skin.toml": WHOLE}).made
    assert first is not None
    again = check("other", {"pack.toml": PAGE, "value_sets/skin.toml": WHOLE}, [first], TODAY)
    assert "value_sets/skin is in trial and in other" in again.faults[0].words


def test_every_kind_of_content_has_something_that_works_out_its_cases() -> None:
    assert RUNNERS.keys() == set(KINDS.values())


@pytest.mark.parametrize("pack", built_in(), ids=lambda pack: pack.key)
def test_what_comes_with_the_program_holds(pack: Pack) -> None:
    found = check(pack.key, pack.files, built_in(), TODAY)
    assert found.holds, found.faults


def test_a_case_that_cannot_be_worked_out_is_a_fault_and_no_crash() -> None:
    made = checked(**{"plans/plan.toml": PLAN.replace('form = "no-such-form"', 'when = "1 +"')})
    assert not made.holds
    shelf = Shelf(built_in(), TODAY)
    for item in (item for pack in built_in() for _, _, item in pack.every()):
        assert run(item, shelf).cases
