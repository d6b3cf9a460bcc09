"""A template with the record's facts under its headings, and one laid over what is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from helsevev.content.packs.note_templates import NoteTemplate, TemplateSection
from helsevev.documentation.headings import Stretch, joined, split
from helsevev.documentation.notes.facts import Record, pulled


def opening(
    template: NoteTemplate, record: Record, kinds: Collection[str], now: datetime
) -> list[Stretch]:
    """What a note by a template opens with; `kinds` are the titles of notes of its kind."""
    return [(each.heading, _under(each, record, kinds, now)) for each in template.section]


def as_text(opened: Sequence[Stretch]) -> str:
    """An opening as it stands in the field: each heading, with room below it."""
    return "\n\n".join(f"{heading}:\n{words}" for heading, words in opened)


def laid_over(written: str, opened: Sequence[Stretch], headings: Collection[str]) -> str:
    """What is written, with those headings of a template (as it opens) that are not there yet.

    Not a word that was typed is taken away; headings without words under them are. `headings` are
    all that may stand in the text.
    """
    typed = split(written, headings)
    parts = []
    for heading, words in opened:
        own = [text for known, text in typed if known.casefold() == heading.casefold()]
        parts.append((heading, "\n\n".join(own) or words))
    named = {heading.casefold() for heading, _words in opened}
    besides = [each for each in typed if each[0].casefold() not in named]
    return "\n\n".join(part for part in (joined(besides), as_text(parts)) if part)


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
