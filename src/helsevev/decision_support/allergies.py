"""Allergy and cross-allergy, by substance, ATC group and groups of substances."""

from __future__ import annotations

import re
from collections.abc import Iterator

from helsevev.content.decision_shapes import AllergyGroup, Level
from helsevev.decision_support.cards import Card, Suggestion
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.situation import Allergy, Situation, below
from helsevev.locale import gettext as _


def allergy_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """What the patient is known to react to, and may; what cannot be compared is told."""
    patient = situation.patient
    if not patient.has_asked_allergies:
        text = _("Allergies are not registered, and nobody has said that there are none.")
        yield cannot_run("allergies", "patient-fact", text)
    for allergy in patient.allergies:
        groups = groups_of(allergy, known)
        yield from _cards_of(situation, known, allergy, groups)
        if not allergy.atc and not groups and not _is_named(situation, allergy):
            yield cannot_run(
                f"allergy:{allergy.name}", "patient-fact",
                _("The allergy to “%(substance)s” has no code that medicines are compared by.")
                % {"substance": allergy.name},
            )  # fmt: skip


def groups_of(allergy: Allergy, known: Knowledge) -> tuple[AllergyGroup, ...]:
    """The groups of substances that an allergy belongs to, by code or by the words of its text."""
    words = re.findall(r"\w+", allergy.name.casefold())
    return tuple(
        group
        for group in known.allergies.group
        if below(allergy.atc, group.atc)
        or set(allergy.codes) & set(group.codes)
        or any(word.startswith(group.words) for word in words)
    )


def _cards_of(
    situation: Situation, known: Knowledge, allergy: Allergy, groups: tuple[AllergyGroup, ...]
) -> Iterator[Card]:
    levels = known.levels
    own: Level = levels.allergy_high if allergy.is_severe else levels.allergy_low
    codes = known.codes(situation.order)
    named = next((code for group in groups for code in below(codes, group.atc)), "")
    # Who is allergic to one substance alone has the group told as what may cross, not as known.
    is_same = bool(below(codes, allergy.atc)) or (not allergy.atc and bool(named))
    if is_same or _is_named(situation, allergy):
        text = _("Known allergy to %(substance)s.") % {"substance": allergy.name}
        source = _("The patient's list of allergies")
        version = known.allergies.version
        yield _card(situation, "allergy.known", version, own, allergy, text, source)
        return
    within = [group for group in groups if below(codes, group.atc)]
    for group in within:
        text = _("%(substance)s and this medicine are both %(group)s.") % {
            "substance": allergy.name, "group": group.name,
        }  # fmt: skip
        yield _card(
            situation, f"allergy.same-group.{group.id}", known.allergies.version, own, allergy,
            text, known.allergies.source[0],
        )  # fmt: skip
    for cross in known.allergies.cross:
        if cross.group not in {group.id for group in groups} or within:
            continue
        met = below(codes, cross.atc)
        if met and not below(met, cross.unless):
            level = cross.level if allergy.is_severe else "quiet"
            yield _card(
                situation, f"allergy.{cross.id}", known.allergies.version, level, allergy,
                cross.text, cross.source,
            )  # fmt: skip


def _is_named(situation: Situation, allergy: Allergy) -> bool:
    """Whether the allergy's text is the medicine's own name."""
    first = situation.order.name.casefold().split(" ")[0]
    return len(first) > 3 and first in re.findall(r"[\w-]+", allergy.name.casefold())


def _card(
    situation: Situation, rule: str, version: str, level: Level, allergy: Allergy, text: str,
    source: str,
) -> Card:  # fmt: skip
    order = situation.order
    drop = _("Do not order %(medicine)s") % {"medicine": order.name}
    return Card(
        rule=rule, version=version, level=level,
        title=_("Allergy: %(substance)s") % {"substance": allergy.name}, text=text, source=source,
        key=f"{rule}|{allergy.name}|{'|'.join(order.atc)}", rests_on=(allergy.name,),
        suggestions=(Suggestion("drop", drop, "delete", order.reference),),
    )  # fmt: skip
