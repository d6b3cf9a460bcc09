"""What the styles ask the theme for is there, also after the design system is upgraded."""

from __future__ import annotations

import re
from functools import cache

import pytest

from helsevev.screens.static_files import FOLDER, asset

_NAME = r"(--(?:ds|hv)-[\w-]+)"


@cache
def styles() -> str:
    """The bundle that browsers get: the design system, the theme and what is ours."""
    name = asset("app.css").removeprefix("/static/")
    if name == "app.css":
        pytest.skip("The assets are not built: make assets builds them.")
    return (FOLDER / name).read_text("utf-8")


def test_every_property_that_is_read_is_declared() -> None:
    read = set(re.findall(rf"var\({_NAME}\)", styles()))
    declared = set(re.findall(rf"{_NAME}\s*:", styles()))
    assert read
    assert read - declared == set()


def test_every_property_of_ours_is_read() -> None:
    declared = set(re.findall(r"(--hv-[\w-]+)\s*:", styles()))
    read = set(re.findall(r"var\((--hv-[\w-]+)", styles()))
    assert declared
    assert declared - read == set()
