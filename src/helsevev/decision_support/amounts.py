"""Amounts: doses above what age, weight and kidney function allow, and medicines not for an age."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from helsevev.content.decision_shapes import CheckRule, DoseRule, Level
from helsevev.decision_support.cards import Card, Suggestion
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.situation import (
    Dosing,
    Medicine,
    Situation,
    below,
    largest,
    most_in_a_day,
)
from helsevev.locale import gettext as _


def dose_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """Doses above (or far below) what the patient's age and weight allow."""
    order, patient = situation.order, situation.patient
    about = [rule for rule in known.doses.dose if rule.is_about(known.codes(order))]
    if not about:
        return
    if patient.months is None:
        yield cannot_run("age", "patient-fact", _("The age is not known: the dose is not checked."))
        return
    for rule in [rule for rule in about if rule.holds_at(patient.months)]:
        dosings = known.amounts(order, rule)
        if dosings is None:
            text = _("A product of several substances: the amount of each is not checked.")
            yield cannot_run("dose", "dose-text", text)
            continue
        if rule.needs_weight and patient.weight is None:
            text = _("No weight of late: the dose for each kilogram is not checked.")
            yield cannot_run("weight", "patient-fact", text)
        found = list(_above(rule, situation, known, dosings))
        yield from found
        unsaid = largest(dosings, rule.unit) is None and most_in_a_day(dosings, rule.unit) is None
        if not found and unsaid:
            yield cannot_run("dose", "dose-text", _not_an_amount(order))


def _not_an_amount(order: Medicine) -> str:
    if any(each.counted for each in order.dosings):
        return _(
            "The strength of %(medicine)s is not known, or not for this unit: the dose is not"
            " checked."
        ) % {"medicine": order.name}
    return _("The dose is not given as an amount: it is not checked.")


def _above(
    rule: DoseRule, situation: Situation, known: Knowledge, dosings: tuple[Dosing, ...]
) -> Iterator[Card]:
    order, weight = situation.order, situation.patient.weight
    single, daily = largest(dosings, rule.unit), most_in_a_day(dosings, rule.unit)
    together, beside, unmeasured = _together(rule, situation, known, daily)
    asked = [
        (single, rule.single, _("each time")),
        (single, _times(rule.single_per_kg, weight), _("each time")),
        (together, rule.daily, _("in 24 hours")),
        (together, _times(rule.daily_per_kg, weight), _("in 24 hours")),
    ]
    over = [(given, most, when) for given, most, when in asked
            if given is not None and most is not None and given > most]  # fmt: skip
    if over:
        given, most, when = max(over, key=lambda each: each[0] / each[1])
        level: Level = "stop" if given >= most * rule.stop_at else rule.level
        said = _("Ordered %(given)s %(unit)s %(when)s; at most %(most)s.") % {
            "given": plain(given), "unit": rule.unit, "when": when, "most": plain(most),
        }  # fmt: skip
        rests = (*beside, situation.patient.words("weight")) if rule.needs_weight else beside
        yield card(f"dose.{rule.id}", rule, level, known, order, f"{said} {rule.text}", rests)
    elif rule.lowest_daily is not None and daily is not None and daily < rule.lowest_daily:
        said = _("Ordered %(given)s %(unit)s in 24 hours; usually at least %(least)s.") % {
            "given": plain(daily), "unit": rule.unit, "least": plain(rule.lowest_daily),
        }  # fmt: skip
        yield card(f"dose-low.{rule.id}", rule, "quiet", known, order, said, ())
    if not over and unmeasured:
        text = _("%(medicine)s holds the same substance, but not how much: it is not counted.")
        yield cannot_run("dose-together", "dose-text", text % {"medicine": ", ".join(unmeasured)})


def _together(
    rule: DoseRule, situation: Situation, known: Knowledge, daily: Decimal | None
) -> tuple[Decimal | None, tuple[str, ...], tuple[str, ...]]:
    """The most in 24 hours of all that the rule is for, what of it is in use, what is unmeasured.

    A product of several substances counts with what it holds of this one.
    """
    if daily is None:
        return None, (), ()
    total, beside, unmeasured = daily, [], []
    for other in situation.others:
        if not rule.is_about(known.codes(other)):
            continue
        dosings = known.amounts(other, rule)
        more = most_in_a_day(dosings, rule.unit) if dosings is not None else None
        if more is None:
            unmeasured.append(other.name)
            continue
        total += more
        beside.append(other.name)
    return total, tuple(beside), tuple(unmeasured)


def _times(per_kg: Decimal | None, weight: Decimal | None) -> Decimal | None:
    return per_kg * weight if per_kg is not None and weight is not None else None


def age_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """Medicines that are not for somebody of this age."""
    order, months = situation.order, situation.patient.months
    codes = known.codes(order)
    rules = [rule for rule in known.doses.age if rule.is_about(codes)]
    if rules and months is None:
        text = _("The age is not known: it is not checked whether the medicine is for it.")
        yield cannot_run("age", "patient-fact", text)
        return
    for rule in rules:
        if months is not None and rule.holds_at(months):
            yield card(f"age.{rule.id}", rule, rule.level, known, order, rule.text, ())


def kidney_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """Medicines to leave out or give less of when the kidneys work badly: the strictest rule."""
    order, patient = situation.order, situation.patient
    codes = known.codes(order)
    rules = [rule for rule in known.doses.kidney if rule.is_about(codes)]
    if rules and patient.egfr is None:
        text = _("No kidney function of late: the dose is not checked against it.")
        yield cannot_run("kidney", "patient-fact", text)
        return
    holding = [r for r in rules if patient.egfr is not None and patient.egfr < r.below]
    for rule in sorted(holding, key=lambda r: r.below)[:1]:
        rests = (patient.words("egfr"),)
        if rule.daily is None:
            yield card(f"kidney.{rule.id}", rule, rule.level, known, order, rule.text, rests)
            continue
        dosings = known.amounts(order, rule)
        given = most_in_a_day(dosings, rule.unit) if dosings is not None else None
        if given is None:
            text = _("The dose is not given as an amount: it is not checked against the kidneys.")
            yield cannot_run("kidney-dose", "dose-text", text)
        elif given > rule.daily:
            said = _("Ordered %(given)s %(unit)s in 24 hours; at most %(most)s.") % {
                "given": plain(given), "unit": rule.unit, "most": plain(rule.daily),
            }  # fmt: skip
            text = f"{said} {rule.text}"
            yield card(f"kidney.{rule.id}", rule, rule.level, known, order, text, rests)


def card(
    name: str, rule: CheckRule, level: Level, known: Knowledge, order: Medicine, text: str,
    rests: tuple[str, ...],
) -> Card:  # fmt: skip
    """The card of a rule about the amount of an order."""
    change = _("Change the dose of %(medicine)s") % {"medicine": order.name}
    drop = _("Do not order %(medicine)s") % {"medicine": order.name}
    met = "|".join(below(order.atc, rule.atc) or order.atc)
    return Card(
        rule=name, version=known.doses.version, level=level, title=rule.title, text=text.strip(),
        source=rule.source, key=f"{name}|{met}", rests_on=tuple(each for each in rests if each),
        suggestions=(
            Suggestion("change", change, "review", order.reference),
            Suggestion("drop", drop, "delete", order.reference),
        ),
    )  # fmt: skip


def plain(value: Decimal) -> str:
    """The number as people write it here: no zeros that say nothing, and a comma."""
    written = format(value.quantize(Decimal("0.001")), "f")
    return written.rstrip("0").rstrip(".").replace(".", ",")
