"""A template with the record's facts under its headings, and one laid over what is written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from helsevev.content.packs.note_templates import NoteTemplate, TemplateSection
from helsevev.documentation.headings import split
from helsevev.documentation.notes.facts import Record, pulled


def opening(template: NoteTemplate, record: Record, kinds: Collection[str], now: datetime) -> str:
    """What a note by a template opens with; `kinds` are the titles of notes of its kind."""
    return "\n\n".join(
        f"{section.heading}:\n{_under(section, record, kinds, now)}" for section in template.section
    )


def laid_over(written: str, opened: str, headings: Collection[str]) -> str:
    """What is written, with those headings of a template (as it opens) that are not there yet.

    Not a word that was typed is taken away; headings without words under them are. `headings` are
    all that may stand in the text.
    """
    typed = split(written, headings)
    there = {heading.casefold() for heading, _text in typed}
    parts = []
    for part in opened.split("\n\n"):
        heading, _colon, words = part.partition(":\n")
        if heading.casefold() in there:
            own = next(text for known, text in typed if known.casefold() == heading.casefold())
            parts.append(f"{heading}:\n{own}")
        else:
            parts.append(f"{heading}:\n{words}")
    named = {part.partition(":\n")[0].casefold() for part in parts}
    besides = [
        f"{heading}:\n{text}" if heading else text
        for heading, text in typed
        if heading.casefold() not in named
    ]
    return "\n\n".join([*besides, *parts])


def _under(section: TemplateSection, record: Record, kinds: Collection[str], now: datetime) -> str:
    lines = [section.text.strip()] if section.text.strip() else []
    for pull in section.pull:
        facts = pulled(pull, record, kinds, now)
        if facts and pull.intro:
            lines.append(pull.intro)
        lines += [fact.words for fact in facts]
        if not facts and pull.none:
            lines.append(pull.none)
    return "\n".join(lines)
