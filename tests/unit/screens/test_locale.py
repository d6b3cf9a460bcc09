"""Every text is in bokmål, and no translation lies about unused."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from helsevev.locale import merge_rooms, translations
from helsevev.screens.rendering import environment

ROOT = Path(__file__).parents[3]
ROOMS = sorted(
    path for path in (ROOT / "src" / "helsevev").iterdir() if (path / "__init__.py").exists()
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The tool that keeps the translations in step."""
    spec = importlib.util.spec_from_file_location(
        "update_locale", ROOT / "tools" / "update_locale.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("room", [r for r in ROOMS if r.name != "locale"], ids=lambda r: r.name)
def test_every_shown_text_is_translated_and_every_translation_is_shown(
    tool: ModuleType, room: Path
) -> None:
    assert tool.faults(room) == []


def test_no_two_rooms_translate_a_text_differently() -> None:
    assert len(merge_rooms()) > 100


def test_counted_texts_take_the_form_of_their_number() -> None:
    one, many = "%(count)d day", "%(count)d days"
    assert translations().ngettext(one, many, 1) == "%(count)d dag"
    assert translations().ngettext(one, many, 0) == "%(count)d dager"


def test_translations_keep_the_places_where_values_go_in() -> None:
    for message in merge_rooms():
        if not message.id:
            continue
        original = message.id if isinstance(message.id, str) else message.id[-1]
        strings = [message.string] if isinstance(message.string, str) else message.string or []
        for text in strings:
            assert _places(text) == _places(original), original


def _places(text: str) -> set[str]:
    return {part.split(")")[0] for part in text.split("%(")[1:]}


def test_templates_find_every_component() -> None:
    components = vars(environment().globals["ui"])
    assert {"patient_banner", "medication_row", "curve", "note", "command_palette"} <= set(
        components
    )
