"""A Norwegian reader meets Norwegian words and dates, no machinery, and no dead end."""

from __future__ import annotations

import re

import pytest

from .conftest import SignIn
from .places import PAGES, drawn
from .user import User

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("name", list(PAGES))]

ENGLISH = re.compile(
    r"\b(the|and|with|you|your|is|are|was|has|have|this|that|these|record|records|patient|patients"
    r"|search|new|unknown|yes|allergy|results?|draft|notes?|medications?|loading|signed|error"
    r"|birth|name|number|date|today|yesterday|ago|female|male|active|completed|finished|final)\b",
    re.IGNORECASE,
)
# Words that are both: units of measurement, names of medicines' makers, what one calls oneself.
_ALSO_NORWEGIAN = {"male"}
_NAMES = re.compile(r"Timed Up and Go")
"""Tests that are called so in Norwegian too."""
MACHINERY = re.compile(
    r"\b(None|null|undefined|NaN|FHIR|Composition|Observation|Encounter|MedicationRequest|Bundle"
    r"|Practitioner|OperationOutcome|resourceType|versionId|HTTP|urn:\S+|demo-[a-z]+"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-\S+|[0-9a-v]{13}-[0-9a-v]{13}|[0-9a-f]{16}-[0-9a-f]{16})\b"
)
_UNIT_CODE = re.compile(r"\{\w+\}|mm\[Hg\]|10\*\d")
_FOREIGN_DATE = re.compile(r"\b(\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{4}|\d\.\d{1,2}\.\d{4})\b")

# What is seen, and what is only heard: labels, titles, placeholders and texts for screen readers.
ALL_WORDS = """() => [document.title, document.body.innerText,
  ...[...document.querySelectorAll('.ds-sr-only')].map(e => e.textContent),
  ...[...document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')].flatMap(e =>
    ['aria-label', 'title', 'placeholder', 'alt'].map(a => e.getAttribute(a) ?? ''))].join('\\n')"""


async def test_no_foreign_words_dates_or_machinery_and_no_dead_links(
    sign_in: SignIn, name: str
) -> None:
    nurse = await sign_in("ward-nurse", start="")
    await drawn(nurse, name)
    words = _NAMES.sub("", await nurse.page.evaluate(ALL_WORDS))
    english = {found[0].lower() for found in ENGLISH.finditer(words)} - _ALSO_NORWEGIAN
    machinery = {found[0] for found in MACHINERY.finditer(words)}
    machinery |= {found[0] for found in _UNIT_CODE.finditer(words)}
    dates = {found[0] for found in _FOREIGN_DATE.finditer(words)}
    assert (english, machinery, dates) == (set(), set(), set())
    assert await dead_links(nurse) == []


async def dead_links(user: User) -> list[tuple[int, str]]:
    """Links of the page that lead nowhere; each address is followed once in a run."""
    links = await user.page.evaluate(
        "() => [...new Set([...document.links].map(a => a.href.split('#')[0]))]"
        ".filter(a => a.startsWith(location.origin) && a !== location.href)"
    )
    dead = []
    for link in sorted({*links} - _followed):
        answer = await user.context.request.get(link)
        if answer.status != 200 and not (answer.status == 403 and "/emergency/" in link):
            dead.append((answer.status, link))
        _followed.add(link)
    return dead


_followed: set[str] = set()
