"""How a patient's orders stand: what was ordered together, how far each came, and its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import (
    concept_text,
    concept_texts,
    mapping,
    moment,
    notes,
    objects,
    of_patient,
    reference_key,
    reference_text,
    sort_key,
    text,
)
from helsevev.follow_up.standing import Standing, standing_of
from helsevev.locale import gettext as _
from helsevev.observation.orders.coding import COLLECT, PERFORM, kind_of, requisition_of, step_of

_FINAL: Final = frozenset({"final", "amended", "corrected", "appended"})


class Placed(Struct, frozen=True):
    """One order: `state` is "ordered", "taken", "answered", "done", "revoked" or "ended"."""

    order: Mapping[str, Any]
    state: str
    report: str

    @property
    def name(self) -> str:
        """What was ordered."""
        return concept_text(self.order.get("code")) or concept_texts(self.order.get("category"))[0]

    @property
    def word(self) -> str:
        """How far it has come, in words."""
        return {
            "ordered": _("ordered"), "taken": _("sample taken"), "answered": _("answer has come"),
            "done": _("carried out"), "revoked": _("withdrawn"),
        }.get(self.state, _("ended"))  # fmt: skip

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of it."""
        return self.state in ("ordered", "taken")


class Placing(Struct, frozen=True):
    """What was ordered together, and the steps of it that wait for somebody."""

    key: str
    orders: tuple[Placed, ...]
    steps: tuple[Standing, ...]

    @property
    def lead(self) -> Mapping[str, Any]:
        """The first of its orders, which says what is common to all."""
        return self.orders[0].order

    @property
    def at(self) -> str:
        """When it was ordered."""
        return text(self.lead.get("authoredOn"))

    @property
    def by(self) -> str:
        """Who ordered it."""
        return reference_text(self.lead.get("requester"))

    @property
    def why(self) -> str:
        """What was asked."""
        return "; ".join(concept_texts(self.lead.get("reasonCode")))

    @property
    def note(self) -> str:
        """What was said besides."""
        return "; ".join(notes(self.lead.get("note")))

    @property
    def performers(self) -> str:
        """The units that do it."""
        named = (reference_text(p) for o in self.orders for p in objects(o.order.get("performer")))
        return ", ".join(dict.fromkeys(name for name in named if name))

    @property
    def is_urgent(self) -> bool:
        """Whether it is wanted at once."""
        return text(self.lead.get("priority")) in ("urgent", "asap", "stat")

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of it."""
        return any(each.is_open for each in self.orders)

    @property
    def to_collect(self) -> Standing | None:
        """The samples that are still to be taken."""
        return next((s for s in self.steps if s.is_open and step_of(s.task) == COLLECT), None)

    @property
    def to_perform(self) -> tuple[Standing, ...]:
        """What is still to be done."""
        return tuple(s for s in self.steps if s.is_open and step_of(s.task) == PERFORM)


def placings(
    orders: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    specimens: Iterable[Mapping[str, Any]],
    reports: Iterable[Mapping[str, Any]],
) -> list[Placing]:
    """A patient's orders as they were placed, what is open first, then the newest first."""
    taken = _named_by(specimens, "request")
    answers = {
        key: text(report.get("id"))
        for report in of_patient(reports)
        if text(report.get("status")) in _FINAL
        for key in _references(report.get("basedOn"))
    }
    steps: dict[str, list[Standing]] = {}
    for task in tasks:
        if step_of(task):
            group = text(mapping(task.get("groupIdentifier")).get("value"))
            steps.setdefault(group, []).append(standing_of(task))
    grouped: dict[str, list[Placed]] = {}
    for order in of_patient(orders):
        if text(order.get("status")) == "entered-in-error":
            continue
        key = f"ServiceRequest/{order.get('id')}"
        state = _state(order, key in taken, key in answers)
        group = requisition_of(order) or key
        grouped.setdefault(group, []).append(Placed(order, state, answers.get(key, "")))
    found = [
        Placing(group, tuple(_in_order(each)), tuple(steps.get(group, ())))
        for group, each in grouped.items()
    ]
    found.sort(key=lambda p: (p.is_open, sort_key(moment(p.at))), reverse=True)
    return found


def standing_orders(orders: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Key or code of what is ordered and not answered -> when that was done (a dateTime)."""
    found: dict[str, str] = {}
    for order in of_patient(orders):
        if text(order.get("status")) == "active" and kind_of(order):
            for coding in objects(mapping(order.get("code")).get("coding")):
                found.setdefault(text(coding.get("code")), text(order.get("authoredOn")))
    return found


def _state(order: Mapping[str, Any], is_taken: bool, is_answered: bool) -> str:
    status = text(order.get("status"))
    if status == "revoked":
        return "revoked"
    if is_answered:
        return "answered"
    if status == "completed":
        return "done"
    if status not in ("active", "draft", "on-hold"):
        return "ended"
    return "taken" if is_taken else "ordered"


def _in_order(placed: Sequence[Placed]) -> list[Placed]:
    return sorted(placed, key=lambda p: _place(p.order))


def _place(order: Mapping[str, Any]) -> tuple[int, str]:
    values = [text(i.get("value")) for i in objects(order.get("identifier"))]
    last = next((v.rpartition("-")[2] for v in values), "")
    return (int(last) if last.isdigit() else 0, concept_text(order.get("code")))


def _named_by(resources: Iterable[Mapping[str, Any]], element: str) -> set[str]:
    return {key for each in resources for key in _references(each.get(element))}


def _references(value: object) -> list[str]:
    return [key for each in objects(value) if (key := reference_key(each))]
