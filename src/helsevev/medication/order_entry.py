"""What arrives from an order form, and what its fields and warnings need to be drawn again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from helsevev.content import loading
from helsevev.decision_support.duplicates import SAME_SUBSTANCE
from helsevev.decision_support.reading import MEANT_BESIDE
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO, codes, concept_text, objects
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.checks import MADE_AS, marked
from helsevev.medication.choosing import Choice
from helsevev.medication.coding import ANSWERED, with_extension
from helsevev.medication.opened import Opened
from helsevev.medication.order_checks import Checked
from helsevev.medication.order_form import DAYS, dosages_of
from helsevev.medication.prescription import (
    NotPrescribable,
    Prescriber,
    mark_unchecked,
    prescribe,
)

FIELDS: Final = (
    "patient", "key", "version", "product", "choice", "words", "how", "amount", "unit", "often",
    "at", "hours", "most", "needed_for", "reason", "start", "end", "down", "step_days", "last",
    "rate", "rate_unit", "free_text", "multidose", "own_managed", "why", "other_why", "way",
    "take", "route",
)  # fmt: skip


def fields(form: Mapping[str, str], issues: Sequence[Issue]) -> dict[str, Any]:
    """What the fields of an order need besides their values."""
    known = set(FIELDS)
    ways = [
        ("daily", _("Daily")), ("hours", _("Every so many hours")), ("as-needed", _("As needed")),
        ("taper", _("Step by step")), ("rate", _("Infusion")), ("text", _("In words")),
    ]  # fmt: skip
    return {
        "ways": [{"value": way, "label": label} for way, label in ways],
        "units": loading.order_sentences().units,
        "days": list(zip(DAYS, _weekdays(), strict=True)),
        "chosen_days": form.get("days", "").split(),
        "errors": {i.expression: i.diagnostics for i in issues if i.expression in known},
        "problems": [i.diagnostics for i in issues if i.expression not in known],
    }


def order_of(opened: Opened, form: Mapping[str, str], choice: Choice) -> dict[str, Any]:
    """The order that a form makes, named by the form's key. Raises `NotPrescribable`."""
    dosages = dosages_of(form, today())
    if route := _route(form["route"], choice):
        dosages = [{"route": route, **dosage} for dosage in dosages]
    order = prescribe(
        choice.medicine,
        dosages,
        patient_id=opened.patient_id,
        prescriber=Prescriber(opened.actor.id, opened.actor.name),
        at=clock.now(),
        reason=form["reason"],
        encounter=opened.encounter,
        multidose=bool(form["multidose"]),
        own_managed=bool(form["own_managed"]),
    )
    return {**order, "identifier": [{"system": MADE_AS, "value": f"urn:uuid:{form['key']}"}]}


def _route(chosen: str, choice: Choice) -> Mapping[str, Any] | None:
    """How it is given: the product's one way, or the one that was chosen of several."""
    if len(choice.routes) < 2:
        return next(iter(choice.routes), None)
    found = [each for each in choice.routes if chosen and chosen in codes(each)]
    if not found:
        raise NotPrescribable([error("required", _("Choose how it is given."), "route")])
    return found[0]


def routes_of(choice: Choice) -> list[dict[str, str]]:
    """The ways that a product may be given, for a form to choose from; empty where there is one."""
    if len(choice.routes) < 2:
        return []
    listed = [(min(codes(each), default=""), concept_text(each)) for each in choice.routes]
    return [{"value": "", "label": ""}, *({"value": v, "label": said} for v, said in listed)]


def unanswered(says: Checked, answers: Mapping[str, str]) -> bool:
    """Whether a warning holds the signature back."""
    return any(not answers.get(card.key, "").strip() for card in says.must_answer)


def with_answers(
    order: Mapping[str, Any], says: Checked, answers: Mapping[str, str]
) -> dict[str, Any]:
    """The order as it is signed: with what was answered to its warnings, and what was unchecked."""
    order = marked(mark_unchecked(order, says.unchecked), says.advice)
    told = [
        {"url": ANSWERED, "valueString": f"{card.title}: {answers[card.key].strip()}"}
        for card in says.must_answer
    ]
    made = {**order, "extension": [*objects(order.get("extension")), *told]} if told else {**order}
    meant = [answers[c.key].strip() for c in says.must_answer if c.rule == SAME_SUBSTANCE]
    return with_extension(made, MEANT_BESIDE, {"valueString": meant[0]}) if meant else made


async def answers_of(request: Any) -> dict[str, str]:
    """Card key -> the reason for signing in spite of it."""
    form = await request.form()
    return {
        name.removeprefix("answer:"): str(value)[:500]
        for name, value in form.items()
        if name.startswith("answer:")
    }


async def typed(request: Any) -> dict[str, str]:
    """What the form holds, every field there."""
    form = await request.form()
    found = {name: str(form.get(name, ""))[:500] for name in FIELDS}
    # A press on another way of taking it is that way.
    found["how"] = found["way"] or found["how"]
    return {**found, "days": " ".join(str(day) for day in form.getall("days", []))}


def today() -> date:
    """The day it is in Norway."""
    return clock.now().astimezone(OSLO).date()


def _weekdays() -> tuple[str, ...]:
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
