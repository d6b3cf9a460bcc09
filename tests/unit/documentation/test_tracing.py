"""What of a note is fetched and what is copied: marked as such, however it came there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helsevev.documentation.note import Author, NoteType, correct_note, sign_note
from helsevev.documentation.panel import composition
from helsevev.documentation.tracing import COPY, RECORD, Known, Trace, Tracer, stretches, traces_of

AT = datetime(2026, 11, 22, 11, tzinfo=UTC)
KARI = Author("Practitioner/kari", "Kari Vik", "Organization/ward", "Ward 3")
KIND = NoteType("http://loinc.org", "11506-3", "Journalnotat")
PULSE = Trace("Puls 82 /min (22.11.2026 08:10)", RECORD, "Observation/puls", "3")
FIRST = Known("Composition/1", "Notat 20.11.2026, Ola", "Våken og klar hele dagen.\nPlan uendret.")
LATER = Known("Composition/2", "Notat 21.11.2026, Eva", FIRST.text + "\nSpiste hele måltidet selv.")
TRACER = Tracer({PULSE.line: PULSE}, [FIRST, LATER], ["Hud hel og tørr, ingen trykkmerker."])


def signed(plain: str) -> dict[str, Any]:
    return sign_note(
        plain, patient_id="p", kind=KIND, author=KARI, at=AT, headings=["Funn"], tracer=TRACER
    )


def test_a_fact_keeps_the_entry_it_was_read_from_and_its_version() -> None:
    note = signed("Funn:\nPuls 82 /min (22.11.2026 08:10)\nVarm og tørr.")
    section = note["section"][0]
    assert traces_of(section) == [PULSE]
    assert section["entry"] == [{"reference": "Observation/puls"}]


def test_a_fact_that_was_changed_is_the_writer_s_own() -> None:
    assert TRACER.of("Puls 83 /min (22.11.2026 08:10)") == []


def test_copied_lines_name_the_note_in_which_they_were_first_written() -> None:
    found = TRACER.of("Nytt i dag.\n- Våken og klar hele dagen.\nPlan uendret.")
    assert [(trace.line, trace.kind, trace.source) for trace in found] == [
        ("Våken og klar hele dagen.", COPY, "Composition/1"),
        ("Plan uendret.", COPY, "Composition/1"),
    ]


def test_the_longest_run_decides_between_two_notes() -> None:
    found = TRACER.of(LATER.text)
    assert {trace.source for trace in found} == {"Composition/2"}


def test_a_short_line_alone_and_a_phrase_that_everybody_uses_are_nobody_s() -> None:
    assert TRACER.of("Plan uendret.") == []
    used = Known("Composition/3", "Notat", "Hud hel og tørr, ingen trykkmerker.")
    tracer = Tracer({}, [used], ["Hud hel og tørr, ingen trykkmerker."])
    assert tracer.of("Hud hel og tørr, ingen trykkmerker.") == []


def test_a_correction_keeps_the_marks_of_lines_that_stay_and_drops_those_that_go() -> None:
    note = signed("Funn:\nPuls 82 /min (22.11.2026 08:10)\nVåken og klar hele dagen.")
    corrected = correct_note(
        note, "Funn:\nVåken og klar hele dagen.\nSpiste hele måltidet selv.", author=KARI, at=AT,
        why="Pulsen var en annens", headings=["Funn"], tracer=TRACER,
    )  # fmt: skip
    section = corrected["section"][0]
    assert [trace.line for trace in traces_of(section)] == [
        "Våken og klar hele dagen.", "Spiste hele måltidet selv.",
    ]  # fmt: skip
    assert "entry" not in section
    assert composition(corrected).corrected_why == "Pulsen var en annens"


def test_the_reader_sees_who_wrote_which_lines() -> None:
    note = composition(signed("Funn:\nPuls 82 /min (22.11.2026 08:10)\n\nVarm.\nPlan A gjelder."))
    assert [(s.kind, s.text) for s in note.titled[0].stretches] == [
        (RECORD, "Puls 82 /min (22.11.2026 08:10)"), ("", "Varm.\nPlan A gjelder."),
    ]  # fmt: skip


@given(st.text("ab\n -•", max_size=60), st.lists(st.sampled_from(["a", "ab", "b b"])))
def test_marking_lines_changes_no_word(written: str, lines: list[str]) -> None:
    traces = [Trace(line, COPY, f"Composition/{line}") for line in lines]
    shown = "".join(stretch.text for stretch in stretches(written, traces))
    assert "".join(shown.split()) == "".join(written.split())
