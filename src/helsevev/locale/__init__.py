"""The only home of Norwegian: one gettext file per room, merged into one catalogue."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HERE = Path(__file__).parent
LANGUAGE = "nb"


class TwoTranslations(ValueError):
    """Two rooms translate the same English text differently; the message names the text."""


def read_room(path: Path, language: str = LANGUAGE) -> Catalog:
    """Read one room's .po file; raises `babel.messages.pofile.PoFileError` when it is broken."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def merge_rooms(language: str = LANGUAGE) -> Catalog:
    """Return every room's translations as one catalogue; raises `TwoTranslations`."""
    merged = Catalog(locale=language)
    for path in sorted((HERE / language).glob("*.po")):
        for message in read_room(path, language):
            if not message.id:
                continue
            known = merged.get(message.id, message.context)
            if known is not None and known.string != message.string:
                raise TwoTranslations(f"{path.name}: {message.id!r}")
            merged.add(message.id, message.string, context=message.context)
    return merged


@lru_cache
def translations(language: str = LANGUAGE) -> GNUTranslations:
    """Return the merged catalogue, ready for look-ups; read once for each language."""
    compiled = io.BytesIO()
    write_mo(compiled, merge_rooms(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def gettext(text: str) -> str:
    """Translate a text that Python code shows; templates use `_()`."""
    return translations().gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Translate a text that counts something, in the form for `count`."""
    return translations().ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    """Translate a text that means one thing here and another elsewhere."""
    return translations().pgettext(context, text)


def style_samples(language: str = LANGUAGE) -> dict[str, Any]:
    """Return the invented people, values and texts that the style page shows."""
    text = (HERE / language / "style_samples.json").read_text("utf-8")
    samples: dict[str, Any] = json.loads(text)
    return samples
