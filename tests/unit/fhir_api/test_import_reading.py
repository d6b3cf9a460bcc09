"""Files, archives and folders become portions of text, each with a name a person can find again."""

from __future__ import annotations

import bz2
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helsevev.fhir_api.bulk_import import reading
from helsevev.fhir_api.bulk_import.portion import Fault, Portion
from helsevev.fhir_api.bulk_import.reading import Reader, Unreadable, looks_like_input, sources

PATIENT = b'{"resourceType": "Patient", "id": "a"}\n'
LINES = b"".join(b'{"resourceType": "Patient", "id": "p%d"}\n' % n for n in range(3))


def read(*paths: Path) -> list[Portion | Fault]:
    """All that the reader makes of those paths."""
    everything = sources(paths)
    reader = Reader(everything)
    return [found for source in everything for found in reader.of(source)]


def portion(path: Path) -> Portion:
    """The one portion of a file."""
    (found,) = read(path)
    assert isinstance(found, Portion)
    return found


def fault(path: Path) -> Fault:
    """The one fault of a file."""
    (found,) = read(path)
    assert isinstance(found, Fault)
    return found


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.json", bytes), ("a.json.gz", gzip.compress), ("a.json.bz2", bz2.compress),
     ("packed-under-another-name.json", gzip.compress), ("A.JSON", bytes)],
)  # fmt: skip
def test_a_resource_is_read_however_it_is_packed(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(PATIENT))
    assert portion(tmp_path / name) == Portion(1, str(tmp_path / name), 0, PATIENT)


@pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl", "a.json", "no-ending"])
def test_lines_are_lines_whatever_their_file_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(LINES)
    assert portion(tmp_path / name).first_line == 1


def test_a_pretty_printed_resource_is_not_taken_for_lines(tmp_path: Path) -> None:
    text = json.dumps({"resourceType": "Patient", "name": [{"family": "A"}]}, indent=1).encode()
    (tmp_path / "a.json").write_bytes(text)
    assert portion(tmp_path / "a.json") == Portion(1, str(tmp_path / "a.json"), 0, text)


def test_lines_come_in_portions_that_know_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 100)
    lines = [b'{"resourceType":"Patient","id":"%d"}' % n for n in range(50)]
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(lines))
    found = read(tmp_path / "a.ndjson")
    assert len(found) > 10
    again: list[bytes] = []
    for each in found:
        assert isinstance(each, Portion)
        assert each.first_line == len(again) + 1
        again += each.text.splitlines()
    assert again == lines


def test_members_of_an_archive_are_named_with_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/second.json", PATIENT)
        archive.writestr("a/first.json.gz", gzip.compress(PATIENT))
        archive.writestr("README.txt", "not FHIR")
        archive.writestr("inner.zip", b"PK\x03\x04")
    first, second, inner = read(tmp_path / "a.zip")
    assert isinstance(first, Portion)
    assert first.file.endswith("a.zip/a/first.json.gz")
    assert first.text == PATIENT
    assert isinstance(second, Portion)
    assert isinstance(inner, Fault)


def test_a_folder_is_read_in_sorted_order_and_only_what_may_be_fhir(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    for name in ("z/b.json", "z/a.ndjson", "c.json.bz2", "SOURCES.md", "picture.png", "note.gz"):
        (tmp_path / name).write_bytes(PATIENT)
    names = [source.path.relative_to(tmp_path).as_posix() for source in sources([tmp_path])]
    assert names == ["c.json.bz2", "z/a.ndjson", "z/b.json"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(PATIENT)
    assert len(sources([tmp_path / "a.json", tmp_path])) == 1


def test_paths_without_input_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="nowhere"):
        sources([tmp_path / "nowhere"])
    with pytest.raises(Unreadable, match="holds no"):
        sources([tmp_path])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("cut.json.gz", gzip.compress(PATIENT * 99, mtime=0)[:-9], "cannot be read"),
     ("cut.json.bz2", bz2.compress(PATIENT * 99)[:-9], "cannot be read"),
     ("broken.zip", b"PK\x03\x04 and nothing more", "cannot be read"),
     ("empty.json", b"", "empty"),
     ("blank.ndjson", b" \n\n", "empty")],
)  # fmt: skip
def test_a_broken_file_says_what_is_wrong(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert says in fault(tmp_path / name).reason
    assert fault(tmp_path / name).file.endswith(name)


def test_the_rest_of_an_archive_is_read_when_a_member_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("1.json", b'{"resourceType": "Patient", "id": "damaged"}')
        archive.writestr("2.json", PATIENT)
    path.write_bytes(path.read_bytes().replace(b'"damaged"', b'"DAMAGED"', 1))
    first, second = read(path)
    assert isinstance(first, Fault)
    assert first.file.endswith("a.zip/1.json")
    assert isinstance(second, Portion)


def test_bombs_are_refused_before_they_go_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_UNSUSPICIOUS", 1_000_000)
    blown_up = b'{"resourceType":"Patient","id":"a"}' + b" " * 9_999_964 + b"\n"
    (tmp_path / "lines.ndjson.bz2").write_bytes(bz2.compress(blown_up * 3))
    assert "expands" in fault(tmp_path / "lines.ndjson.bz2").reason
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ndjson", blown_up)
    assert "expands" in fault(tmp_path / "a.zip").reason


def test_one_text_has_a_limit_and_so_has_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 1_000)
    monkeypatch.setattr(reading, "LARGEST_TEXT", 5_000)
    monkeypatch.setattr(reading, "LONGEST_LINE", 3_000)
    (tmp_path / "a.json").write_bytes(b"{" + b" " * 6_000 + b"}")
    assert "write its resources as NDJSON" in fault(tmp_path / "a.json").reason
    (tmp_path / "a.ndjson").write_bytes(b"{" + b" " * 6_000 + b"}")
    assert "Line 1 is longer" in fault(tmp_path / "a.ndjson").reason


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(PATIENT * 1))
    (tmp_path / "b.json").write_bytes(PATIENT)
    everything = sources([tmp_path])
    reader = Reader(everything)
    for source in everything:
        assert list(reader.of(source))
        reader.passed(source)
    assert reader.done == reader.total == sum(source.size for source in everything)


@pytest.mark.parametrize(
    ("name", "is_input"),
    [("a.json", True), ("a.ndjson.gz", True), ("a.zip", True), ("a.zip.gz", False),
     ("a.xml", False), ("a.gz", False)],
)  # fmt: skip
def test_only_known_endings_are_taken_from_folders(name: str, is_input: bool) -> None:
    assert looks_like_input(name) is is_input
