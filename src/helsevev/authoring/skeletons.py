"""The beginnings of a new item, so that nobody begins on an empty page."""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.content.packs.phrases import Phrases
from helsevev.content.packs.plans import Plan
from helsevev.content.packs.value_sets import ValueSet
from helsevev.locale import gettext as _

_HEAD: Final = """title = {title}
version = "0.1.0"
status = "draft"
source = [{source}]
effective_from = {day}
"""

_BODIES: Final[dict[type[Item], str]] = {
    Form: """
[[item]]
key = "first"
text = "…"
options = [[0, "…"], [1, "…"]]

[[total]]
text = "…"
bands = [[0, "…", "…"], [1, "…", "…", "high"]]

[[case]]
name = "…"
answers = { first = 1 }
expect = { total = 1 }
""",
    Plan: """
[[action]]
key = "first"
title = "…"
at = ["08:00"]

[[case]]
about = "…"
proposes = ["first"]
""",
    ValueSet: """
[[include]]
system = "http://snomed.info/sct"
code = [{ code = "…", display = "…" }]

[[case]]
name = "…"
system = "http://snomed.info/sct"
code = "…"
""",
    Phrases: """
professions = ["nurse"]

[[phrase]]
key = "first"
label = "…"
text = "…"

[[case]]
typed = ".first"
gives = "…"
""",
}
"""Kind -> what follows the head. The others are begun as a copy of one that there is."""


def skeleton(kind: type[Item], title: str, day: date) -> str:
    """The text of a new item of a kind."""
    said = json.dumps(title, ensure_ascii=False)
    source = json.dumps(_("What it rests on"), ensure_ascii=False)
    return _HEAD.format(title=said, source=source, day=day.isoformat()) + _BODIES.get(kind, "")


def begins(kind: type[Item]) -> bool:
    """Whether there are beginnings of a kind."""
    return kind in _BODIES
