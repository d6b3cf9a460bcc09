"""Notes: signed once, corrected openly, and safe to read whoever wrote them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.documentation.headings import joined, split
from helsevev.documentation.narrative import clean, from_plain, from_xhtml, to_plain, to_xhtml
from helsevev.documentation.note import (
    Author,
    NoteType,
    NotSignable,
    check,
    correct_note,
    note_text,
    sign_note,
)
from helsevev.documentation.panel import attachment_text, documents

KIND = NoteType("http://loinc.org", "11506-3", "Journalnotat")
KARI = Author("Practitioner/kari", "Kari Vik", "Organization/ward", "Ward 3")
OLA = Author("Practitioner/ola", "Ola Moe", "Organization/home", "Home care")
AT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)


def signed(plain: str = "Bedre i dag.") -> dict[str, Any]:
    return sign_note(plain, patient_id="p", kind=KIND, author=KARI, at=AT, encounter="Encounter/e")


def test_a_signed_note_says_who_wrote_what_when_about_whom() -> None:
    note = signed()
    assert note["status"] == "final"
    assert note["subject"] == {"reference": "Patient/p"}
    assert note["author"] == [{"reference": "Practitioner/kari", "display": "Kari Vik"}]
    assert note["attester"][0]["time"] == "2026-11-21T12:30:00.000+00:00"
    assert note["custodian"]["reference"] == "Organization/ward"
    assert note["encounter"] == {"reference": "Encounter/e"}
    assert note_text(note) == "Bedre i dag."


@pytest.mark.parametrize("plain", ["", "   ", "\n\n\t", "\x00\x01"])
def test_an_empty_note_cannot_be_signed(plain: str) -> None:
    with pytest.raises(NotSignable):
        signed(plain)


def test_a_correction_keeps_the_first_author_and_adds_the_one_who_corrects() -> None:
    corrected = correct_note(
        signed(), "Bedre i dag. Feberfri.", author=OLA, at=LATER, why="Ny opplysning"
    )
    assert corrected["status"] == "amended"
    assert [a["display"] for a in corrected["author"]] == ["Kari Vik", "Ola Moe"]
    assert [a["party"]["display"] for a in corrected["attester"]] == ["Kari Vik", "Ola Moe"]
    assert note_text(corrected) == "Bedre i dag. Feberfri."


HEADINGS = ("Vurdering", "Plan")


def with_headings(plain: str) -> dict[str, Any]:
    return sign_note(plain, patient_id="p", kind=KIND, author=KARI, at=AT, headings=HEADINGS)


def test_headings_become_sections_and_read_back_as_they_were_written() -> None:
    written = "Kort om pasienten.\n\nVurdering:\nBedring.\n\nTåler kosten.\n\nPlan:\nHjem i morgen."
    note = with_headings(written)
    assert [s["title"] for s in note["section"]] == ["Journalnotat", "Vurdering", "Plan"]
    assert note_text(note) == written


def test_empty_headings_are_not_signed() -> None:
    assert [s["title"] for s in with_headings("Vurdering:\n\nPlan:\nHjem.")["section"]] == ["Plan"]
    with pytest.raises(NotSignable):
        with_headings("Vurdering:\n\n\nPlan:\n")


def test_a_correction_changes_its_section_and_keeps_what_else_sections_hold() -> None:
    note = with_headings("Vurdering:\nBedring.\n\nPlan:\nHjem i morgen.")
    note["section"][0]["entry"] = [{"reference": "Observation/1"}]
    corrected = correct_note(note, "Plan:\nHjem mandag.", author=KARI, at=LATER, why="Feil dag")
    assert [s["title"] for s in corrected["section"]] == ["Plan", "Vurdering"]
    assert "text" not in corrected["section"][1]
    assert corrected["section"][1]["entry"] == [{"reference": "Observation/1"}]
    assert note_text(corrected) == "Plan:\nHjem mandag."


@given(st.lists(st.tuples(st.sampled_from(["", *HEADINGS]), st.text(max_size=30)), max_size=4))
def test_no_word_is_lost_between_headings(stretches: list[tuple[str, str]]) -> None:
    kept = split(joined(stretches), HEADINGS)
    assert split(joined(kept), HEADINGS) == kept
    words = " ".join(text for _heading, text in kept).split()
    assert set(words) >= {
        word for _h, text in stretches for word in clean(text).split()
        if not word.casefold().endswith(":") and word.isalnum() and word.isascii()
    }  # fmt: skip


def test_a_correction_that_changes_nothing_is_refused() -> None:
    with pytest.raises(NotSignable):
        correct_note(signed(), " Bedre i dag.\r\n", author=KARI, at=LATER, why="Feil dag")


def test_a_correction_leaves_the_note_it_corrects_as_it_was() -> None:
    note = signed()
    correct_note(note, "Annet.", author=KARI, at=LATER, why="Feil dag")
    assert note == signed()


def test_a_final_composition_without_text_or_author_breaks_the_rules() -> None:
    empty = {"resourceType": "Composition", "status": "final"}
    assert {issue.expression for issue in check(empty)} == {
        "Composition.section", "Composition.author",
    }  # fmt: skip
    assert check({"resourceType": "Composition", "status": "preliminary"}) == []


WRITTEN = st.text(
    st.one_of(st.sampled_from(" \n\t\r<>&\"'-#/a\u00a0\u2003\u2028\x85\ufeff"), st.characters())
)


@given(WRITTEN)
def test_what_was_signed_reads_back_to_the_letter(plain: str) -> None:
    kept = clean(plain)
    assert clean(kept) == kept
    assert to_plain(from_xhtml(to_xhtml(plain))) == kept


@given(st.text(), st.text())
def test_no_markup_that_anyone_types_becomes_markup(before: str, after: str) -> None:
    marked = to_xhtml(f"{before}<script>alert(1)</script><img src=x onerror=y>{after}")
    assert "<script" not in marked
    assert "<img" not in marked


@given(st.text(alphabet="<>/abdiv p='\"&;!-[]tr=hulocksy\n", max_size=200))
def test_any_foreign_narrative_is_read_without_failing(markup: str) -> None:
    for block in from_xhtml(markup):
        assert block.cells


@pytest.mark.parametrize(
    ("markup", "blocks"),
    [
        ("<div><p>One</p><p>Two<br/>lines</p></div>",
         [("paragraph", "One"), ("paragraph", "Two\nlines")]),
        ("<div>Free <b>bold</b> text</div>", [("paragraph", "Free bold text")]),
        ("<ul><li>a</li><li><p>b</p></li></ul>", [("item", "a"), ("item", "b")]),
        ("<h2>Plan</h2>Rest", [("heading", "Plan"), ("paragraph", "Rest")]),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>",
         [("heading-row", "A\tB"), ("row", "1\t2")]),
        ("<p>x</p><script>evil()</script><style>p{}</style><p>y</p>",
         [("paragraph", "x"), ("paragraph", "y")]),
        ("<p>5 &lt; 6 &amp; 7&#160;mg</p>", [("paragraph", "5 < 6 & 7 mg")]),
        (None, []), ("", []), (7, []),
    ],
)  # fmt: skip
def test_foreign_narrative_becomes_plain_blocks(
    markup: object, blocks: list[tuple[str, str]]
) -> None:
    assert [(block.kind, block.text) for block in from_xhtml(markup)] == blocks


def test_headings_of_plain_text_are_seen() -> None:
    assert [b.kind for b in from_plain("# Plan\nRest\n\nHome")] == [
        "heading", "paragraph", "paragraph",
    ]  # fmt: skip


def attachment(plain: str, media_type: str = "text/plain; charset=utf-8") -> dict[str, Any]:
    return {"contentType": media_type, "data": base64.b64encode(plain.encode()).decode()}


def test_the_same_text_as_report_and_as_document_is_shown_once() -> None:
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final",
        "effectiveDateTime": "2026-11-20T10:00:00Z", "presentedForm": [attachment("Chest clear.")],
    }  # fmt: skip
    copied = {
        "resourceType": "DocumentReference", "id": "d", "status": "current",
        "date": "2026-11-20T10:00:00.000Z", "content": [{"attachment": attachment("Chest clear.")}],
    }  # fmt: skip
    other = {**copied, "id": "o", "content": [{"attachment": attachment("Another text.")}]}
    assert [d.id for d in documents([], [copied, other], [report])] == ["r", "o"]


def test_a_report_that_is_only_results_is_not_a_note() -> None:
    report = {"resourceType": "DiagnosticReport", "result": [{"reference": "Observation/1"}],
              "text": {"div": "<div>table of results</div>"}}  # fmt: skip
    assert documents([], [], [report]) == []


def test_a_file_that_is_no_text_is_named_and_not_opened() -> None:
    scan = {"attachment": {"contentType": "application/pdf", "title": "Scan", "data": "JVBERg=="}}
    (shown,) = documents([], [{"resourceType": "DocumentReference", "content": [scan]}])
    assert [(a.title, a.media_type) for a in shown.attached] == [("Scan", "application/pdf")]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (attachment("blå"), "blå"),
        ({"contentType": "text/plain", "data": base64.b64encode("blå".encode("latin-1")).decode()},
         "blå"),
        ({"contentType": "text/plain; charset=klingon", "data": base64.b64encode(b"x").decode()},
         "x"),
        ({"contentType": "text/plain", "url": "https://elsewhere.example/1"}, None),
        ({"contentType": "image/png", "data": "AAAA"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_carried_text_is_read_in_its_own_letters(found: dict[str, Any], text: str | None) -> None:
    assert attachment_text(found) == text


def test_headings_within_a_carried_text_become_sections() -> None:
    plain = "2026-11-21\n\n# Complaint\n- Thirst\n\n# Plan\nRest"
    note = {"resourceType": "DocumentReference", "content": [{"attachment": attachment(plain)}]}
    (shown,) = documents([], [note])
    assert [(s.title, s.text) for s in shown.sections] == [
        ("", "2026-11-21"), ("Complaint", "- Thirst"), ("Plan", "Rest"),
    ]  # fmt: skip
