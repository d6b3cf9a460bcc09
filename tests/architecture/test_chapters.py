"""What chapters declare fits together: one owner for each type, a decision for each route."""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any

import pytest
from litestar.handlers import BaseRouteHandler

from .source_files import PACKAGE

_DECISIONS = {"public", "signed-in", "record", "token"}


@pytest.fixture(scope="module")
def chapters() -> tuple[Any, ...]:
    """The chapters that the program is made of."""
    if not (PACKAGE / "main.py").exists():
        pytest.skip("There is no main.py yet, so there is no list of chapters.")
    found: tuple[Any, ...] = importlib.import_module("helsevev.main").CHAPTERS
    return found


def test_a_resource_type_has_one_owner(chapters: tuple[Any, ...]) -> None:
    owners = Counter(kind for chapter in chapters for kind in chapter.owns)
    assert {kind for kind, count in owners.items() if count > 1} == set()


def test_a_rule_belongs_to_the_owner_of_its_type(chapters: tuple[Any, ...]) -> None:
    strangers = {
        f"{chapter.name}: {kind}"
        for chapter in chapters
        for kind in chapter.rules
        if kind not in chapter.owns
    }
    assert strangers == set()


def test_every_route_has_a_decision(chapters: tuple[Any, ...]) -> None:
    undecided = {
        f"{chapter.name}: {route}"
        for chapter in chapters
        for route in chapter.routes
        if isinstance(route, BaseRouteHandler) and route.opt.get("decision") not in _DECISIONS
    }
    assert undecided == set()


def test_every_chapter_is_a_folder_and_listed_once(chapters: tuple[Any, ...]) -> None:
    names = [chapter.name for chapter in chapters]
    assert len(names) == len(set(names))
    assert {name for name in names if not (PACKAGE / name).is_dir()} == set()


def test_every_command_has_its_own_word(chapters: tuple[Any, ...]) -> None:
    words = [command.name for chapter in chapters for command in chapter.commands]
    assert len(words) == len(set(words))
