"""Templates and phrases of the packs: their own cases hold, and nothing typed is lost in one."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.content import loading
from helsevev.content.loading import read
from helsevev.content.packs.note_templates import NoteTemplate
from helsevev.content.packs.phrases import Phrases
from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.content.shapes import ContentError
from helsevev.documentation.headings import split
from helsevev.documentation.notes.cases import failures
from helsevev.documentation.notes.offered import offered, phrases
from helsevev.documentation.notes.template import as_text, laid_over

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
SHELF = Shelf(built_in(), date(2026, 11, 22))
TEMPLATES = dict(SHELF.all(NoteTemplate))
DISCIPLINES = (
    "physician", "nurse", "physiotherapist", "occupational-therapist", "midwife", "psychologist",
    "public-health-nurse", "social-educator",
)  # fmt: skip


@pytest.mark.parametrize("key", TEMPLATES)
def test_the_cases_of_a_template_hold(key: str) -> None:
    assert failures(TEMPLATES[key]) == []


def test_a_case_that_does_not_hold_is_told_in_words() -> None:
    template = TEMPLATES["sykepleienotat"]
    wrong = msgspec.structs.replace(template.case[0], expect=("Puls 999 /min",))
    told = failures(msgspec.structs.replace(template, case=(wrong,)))
    assert told == [f"{wrong.says}: 'Puls 999 /min' is missing"]


@pytest.mark.parametrize("profession", DISCIPLINES)
def test_every_discipline_has_templates_and_phrases_of_its_own(profession: str) -> None:
    kinds = offered(SHELF, profession)
    assert kinds[0].template is not None
    assert len({kind.key for kind in kinds}) == len(kinds)
    assert phrases(SHELF, profession)


def test_every_template_is_of_a_kind_of_note_that_there_is() -> None:
    known = {each.key for each in loading.note_types().type}
    assert {template.kind for template in TEMPLATES.values()} <= known


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ('what = "encounter"', "heading"),
        ('what = "weather"', "weather"),
        ("most = 0", "most must be 1"),
    ],
)
def test_a_template_that_could_never_work_is_refused(changed: str, why: str) -> None:
    plain = (
        'title = "x"\nversion = "1"\nsource = ["x"]\nkind = "nursing"\nprofessions = ["nurse"]\n'
        '[[section]]\nheading = "A"\n[[section.pull]]\nwhat = "note"\nheading = "A"\n'
        '[[case]]\nsays = "x"\nnow = "2026-11-22T12:00:00+01:00"\ngiven = "[]"\nexpect = ["x"]\n'
    )
    read(plain, NoteTemplate, "x")
    broken = plain.replace(
        'what = "note"', changed if "what" in changed else f'what = "note"\n{changed}'
    )
    with pytest.raises(ContentError, match=why):
        read(broken, NoteTemplate, "x")


def test_a_phrase_stands_where_its_key_was_typed_and_nowhere_else() -> None:
    doctors = SHELF.one(Phrases, "lege")
    assert doctors is not None
    assert doctors.expanded("I dag .cor").startswith("I dag Cor:")
    assert doctors.expanded("pris 1.cor") == "pris 1.cor"
    with pytest.raises(ContentError, match="not"):
        read(
            'title = "x"\nversion = "1"\nsource = ["x"]\nprofessions = ["nurse"]\n'
            '[[phrase]]\nkey = "a"\nlabel = "a"\ntext = "Alt vel."\n'
            '[[case]]\ntyped = ".a"\ngives = "Ikke det."\n',
            Phrases, "x",
        )  # fmt: skip


HEADINGS = ["Aktuelt", "Funn", "Plan", "Vurdering"]
WORDS = st.lists(
    st.one_of(st.sampled_from([f"{h}:" for h in HEADINGS]), st.text("ab æ.\n", max_size=12)),
    max_size=8,
).map("\n".join)


@given(typed=WORDS, other=st.permutations(HEADINGS))
def test_laying_another_template_over_a_note_never_takes_a_word_away(
    typed: str, other: list[str]
) -> None:
    opened = [(heading, f"Hentet {heading}") for heading in other[:3]]
    laid = laid_over(typed, opened, HEADINGS)
    before, after = split(typed, HEADINGS), split(laid, HEADINGS)
    for heading, words in before:
        kept = "\n".join(text for known, text in after if known == heading)
        assert "".join(words.split()) in "".join(kept.split())


def test_facts_stand_only_under_headings_where_nothing_is_written() -> None:
    opened = [("Funn", "Puls 82 /min"), ("Plan", "")]
    laid = laid_over("Funn:\nMitt eget funn", opened, HEADINGS)
    assert laid == "Funn:\nMitt eget funn\n\nPlan:\n"
    assert laid_over("", opened, HEADINGS) == as_text(opened)
