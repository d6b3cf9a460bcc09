"""Photos and paper: nothing of the camera's is kept, and whatever was written can be printed."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helsevev.documentation.note import Author, NoteType, NotSignable, sign_note
from helsevev.documentation.notes.cosigning import cosigned
from helsevev.documentation.notes.files import JPEG, PDF, NotTaken, Taken, entries, held, taken
from helsevev.documentation.notes.paper import pdf_of_note
from helsevev.documentation.panel import composition
from helsevev.fhir.compartment import subject_of
from helsevev.fhir.validation import validate

AT = datetime(2026, 11, 22, 11, tzinfo=UTC)
KARI = Author("Practitioner/kari", "Kari Vik", "Organization/ward", "Ward 3")
OLA = Author("Practitioner/ola", "Ola Moe", "Organization/ward", "Ward 3")
KIND = NoteType("http://loinc.org", "11506-3", "Journalnotat")
PATIENT = {"name": [{"text": "Åse Ødegård"}], "birthDate": "1942-03-14"}


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 20), **more: Any) -> bytes:
    written = BytesIO()
    Image.new(mode, size, 90 if mode in ("L", "P") else (90,) * len(mode)).save(
        written, kind, **more
    )
    return written.getvalue()


def signed(plain: str = "Bedre i dag.", **more: Any) -> dict[str, Any]:
    return sign_note(plain, patient_id="p", kind=KIND, author=KARI, at=AT, **more)


@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG", comment=b"Trondheim torg"), picture("PNG", "RGBA"), picture("WEBP"),
        picture("PNG", "L"), picture("PNG", "P"), picture("JPEG", "CMYK"),
    ],
)  # fmt: skip
def test_a_photo_of_any_usual_kind_is_kept_without_what_the_camera_adds(content: bytes) -> None:
    found = taken(content)
    assert found.media_type == JPEG
    assert b"Trondheim torg" not in found.content
    assert Image.open(BytesIO(found.content)).mode in ("RGB", "L")


def test_a_photo_is_turned_the_way_it_was_held_and_no_larger_than_is_of_use() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = Image.open(BytesIO(taken(picture("JPEG", size=(4000, 3000), exif=exif)).content))
    assert shown.size == (1800, 2400)
    assert not shown.getexif()


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ", b"<svg onload='x'/>", b"GIF89a", b"\xff\xd8\xff", picture("PNG")[:40]],
)
def test_what_is_no_photo_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(NotTaken):
        taken(content)


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_of_photos_fall(content: bytes) -> None:
    with pytest.raises(NotTaken):
        taken(b"\x89PNG\r\n\x1a\n" + content)


@pytest.mark.parametrize("media_type", [JPEG, PDF])
def test_a_file_is_kept_with_its_person_and_can_be_read_again(media_type: str) -> None:
    file = Taken(media_type, b"%PDF-1.4 x")
    reference, made = entries(
        "Sår", file, patient_id="p", author=KARI, at=AT, encounter="Encounter/e"
    )
    assert reference["reference"] == made[-1]["fullUrl"]
    for entry in made:
        assert subject_of(entry["resource"]) == "Patient/p"
        assert not [i for i in validate({**entry["resource"], "id": "x"}) if i.is_error]
    assert held(made[0]["resource"]) == file


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=300))
def test_whatever_was_written_can_be_printed(plain: str) -> None:
    try:
        note = signed(f"A {plain.replace('___', '')}")
    except NotSignable:
        return
    assert pdf_of_note(composition(note), PATIENT, [], AT).startswith(b"%PDF-")


def test_a_printed_note_takes_as_many_pages_as_it_needs_with_its_photos() -> None:
    long = signed("\n\n".join(["Et avsnitt som fyller en linje eller to på arket. " * 4] * 40))
    photos = [("Sår", picture("JPEG", size=(900, 1200)))]
    short, longer = (
        pdf_of_note(composition(note), PATIENT, photos, AT) for note in (signed(), long)
    )
    assert short.count(b"/Type /Page\n") == 1
    assert longer.count(b"/Type /Page\n") > 2


def test_a_note_awaits_until_somebody_else_has_signed_it() -> None:
    note = signed(cosigner=True)
    assert composition(note).awaits
    with pytest.raises(NotSignable):
        cosigned(note, KARI, AT)
    done = cosigned(note, OLA, AT)
    assert done["status"] == "final"
    assert [a["mode"] for a in done["attester"]] == ["personal", "legal"]
    with pytest.raises(NotSignable):
        cosigned(done, OLA, AT)


def test_a_blank_is_filled_in_or_taken_away_before_a_note_is_signed() -> None:
    with pytest.raises(NotSignable):
        signed("Kontroll om ___ uker.")
