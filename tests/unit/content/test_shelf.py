"""What is in force of professional content: by day, by place, and as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from helsevev.content.packs.pack import Pack, read_pack
from helsevev.content.packs.shelf import Archive, Edition, Shelf, built_in
from helsevev.content.packs.value_sets import ValueSet
from helsevev.content.shapes import ContentError

TODAY = date(2026, 11, 22)
PAGE = """
title = "Prøve"
owner = "Faggruppe"
version = "1.0.0"
status = "draft"
source = ["Prøve"]
discipline = "nurse"
effective_from = {since}
"""
ITEM = """
title = "Hudtyper"
version = "{version}"
source = ["Prøve"]
{more}
[[include]]
system = "http://snomed.info/sct"
code = [{{code = "{code}", display = "Hud"}}]
"""


@dataclass(frozen=True)
class Written:
    """A file of one value set."""

    version: str = "1.0.0"
    code: str = "1"
    more: str = ""

    @property
    def text(self) -> str:
        return ITEM.format(version=self.version, code=self.code, more=self.more)

    def edition(self, place: str = "") -> Edition:
        return Edition(
            folder="value_sets", key="skin", version=self.version, pack="trial",
            path="value_sets/skin.toml", text=self.text, place=place,
        )  # fmt: skip


def pack(written: Written, key: str = "trial", since: str = "2026-01-01") -> Pack:
    """A pack of one value set."""
    page = PAGE.format(since=since)
    return read_pack(key, {"pack.toml": page, "value_sets/skin.toml": written.text})


def test_an_answer_is_shown_by_the_version_that_it_names_though_another_is_in_force() -> None:
    first, second = Written("1.0.0", "1"), Written("1.1.0", "2")
    archive = Archive([first.edition(), second.edition()])
    shelf = Shelf([pack(second)], TODAY, archive=archive)
    assert (now := shelf.one(ValueSet, "skin"))
    assert now.version == "1.1.0"
    assert (then := shelf.version(ValueSet, "skin", "1.0.0"))
    assert then.include[0].code[0].code == "1"
    assert shelf.version(ValueSet, "skin", "0.9.0") is None
    assert shelf.version(ValueSet, "skin", "1.1.0") is now


def test_a_version_that_comes_into_force_later_leaves_the_one_before_till_then() -> None:
    first = Written("1.0.0", "1")
    later = Written("2.0.0", "2", "effective_from = 2027-01-01")
    archive = Archive([first.edition(), later.edition()])
    for day, version in ((TODAY, "1.0.0"), (date(2027, 1, 1), "2.0.0")):
        shelf = Shelf([pack(later)], day, archive=archive)
        assert (found := shelf.one(ValueSet, "skin"))
        assert found.version == version


def test_what_has_run_out_is_in_force_no_more_and_can_still_be_shown() -> None:
    gone = Written("1.0.0", "1", "effective_to = 2026-11-22")
    shelf = Shelf([pack(gone)], TODAY, archive=Archive([gone.edition()]))
    assert shelf.one(ValueSet, "skin") is None
    assert shelf.version(ValueSet, "skin", "1.0.0") is not None


def test_a_pack_that_is_not_in_force_yet_gives_nothing() -> None:
    shelf = Shelf([pack(Written(), since="2027-01-01")], TODAY)
    assert shelf.all(ValueSet) == {}


def test_what_a_municipality_has_of_its_own_goes_first_there_and_says_so() -> None:
    own = pack(Written("1.0.0-own.1", "9"))
    shelf = Shelf([pack(Written())], TODAY, local=[("Organization/town", own)])
    assert (found := shelf.one(ValueSet, "skin"))
    assert found.include[0].code[0].code == "9"
    assert shelf.local_of(ValueSet, "skin") == "Organization/town"
    assert Shelf([pack(Written())], TODAY).local_of(ValueSet, "skin") == ""


def test_two_packs_with_the_same_item_are_refused() -> None:
    with pytest.raises(ContentError, match="value_sets/skin is in trial and in other"):
        Shelf([pack(Written()), pack(Written(), "other")], TODAY)


def test_a_file_that_no_kind_reads_is_refused_by_name() -> None:
    page = PAGE.format(since="2026-01-01")
    with pytest.raises(ContentError, match=r"trial/spells/fire.toml: no kind of content lies here"):
        read_pack("trial", {"pack.toml": page, "spells/fire.toml": ""})


def test_all_that_comes_with_the_program_is_in_force_together() -> None:
    shelf = Shelf(built_in(), TODAY)
    assert len(shelf.packs) >= 8
