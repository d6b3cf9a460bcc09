"""What is filled for a patient: dosettes, multidose bags, supplies of one's own. Pure.

Each medicine in it is a MedicationDispense (http://hl7.org/fhir/R4/medicationdispense.html) that
keeps the plan it was filled by, so that a list that has changed since is seen, whoever changed it.
A dosette is filled by one and checked by another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir import dates
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    concept_texts,
    first,
    is_mistake,
    mapping,
    notes,
    number,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.kit.projection import Projection
from helsevev.locale import gettext as _
from helsevev.medication.administration import Signer
from helsevev.medication.coding import MULTIDOSE, flag
from helsevev.medication.dosage import doses
from helsevev.medication.round import name_of
from helsevev.medication.timing import Due, is_as_needed, is_planned

FILLING: Final = "http://helsevev.no/fhir/filling"
"""Identifier system: what was filled together, `dosette/…`, `multidose/…` or `own/…`."""
FILLED_AT: Final = "http://helsevev.no/fhir/StructureDefinition/filled-at"
"""valueReference: the unit where it was filled, which changes it when the list does."""
LASTS: Final = "http://helsevev.no/fhir/StructureDefinition/filled-for"
"""valuePeriod: the time that it is filled for."""
CODES: Final = "http://helsevev.no/fhir/CodeSystem/filling"
DOSETTE: Final = "dosette"
BAGS: Final = "multidose"
OWN: Final = "own"
KINDS: Final = (DOSETTE, BAGS, OWN)
_FUNCTION: Final = "http://terminology.hl7.org/CodeSystem/medicationdispense-performer-function"
_STANDS: Final = frozenset({"in-progress", "completed"})


class FillingRefused(ValueError):
    """It cannot be kept as asked for; the message says why, for people."""


class Change(Struct, frozen=True):
    """One way in which the list is otherwise than what was filled."""

    name: str
    what: str
    before: str = ""
    now: str = ""


class Filling(Struct, frozen=True):
    """What was filled together for one patient."""

    id: str
    kind: str
    start: datetime | None
    end: datetime | None
    filled_at: str
    by: tuple[str, ...]
    is_checked: bool
    dispenses: tuple[Mapping[str, Any], ...]

    @property
    def last_day(self) -> datetime | None:
        """A moment of the last day that it is for."""
        return None if self.end is None else self.end - timedelta(seconds=1)

    @property
    def fillers(self) -> frozenset[str]:
        """The references of those who have signed it."""
        return frozenset(
            reference_key(p.get("actor"))
            for d in self.dispenses for p in objects(d.get("performer"))
        )  # fmt: skip

    @property
    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """Name, amount and what was said of each medicine in it."""
        return tuple(
            (name_of(d), _amount(d), "; ".join(notes(d.get("note")))) for d in self.dispenses
        )

    def lasts(self, at: datetime) -> bool:
        """Whether it is for a time that has not passed."""
        return self.end is None or at < self.end


def dispense(
    order: Mapping[str, Any],
    quantity: Mapping[str, Any],
    filling: str,
    by: Signer,
    at: datetime,
    lasts: tuple[datetime, datetime],
    *,
    unit: Mapping[str, Any] | None = None,
    words: str = "",
    packed: datetime | None = None,
) -> dict[str, Any]:
    """One medicine of a filling, by its order as it stands in `order`, signed at a moment.

    `quantity` is how much it is for the time that it `lasts`. `packed`: it came packed since then,
    and who signs has checked it against the list.
    """
    kind = filling.partition("/")[0]
    start, end = lasts
    made: dict[str, Any] = {
        "resourceType": "MedicationDispense",
        "extension": [{"url": LASTS, "valuePeriod": {"start": stamp(start), "end": stamp(end)}}],
        "identifier": [{"system": FILLING, "value": filling}],
        "status": "completed" if packed is not None or kind == OWN else "in-progress",
        "category": {"coding": [{"system": CODES, "code": kind}]},
        "subject": order["subject"],
        "performer": [_performer(by, "packager" if kind == DOSETTE else "finalchecker")],
        "authorizingPrescription": [{"reference": f"MedicationRequest/{order['id']}"}],
        "daysSupply": {"value": max((end - start).days, 1), "unit": "d",
                       "system": "http://unitsofmeasure.org", "code": "d"},
        "whenPrepared": stamp(packed or at),
        "dosageInstruction": objects(order.get("dosageInstruction")),
    }  # fmt: skip
    for name in ("medicationCodeableConcept", "medicationReference"):
        if name in order:
            made[name] = order[name]
    if "encounter" in order:
        made["context"] = order["encounter"]
    if quantity:
        made["quantity"] = dict(quantity)
    if made["status"] == "completed":
        made["whenHandedOver"] = stamp(at)
    if unit:
        made["extension"].append({"url": FILLED_AT, "valueReference": dict(unit)})
    if words.strip():
        made["note"] = [{"text": words.strip()}]
    return made


def checked(filled: Mapping[str, Any], by: Signer, at: datetime) -> dict[str, Any]:
    """What one has filled, and somebody else has checked. Raises `FillingRefused`."""
    if filled.get("status") != "in-progress":
        raise FillingRefused(_("This has been checked already."))
    if by.id in {reference_key(p.get("actor")) for p in objects(filled.get("performer"))}:
        raise FillingRefused(_("Somebody else has to check what you have filled."))
    return {
        **filled,
        "status": "completed",
        "performer": [*objects(filled.get("performer")), _performer(by, "finalchecker")],
        "whenHandedOver": stamp(at),
    }


def undone(filled: Mapping[str, Any], by: Signer, at: datetime, why: str) -> dict[str, Any]:
    """A filling that was taken apart, with why. Raises `FillingRefused`."""
    if len(why.strip()) < 3:
        raise FillingRefused(_("Say why it is taken apart."))
    note = {"authorReference": {"reference": by.id, "display": by.name}, "time": stamp(at),
            "text": why.strip()}  # fmt: skip
    return {**filled, "status": "entered-in-error", "note": [*objects(filled.get("note")), note]}


def check(dispense: Mapping[str, Any]) -> list[Issue]:
    """The rule of one dispense, at every door: a dosette is checked by somebody else."""
    kind = filling_of(dispense).partition("/")[0]
    if kind != DOSETTE or dispense.get("status") != "completed":
        return []
    signed = {reference_key(p.get("actor")) for p in objects(dispense.get("performer"))} - {""}
    if len(signed) >= 2:
        return []
    said = _("A dosette is filled by one and checked by another.")
    return [error("business-rule", said, "MedicationDispense.performer")]


def filling_of(dispense: Mapping[str, Any]) -> str:
    """What it was filled together with; "" when it is no filling."""
    return next(
        (text(i.get("value")) for i in objects(dispense.get("identifier"))
         if i.get("system") == FILLING), "",
    )  # fmt: skip


def fillings(dispenses: Iterable[Mapping[str, Any]]) -> list[Filling]:
    """What stands filled, the newest first."""
    together: dict[str, list[Mapping[str, Any]]] = {}
    for each in dispenses:
        name = filling_of(each)
        if name and not is_mistake(each) and each.get("status") in _STANDS:
            together.setdefault(name, []).append(each)
    found = [_filling(name, listed) for name, listed in together.items()]
    return sorted(found, key=lambda each: each.filled_at, reverse=True)


def newest(found: Iterable[Filling], now: datetime) -> list[Filling]:
    """Of each kind that must follow the list, the newest that lasts."""
    kept: dict[str, Filling] = {}
    for each in found:
        if each.kind in (DOSETTE, BAGS) and each.lasts(now):
            kept.setdefault(each.kind, each)
    return list(kept.values())


def changes(
    filling: Filling, orders: Iterable[Mapping[str, Any]], given_by: Iterable[Mapping[str, Any]]
) -> list[Change]:
    """How the list as it stands is otherwise than what was filled: nothing of it is guessed.

    `given_by` are those of the orders that doses are given by where the patient is now.
    """
    by_id = {text(each.get("id")): each for each in orders}
    found: list[Change] = []
    filled: set[str] = set()
    for each in filling.dispenses:
        order_id = reference_key(first(each.get("authorizingPrescription"))).partition("/")[2]
        filled.add(order_id)
        order = by_id.get(order_id)
        if order is None or not is_planned(order):
            found.append(Change(name_of(each), _why_not(order), words_of(each)))
            continue
        if not belongs(order, filling.kind):
            found.append(Change(name_of(each), _("is given in another way now"), words_of(each)))
        elif _plan(order) != _plan(each):
            what = _("was changed")
            found.append(Change(name_of(order), what, words_of(each), words_of(order)))
        found += [Change(name_of(each), _("came otherwise"), "", said)
                  for said in notes(each.get("note"))]  # fmt: skip
    for order in given_by:
        if (
            text(order.get("id")) not in filled
            and is_planned(order)
            and belongs(order, filling.kind)
        ):
            found.append(Change(name_of(order), _("is not in it"), "", words_of(order)))
    return found


def belongs(order: Mapping[str, Any], kind: str) -> bool:
    """Whether an order's doses are filled in this way: in bags what is flagged so."""
    regular = any(not is_as_needed(d) for d in objects(order.get("dosageInstruction")))
    return regular and flag(order, MULTIDOSE) == (kind == BAGS)


def sum_of(planned: Sequence[Due]) -> dict[str, Any]:
    """How much doses are together (Quantity), when all are said in one unit; else nothing."""
    total, said = Decimal(0), set()
    for dose in planned:
        given = mapping(first(dose.dosage.get("doseAndRate")).get("doseQuantity"))
        value = number(given.get("value"))
        if value is None:
            return {}
        total += value
        said.add(tuple((k, text(given[k])) for k in ("unit", "system", "code") if k in given))
    return {"value": total, **dict(said.pop())} if len(said) == 1 and total else {}


def words_of(resource: Mapping[str, Any]) -> str:
    """The doses of an order or a dispense in words."""
    listed = objects(resource.get("dosageInstruction"))
    return "; ".join(dose.words for dose in doses(listed) if dose.words)


def stamp(at: datetime) -> str:
    """A moment as FHIR writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rows(resource: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Until when something that must follow the list is filled."""
    name = filling_of(resource)
    kind = name.partition("/")[0]
    end = _period(resource)[1]
    if kind in (DOSETTE, BAGS) and resource.get("status") in _STANDS and end is not None:
        yield name, dates.microseconds(end)


PROJECTION: Final = Projection(
    table="stock_filling",
    sources=frozenset({"MedicationDispense"}),
    columns={"filling": "text", "until_at": "bigint"},
    rows=rows,
)


def days_of(start: datetime, days: int) -> tuple[datetime, datetime]:
    """The time that something is filled for."""
    return start, start + timedelta(days=days)


def _performer(by: Signer, function: str) -> dict[str, Any]:
    return {
        "function": {"coding": [{"system": _FUNCTION, "code": function}]},
        "actor": {"reference": by.id, "display": by.name},
    }


def _filling(name: str, listed: list[Mapping[str, Any]]) -> Filling:
    listed.sort(key=lambda each: name_of(each).casefold())
    start, end = _period(listed[0])
    by = dict.fromkeys(
        reference_text(p.get("actor")) for d in listed for p in objects(d.get("performer"))
    )
    return Filling(
        id=name, kind=name.partition("/")[0], start=start, end=end,
        filled_at=text(listed[0].get("whenPrepared")), by=tuple(by),
        is_checked=all(d.get("status") == "completed" for d in listed), dispenses=tuple(listed),
    )  # fmt: skip


def _period(dispense: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    for each in objects(dispense.get("extension")):
        if each.get("url") == LASTS:
            said = mapping(each.get("valuePeriod"))
            low, high = (dates.bounds(text(said.get(name))) for name in ("start", "end"))
            return (dates.moment(low[0]) if low else None, dates.moment(high[0]) if high else None)
    return None, None


def _plan(resource: Mapping[str, Any]) -> tuple[object, object]:
    """What decides what lies in a compartment: the medicine, and its doses."""
    medicine = resource.get("medicationCodeableConcept") or resource.get("medicationReference")
    kept = [{k: v for k, v in each.items() if k != "id"}
            for each in objects(resource.get("dosageInstruction"))]  # fmt: skip
    return medicine, kept


def _amount(dispense: Mapping[str, Any]) -> str:
    said = mapping(dispense.get("quantity"))
    value = number(said.get("value"))
    return "" if value is None else f"{value.normalize() + 0:f} {text(said.get('unit'))}".strip()


def _why_not(order: Mapping[str, Any] | None) -> str:
    if order is None:
        return _("is not on the list")
    words = {
        "on-hold": _("is paused"), "stopped": _("was stopped"), "completed": _("has ended"),
        "cancelled": _("was cancelled"), "entered-in-error": _("was a mistake"),
    }  # fmt: skip
    why = ", ".join(concept_texts(order.get("statusReason")))
    said = words.get(text(order.get("status")), _("is managed by the patient now"))
    return f"{said} ({why})" if why else said
