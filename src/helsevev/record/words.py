"""The words of a resource: its narrative, and whatever else a person or a code has put into it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final

PROSE: Final = frozenset(
    {"ActivityDefinition", "CarePlan", "ClinicalImpression", "Communication",
     "CommunicationRequest", "Composition", "Consent", "DiagnosticReport", "DocumentReference",
     "FamilyMemberHistory", "ImplementationGuide", "Library", "Measure", "PlanDefinition",
     "Questionnaire", "QuestionnaireResponse", "StructureDefinition"}
)  # fmt: skip
"""Types that are mostly prose: their words are kept for `_content`, whether they have a narrative.

Of others the content is read when it is asked for, among what the other conditions find: keeping
it would cost a third of the record's size.
"""

_NO_WORDS: Final = frozenset(
    {"id", "reference", "system", "url", "data", "resourceType", "contentType", "language",
     "lastUpdated", "versionId", "hash", "profile", "fullUrl"}
)  # fmt: skip
_TAG: Final = re.compile(r"<[^>]*>")
_LETTER: Final = re.compile(r"[^\W\d_]")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
"""What is no word, though it has a letter."""

MOST: Final = 60_000
"""Characters of each; PostgreSQL keeps at most a megabyte of words for a resource."""


def narrative(resource: dict[str, Any]) -> str:
    """The text of the resource's narrative, without its tags; empty when it has none."""
    text = resource.get("text")
    div = text.get("div") if type(text) is dict else None
    return _plain(div)[:MOST] if type(div) is str else ""


def content(resource: dict[str, Any]) -> str:
    """Every text and code of the resource besides its narrative."""
    found = " \n".join(text for name, value in resource.items() if name != "text"
                       for text in _texts(name, value))  # fmt: skip
    return found[:MOST]


def _texts(name: str, value: Any) -> Iterator[str]:
    if type(value) is str:
        if name not in _NO_WORDS and _LETTER.search(value) and not _MOMENT.fullmatch(value):
            yield _plain(value) if name == "div" else value
    elif type(value) is list:
        for item in value:
            yield from _texts(name, item)
    elif type(value) is dict:
        for key, inner in value.items():
            yield from _texts(key, inner)


def _plain(div: str) -> str:
    return html.unescape(_TAG.sub(" ", div)).replace("\0", "")


def kept(resource: dict[str, Any]) -> tuple[str, str] | None:
    """(narrative, other words) when they are kept for full text; None when there is nothing."""
    told = narrative(resource)
    if resource["resourceType"] not in PROSE:
        return (told, "") if told else None
    return told, content(resource)
