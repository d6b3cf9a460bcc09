"""Runs the cases of a template: a record in, the note's opening out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helsevev.content.packs.note_templates import NoteTemplate, TemplateCase
from helsevev.documentation.notes.template import as_text, opening


def failures(template: NoteTemplate) -> list[str]:
    """What of a template's own cases does not hold, in words; [] when all do."""
    return [said for case in template.case for said in _failures(template, case)]


def _failures(template: NoteTemplate, case: TemplateCase) -> list[str]:
    record: dict[str, list[Mapping[str, Any]]] = {}
    for resource in case.record():
        record.setdefault(str(resource.get("resourceType")), []).append(resource)
    opened = opening(template, record, (template.title,), datetime.fromisoformat(case.now))
    lines = as_text(opened).split("\n")
    return [
        *(f"{case.says}: {line!r} is missing" for line in case.expect if line not in lines),
        *(f"{case.says}: {line!r} is there" for line in case.without if line in lines),
    ]
