"""What not to give in pregnancy, while breast-feeding, and with some problems."""

from __future__ import annotations

from collections.abc import Iterator

from helsevev.content.decision_shapes import CheckRule
from helsevev.decision_support.cards import Card, Suggestion
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.situation import Patient, Situation
from helsevev.locale import gettext as _


def pregnancy_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """What harms a pregnancy; where nobody has asked, that nobody has."""
    patient = situation.patient
    codes = known.codes(situation.order)
    rules = [rule for rule in known.contraindications.pregnancy if rule.is_about(codes)]
    if not rules or not _may_be_pregnant(patient, known):
        return
    if patient.is_pregnant is None:
        text = _("It is not registered whether she is pregnant: that is not checked.")
        yield cannot_run("pregnancy", "patient-fact", text)
        return
    week = patient.pregnancy_week
    for rule in rules:
        # Where the week is not known, what holds in any part of the pregnancy is told.
        if patient.is_pregnant and (week is None or rule.from_week <= week < rule.to_week):
            told = _("Week %(week)s") % {"week": week} if week is not None else _("Week not known")
            rests = tuple(filter(None, (told, patient.words("pregnancy"))))
            yield _card(f"pregnancy.{rule.id}", rule, situation, known, rests)


def breast_feeding_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """What reaches a child at the breast; where nobody has asked, that nobody has."""
    patient = situation.patient
    codes = known.codes(situation.order)
    rules = [rule for rule in known.contraindications.breast_feeding if rule.is_about(codes)]
    if not rules or not _may_be_pregnant(patient, known):
        return
    if patient.is_breast_feeding is None:
        text = _("It is not registered whether she is breast-feeding: that is not checked.")
        yield cannot_run("breast-feeding", "patient-fact", text)
    elif patient.is_breast_feeding:
        for rule in rules:
            yield _card(f"breast-feeding.{rule.id}", rule, situation, known, ())


def condition_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """What is not given with one of the patient's problems."""
    codes = known.codes(situation.order)
    for rule in known.contraindications.condition:
        if not rule.is_about(codes):
            continue
        met = [
            problem.name or ", ".join((*problem.icd10, *problem.icpc2))
            for problem in situation.patient.problems
            if any(code.startswith(rule.icd10 or ("-",)) for code in problem.icd10)
            or any(code.startswith(rule.icpc2 or ("-",)) for code in problem.icpc2)
        ]
        if met:
            yield _card(f"condition.{rule.id}", rule, situation, known, tuple(met))


def _may_be_pregnant(patient: Patient, known: Knowledge) -> bool:
    """Whether the question arises: what is registered counts whatever the age."""
    if patient.sex == "male":
        return False
    if patient.is_pregnant or patient.is_breast_feeding:
        return True
    facts = known.facts
    return patient.months is None or (
        facts.fertile_from_months <= patient.months < facts.fertile_to_months
    )


def _card(
    name: str, rule: CheckRule, situation: Situation, known: Knowledge, rests: tuple[str, ...]
) -> Card:
    order = situation.order
    drop = _("Do not order %(medicine)s") % {"medicine": order.name}
    return Card(
        rule=name, version=known.contraindications.version, level=rule.level, title=rule.title,
        text=rule.text, source=rule.source, key=f"{name}|{'|'.join(order.atc)}", rests_on=rests,
        suggestions=(Suggestion("drop", drop, "delete", order.reference),),
    )  # fmt: skip
