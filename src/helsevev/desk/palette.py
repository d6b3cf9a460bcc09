"""The command palette: patients and what one can do, for the letters typed so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from helsevev.desk.patient_lists import Row
from helsevev.locale import gettext as _
from helsevev.screens.formatting import age, clinical_date

_MOST = 8
_RECORD: Final = re.compile(r"/patient/[A-Za-z0-9.-]{1,64}(?=/|$)")


def groups(
    words: str, mine: Sequence[Row], found: Sequence[Row], at: str = "", *, may_write: bool = False
) -> list[dict[str, Any]]:
    """Groups for the palette: in this record, my patients, others, and places, as far as they fit.

    `at` is the path of the page that asks: in a record, what can be done there comes first.
    """
    known = {row.patient_id for row in mine}
    others = [row for row in found if row.patient_id not in known]
    here = _RECORD.match(at)
    acts = _fitting(words, _in_record(here[0], may_write)) if here else []
    return [
        *([{"label": _("In this record"), "items": acts}] if acts else []),
        {"label": _("My patients"), "items": [_person(row) for row in mine[:_MOST]]},
        {"label": _("Others"), "items": [_person(row) for row in others[:_MOST]]},
        {"label": _("Go to"), "items": _fitting(words, _places())},
    ]


def _person(row: Row) -> dict[str, Any]:
    facts = (age(row.birth_date), clinical_date(row.birth_date), row.number)
    mark = _("new") if row.is_new else "" if row.may_open else _("no treatment relation")
    return {
        "label": row.name or _("No name recorded"),
        "href": row.href,
        "detail": " · ".join(fact for fact in facts if fact),
        "mark": mark,
    }


def _places() -> list[tuple[str, str]]:
    return [
        (_("My patients"), "/"),
        (_("Find a patient"), "/patients"),
        (_("Medicine round"), "/rounds"),
        (_("Ward stock"), "/stock"),
        (_("Controlled drugs"), "/stock/controlled"),
        (_("Tasks"), "/tasks"),
        (_("Measures today"), "/measures"),
        (_("Pathways"), "/pathways"),
        (_("Inbox"), "/inbox"),
        (_("Hand-over"), "/hand-over"),
        (_("Beds"), "/board"),
        (_("Home visits"), "/visits"),
        (_("Lists"), "/lists"),
        (_("Professional content"), "/content"),
    ]


def _in_record(base: str, may_write: bool) -> list[tuple[str, str]]:
    acts = [(_("Write a note"), f"{base}/notes/new"), (_("Vital signs"), f"{base}/vital-signs"),
            (_("New task"), f"{base}/tasks/new")]  # fmt: skip
    sections = [
        (_("Search in the chart"), f"{base}/search"),
        (_("Overview"), base),
        (_("Timeline"), f"{base}/timeline"),
        (_("Medicines"), f"{base}/medications"),
        (_("Measurements"), f"{base}/measurements"),
        (_("Test results"), f"{base}/results"),
        (_("Notes"), f"{base}/notes"),
        (_("Plans and tasks"), f"{base}/plans"),
        (_("Contacts"), f"{base}/contacts"),
        (_("Who has read"), f"{base}/access"),
    ]
    return [*acts, *sections] if may_write else sections


def _fitting(words: str, every: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    wanted = words.casefold().split()
    return [
        {"label": label, "href": href, "detail": "", "mark": ""}
        for label, href in every
        if all(word in label.casefold() for word in wanted)
    ]
