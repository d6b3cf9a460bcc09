"""The cases of content, worked out: what each kind needs for it is named here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.care_plan.cases import decision_faults, plan_faults
from helsevev.content.loading import news2, vital_signs
from helsevev.content.packs.decisions import Decision
from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.content.packs.note_templates import NoteTemplate
from helsevev.content.packs.orders import Orders
from helsevev.content.packs.phrases import Phrases
from helsevev.content.packs.plans import Plan
from helsevev.content.packs.shelf import Shelf
from helsevev.content.packs.value_sets import ValueSet
from helsevev.content.packs.worklists import Worklist
from helsevev.documentation.notes import cases as note_cases
from helsevev.fhir.questionnaire import prepare
from helsevev.fhir.questionnaire.trying import try_case, try_response
from helsevev.follow_up import listing
from helsevev.observation.flowsheet import cases as flowsheet_cases

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of an item's cases: how many there are, and which do not hold, in words.

    `unknown` means that nothing here can work them out: a fault of the program, not of the content.
    """

    cases: int
    faults: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def holds(self) -> bool:
        """Whether there are cases, and each came out as it says."""
        return bool(self.cases) and not self.faults and not self.unknown


def run(item: Item, shelf: Shelf) -> Ran:
    """Work out an item's cases; `shelf` is what else is in force, for what it refers to."""
    cases = len(item.cases())
    runner = RUNNERS.get(type(item))
    if runner is None:
        return Ran(cases, unknown=bool(cases))
    try:
        return Ran(cases, tuple(runner(item, shelf)))
    except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError) as problem:
        # Whatever an unfinished item leads to, whoever writes it is told, and the others are run.
        _log.exception("the cases of %s could not be worked out", item.key)
        return Ran(cases, (f"{type(problem).__name__}: {problem}",))


def _form(item: Form, _shelf: Shelf) -> Sequence[str]:
    prepared = prepare(item.questionnaire)
    found = [f"{item.key}: {each.link_id} {each.what}" for each in prepared.unsupported]
    for case in item.case:
        whole = case.expect.get("response")
        faults = (
            try_response(prepared, whole)
            if isinstance(whole, dict)
            else try_case(prepared, case.answers, **case.as_tried())
        )
        found.extend(f"{case.name}: {each}" for each in faults)
    return found


def _plan(item: Plan, _shelf: Shelf) -> Sequence[str]:
    return plan_faults(item)


def _decision(item: Decision, _shelf: Shelf) -> Sequence[str]:
    return decision_faults(item)


def _flowsheet(item: Flowsheet, _shelf: Shelf) -> Sequence[str]:
    return flowsheet_cases.faults(item, vital_signs(), news2())


def _phrases(item: Phrases, _shelf: Shelf) -> Sequence[str]:
    given = ((case.typed, item.expanded(case.typed), case.gives) for case in item.case)
    return [f"{typed!r}: {got!r}, not {wanted!r}" for typed, got, wanted in given if got != wanted]


def _orders(item: Orders, _shelf: Shelf) -> Sequence[str]:
    return item.faults()


def _note_template(item: NoteTemplate, _shelf: Shelf) -> Sequence[str]:
    return note_cases.failures(item)


def _value_set(item: ValueSet, _shelf: Shelf) -> Sequence[str]:
    faults = []
    for case in item.case:
        member = item.names(case.system, case.code)
        if member is None:
            faults.append(f"{case.name}: only the terminology can tell; name the code instead")
        elif member != case.member:
            faults.append(f"{case.name}: {case.code} is {'a' if member else 'no'} member")
    return faults


def _worklist(item: Worklist, _shelf: Shelf) -> Sequence[str]:
    return listing.faults(item)


RUNNERS: Final[dict[type[Item], Callable[[Any, Shelf], Sequence[str]]]] = {
    Plan: _plan,
    Decision: _decision,
    Flowsheet: _flowsheet,
    NoteTemplate: _note_template,
    Form: _form,
    Orders: _orders,
    Phrases: _phrases,
    ValueSet: _value_set,
    Worklist: _worklist,
}
"""Kind -> what works out its cases: the cases that do not hold, each in a sentence."""
