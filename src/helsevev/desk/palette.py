"""The command palette: patients and what one can do, for the letters typed so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helsevev.desk.patient_lists import Row
from helsevev.locale import gettext as _
from helsevev.screens.formatting import age, clinical_date

_MOST = 8


def groups(words: str, mine: Sequence[Row], found: Sequence[Row]) -> list[dict[str, Any]]:
    """Groups for the palette: my patients that fit, others that fit, then actions that fit."""
    known = {row.patient_id for row in mine}
    others = [row for row in found if row.patient_id not in known]
    return [
        {"label": _("My patients"), "items": [_person(row) for row in mine[:_MOST]]},
        {"label": _("Others"), "items": [_person(row) for row in others[:_MOST]]},
        {"label": _("Go to"), "items": _actions(words)},
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


def _actions(words: str) -> list[dict[str, Any]]:
    every = [(_("My patients"), "/"), (_("Find a patient"), "/patients")]
    wanted = words.casefold().split()
    return [
        {"label": label, "href": href, "detail": "", "mark": ""}
        for label, href in every
        if all(word in label.casefold() for word in wanted)
    ]
