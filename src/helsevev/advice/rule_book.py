"""The rules by the name on their cards: what each is called, says and rests on, and how loud."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from msgspec import Struct

from helsevev.content import decision_loading as content
from helsevev.content.decision_shapes import CheckRule
from helsevev.content.shapes import Document
from helsevev.locale import gettext as _

_LISTED: Final = 12


class Rule(Struct, frozen=True):
    """One rule: `kind` is the check that it is part of, `atc` the medicines that it is for.

    `is_reviewed`: its document has been approved by the professionals who own it.
    """

    id: str
    kind: str
    title: str
    text: str
    source: str
    level: str
    atc: tuple[str, ...]
    version: str
    owner: str
    is_reviewed: bool


@cache
def rule_book() -> dict[str, Rule]:
    """Every rule of the content by the name on its cards, the checks of the program's own too."""
    return {rule.id: rule for rule in (*_of_amounts(), *_of_meetings(), *_of_program())}


def title_of(rule: str) -> str:
    """What a rule is called; its name where the content has it no more (a list that was loaded)."""
    known = rule_book().get(rule) or rule_book().get(rule.rpartition(".")[0])
    return known.title if known else rule


def _of_amounts() -> Iterator[Rule]:
    doses, against, apart = content.doses(), content.contraindications(), content.intervals()
    groups: tuple[tuple[str, str, Document, tuple[CheckRule, ...]], ...] = (
        ("dose", _("Dose"), doses, doses.dose),
        ("age", _("Age"), doses, doses.age),
        ("kidney", _("Kidney function"), doses, doses.kidney),
        ("pregnancy", _("Pregnancy"), against, against.pregnancy),
        ("breast-feeding", _("Breast-feeding"), against, against.breast_feeding),
        ("condition", _("Problem"), against, against.condition),
        ("interval", _("Interval"), apart, apart.interval),
        ("duplicate", _("Twice"), content.duplicates(), content.duplicates().duplicate),
    )
    for name, kind, document, rules in groups:
        for rule in rules:
            yield _rule(f"{name}.{rule.id}", kind, rule.title, rule, document)
    for dose in doses.dose:
        if dose.lowest_daily is not None:
            title = _("Low dose: %(rule)s") % {"rule": dose.title}
            yield _rule(f"dose-low.{dose.id}", _("Dose"), title, dose, doses, level="quiet")


def _rule(
    name: str, kind: str, title: str, rule: CheckRule, document: Document, level: str = ""
) -> Rule:
    return Rule(
        name, kind, title, rule.text, rule.source, level or rule.level, rule.atc,
        document.version, document.owner, document.status == "approved",
    )  # fmt: skip


def _of_meetings() -> Iterator[Rule]:
    """Interactions and allergies: what meets what."""
    listed = content.interactions()
    levels = content.levels()
    loud = {1: levels.relevance_1, 2: levels.relevance_2}
    for met in listed.interaction:
        sides = " – ".join(", ".join(side[:3]) for side in (met.first, met.second))
        yield Rule(
            f"interaction.{met.id}", _("Interaction"), f"{met.consequence.partition('.')[0]}",
            f"{sides}. {met.consequence} {met.handling}", met.source,
            met.level or loud.get(met.relevance, "quiet"), (*met.first, *met.second)[:_LISTED],
            listed.version, listed.owner, listed.status == "approved",
        )  # fmt: skip
    allergies = content.allergies()
    is_reviewed = allergies.status == "approved"
    for cross in allergies.cross:
        yield Rule(
            f"allergy.{cross.id}", _("Allergy"), cross.text.partition(".")[0], cross.text,
            cross.source, cross.level, cross.atc, allergies.version, allergies.owner, is_reviewed,
        )  # fmt: skip
    for group in allergies.group:
        title = _("Allergy to the same group: %(group)s") % {"group": group.name}
        yield Rule(
            f"allergy.same-group.{group.id}", _("Allergy"), title, title, allergies.source[0],
            levels.allergy_high, group.atc, allergies.version, allergies.owner, is_reviewed,
        )  # fmt: skip


def _of_program() -> Iterator[Rule]:
    """Checks that need no rule of the content, and those that say that they could not run."""
    levels = content.levels()
    is_reviewed = levels.status == "approved"
    own = (
        ("allergy.known", _("Allergy"), _("Known allergy"), levels.allergy_high),
        ("duplicate.same-substance", _("Twice"), _("The same substance is in use already"),
         levels.same_substance),
        ("as-needed.no-maximum", _("As needed"), _("No maximum in 24 hours"),
         levels.as_needed_without_maximum),
    )  # fmt: skip
    for name, kind, title, level in own:
        yield Rule(
            name, kind, title, title, levels.source[0], level, (), levels.version, levels.owner,
            is_reviewed,
        )  # fmt: skip
    unable = {
        "dose": _("The dose could not be checked"),
        "dose-together": _("The dose of several together could not be checked"),
        "kidney": _("The kidney function is not known"),
        "kidney-dose": _("The dose could not be checked against the kidneys"),
        "weight": _("The weight is not known"), "age": _("The age is not known"),
        "allergies": _("Allergies are not registered"),
        "allergy": _("An allergy has no code that medicines are compared by"),
        "pregnancy": _("It is not known whether the patient is pregnant"),
        "breast-feeding": _("It is not known whether the patient is breast-feeding"),
        "interval": _("The interval could not be checked"),
        "medicine": _("A medicine has no ATC code"),
        "interactions": _("Interactions could not be checked"),
        "withheld": _("Something in the record is withheld"),
    }  # fmt: skip
    for name, title in unable.items():
        level = "interrupt" if name in ("interactions", "medicine") else "quiet"
        yield Rule(
            f"cannot-run.{name}", _("Not checked"), title, title, "", level, (), levels.version,
            levels.owner, is_reviewed,
        )  # fmt: skip
