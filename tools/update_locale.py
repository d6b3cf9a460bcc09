"""Keeps src/helsevev/locale/nb/<room>.po in step with the texts each room shows.

Usage: python tools/update_locale.py [--check]
  Adds texts that lack a translation (with an empty one, to be filled in) and drops those no longer
  shown. --check changes nothing; exit status 1 when something is missing, empty or unused.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "helsevev"
LOCALE = PACKAGE / "locale" / "nb"
POLICIES = PACKAGE / "content" / "access" / "policies"
PROFESSIONS = PACKAGE / "content" / "access" / "professions.toml"
SAID = re.compile(r'^@(?:reason|patient)\("([^"]+)"\)', re.MULTILINE)
"""What a rule of access says of itself to those whom it concerns."""

QUOTED = re.compile(r'"([a-z-]+)"')
"""The words by which professions are told apart."""

_TEMPLATES = {
    "trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.do", "silent": "false",
}  # fmt: skip
"""As the pages are rendered; a template that cannot be read is an error."""

KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}

Text = tuple[str | tuple[str, ...], str | None]
"""A text as gettext knows it (one form, or singular and plural), and its context."""


def rooms() -> list[Path]:
    """Return every folder that may show texts; the ground and the locale itself have none."""
    return sorted(
        path
        for path in PACKAGE.iterdir()
        if path.is_dir() and path.name not in ("locale", "__pycache__")
    )


def texts_of(room: Path) -> dict[Text, set[str]]:
    """Return what a room shows: text -> the files (relative to the package) that show it."""
    found: dict[Text, set[str]] = {}
    for path, method in _files(room):
        options = _TEMPLATES if method != "python" else {}
        for _, text, _, context in extract_from_file(method, path, KEYWORDS, options=options):
            found.setdefault((text, context), set()).add(path.relative_to(PACKAGE).as_posix())
    if room.name == "access":
        for path in sorted(POLICIES.glob("*.cedar")):
            for text in SAID.findall(path.read_text("utf-8")):
                found.setdefault((text, None), set()).add(path.relative_to(PACKAGE).as_posix())
    return found


def literals_of(room: Path) -> set[str]:
    """Return every string in the room's Python: texts that are translated where they are shown.

    For `access` also the professions, which its content names.
    """
    professions = QUOTED.findall(PROFESSIONS.read_text("utf-8")) if room.name == "access" else ()
    return set(professions) | {
        node.value
        for path in room.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _files(room: Path) -> Iterator[tuple[Path, str]]:
    yield from ((path, "python") for path in sorted(room.rglob("*.py")))
    yield from (
        (path, "jinja2.ext:babel_extract") for path in sorted(room.rglob("templates/**/*.html"))
    )


def faults(room: Path) -> list[str]:
    """Return what is wrong, a sentence each: missing, empty or unused translations."""
    shown, known, literals = texts_of(room), _catalogue(room), literals_of(room)
    problems = []
    for (text, context), files in sorted(shown.items(), key=str):
        translated = known.get(text, context)
        string = translated.string if translated else ""
        if not string or (isinstance(string, tuple) and not all(string)):
            problems.append(f"locale/nb/{room.name}.po lacks {text!r}, shown in {min(files)}")
    for message in known:
        used = (message.id, message.context) in shown or message.id in literals
        if message.id and not used:
            problems.append(f"locale/nb/{room.name}.po has {message.id!r}, which is shown nowhere")
    return problems


def _catalogue(room: Path) -> Catalog:
    path = LOCALE / f"{room.name}.po"
    if not path.exists():
        return _empty()
    with path.open("rb") as file:
        return read_po(file, locale="nb")


def _empty() -> Catalog:
    return Catalog(locale="nb", header_comment="", charset="utf-8", fuzzy=False)


def update(room: Path) -> int:
    """Write the room's file anew; returns how many texts wait for a translation."""
    shown, known, fresh = texts_of(room), _catalogue(room), _empty()
    by_hand = literals_of(room)
    for message in known:
        if isinstance(message.id, str) and message.id in by_hand:
            shown.setdefault((message.id, message.context), {f"{room.name} (by hand)"})
    for (text, context), files in sorted(
        shown.items(), key=lambda item: (min(item[1]), str(item[0]))
    ):
        translated = known.get(text, context)
        fresh.add(
            text,
            translated.string if translated else None,
            locations=[(file, 1) for file in sorted(files)],
            context=context,
        )
    path = LOCALE / f"{room.name}.po"
    if shown:
        with path.open("wb") as file:
            write_po(file, fresh, width=0, include_lineno=False, omit_header=True)
        text_of_file = path.read_text("utf-8")
        header = (
            'msgid ""\nmsgstr ""\n"Language: nb\\n"\n'
            f'"Plural-Forms: {fresh.plural_forms}\\n"\n'
            '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        )
        path.write_text(header + text_of_file.strip() + "\n", "utf-8")
    return sum(1 for message in fresh if message.id and not any(message.string or ()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or update every room; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("room", nargs="*", help="only these rooms")
    options = parser.parse_args(arguments)
    if options.check:
        problems = [problem for room in rooms() for problem in faults(room)]
        print(*problems, sep="\n", end="\n" if problems else "")
        return 1 if problems else 0
    for room in rooms():
        if options.room and room.name not in options.room:
            continue
        waiting = update(room)
        if waiting:
            print(f"{room.name}: {waiting} texts wait for a translation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
