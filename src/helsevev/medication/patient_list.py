"""A patient's medicines in plain words, for the patient to keep: what the page and the PDF show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from helsevev.locale import gettext as _
from helsevev.medication.panel import Medicine, Medicines

_MOST_STOPPED: Final = 20


class Row(Struct, frozen=True):
    """One medicine: what it is called, how it is taken line by line, what for, and since when.

    `since` is a day (ISO 8601), "" when nobody has said it.
    """

    name: str
    substance: str
    how: tuple[str, ...]
    what_for: str
    since: str


class Part(Struct, frozen=True):
    """Medicines that are taken in one way, with what to do about them."""

    title: str
    explained: str
    rows: tuple[Row, ...]


def plain_list(listed: Medicines) -> tuple[Part, ...]:
    """The list in parts, those without medicines left out."""
    parts: list[tuple[str, str, tuple[Medicine, ...]]] = [
        (_("Every day, or as it says"), _("Take these also when you feel well."), listed.regular),
        (_("Only when you need it"), _("Never take more than it says in 24 hours."),
         listed.as_needed),
        (_("For a time"), _("Take these until the last day, then stop."), listed.course),
        (_("Not now"), _("Wait with these until somebody who treats you says so."), listed.paused),
        (_("Ask about these"), _("It is not clear whether you take them."), listed.uncertain),
        (_("Stopped: do not take these"), _("Hand what is left in at a pharmacy."),
         listed.stopped[:_MOST_STOPPED]),
    ]  # fmt: skip
    return tuple(
        Part(title, explained, tuple(_row(each) for each in group))
        for title, explained, group in parts
        if group
    )


def _row(medicine: Medicine) -> Row:
    how = [dose.words for dose in medicine.doses if dose.words]
    notes: tuple[tuple[bool, Callable[[], str]], ...] = (
        (medicine.is_multidose, lambda: _("comes in the multidose bags")),
        (bool(medicine.stopped_because), lambda: f"{_('Why:')} {medicine.stopped_because}"),
    )
    how += [words() for holds, words in notes if holds]
    since = medicine.since.text if medicine.since else ""
    return Row(
        medicine.name, medicine.substance, tuple(how) or (_("Ask how to take it."),),
        ", ".join(medicine.reasons), since,
    )  # fmt: skip
