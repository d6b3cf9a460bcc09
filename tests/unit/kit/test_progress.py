"""A bar says how far a command has come to who looks, and nothing into a file."""

from __future__ import annotations

import pytest

from helsevev.kit.progress import Bar


def bar(monkeypatch: pytest.MonkeyPatch, *, looked_at: bool) -> Bar:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    if looked_at:
        monkeypatch.setenv("FORCE_COLOR", "1")
    else:
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    return Bar()


def test_the_end_of_each_part_is_shown_however_soon_it_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with bar(monkeypatch, looked_at=True) as shown:
        for part in ("resources", "indexes"):
            shown.begin()
            for done in range(1, 8):
                shown.show(part, done, 7)
    said = capsys.readouterr().err
    assert "resources" in said
    assert "indexes" in said
    assert "7/7" in said


def test_nothing_but_lines_goes_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with bar(monkeypatch, looked_at=False) as unseen:
        unseen.show("resources", 7, 7)
        unseen.console.print("one could not be stored", markup=False)
    assert capsys.readouterr().err == "one could not be stored\n"
