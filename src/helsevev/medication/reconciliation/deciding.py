"""One decision on one row: which orders and lines it makes, changes, pauses and stops; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from helsevev.content import loading
from helsevev.fhir.outcome import error
from helsevev.fhir.reading import concept_text, mapping, objects, reference_key, text
from helsevev.locale import gettext as _
from helsevev.medication import prescription
from helsevev.medication.coding import MULTIDOSE, OWN_MANAGED, flag
from helsevev.medication.prescription import NotPrescribable, Prescriber, dose_element
from helsevev.medication.reconciliation.comparing import Row
from helsevev.medication.reconciliation.lists import HOME, SAID, WARD, product_of

Resource = Mapping[str, Any]
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
REASONS: Final = "http://helsevev.no/fhir/CodeSystem/reconciliation-reason"
KEY_SYSTEM: Final = "urn:ietf:rfc:3986"
RESUME: Final = "resume"
"""The decision to take up again what is on hold in the list that goes on."""
LEAVE: Final = "leave"
"""The decision to decide nothing: somebody else has to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided of a row. `verb` is one of content's verbs, RESUME or LEAVE.

    A change is to the dose of another list (`dose_of`), or to `dosages`. `reason` is a code of the
    content, `words` what was written besides.
    """

    verb: str
    reason: str = ""
    words: str = ""
    dose_of: str = ""
    dosages: Sequence[Resource] = ()


@dataclass(frozen=True, slots=True)
class Signing:
    """By whom, when, at which transition, about whom and in which contact it is signed."""

    at: str
    patient_id: str
    prescriber: Prescriber
    moment: datetime
    encounter: str | None
    resources: Mapping[str, Resource]
    products: Mapping[str, Resource]

    @property
    def target(self) -> str:
        """The list that goes on: the ward's while one stays, the one at home else."""
        return WARD if self.at in ("admission", "transfer") else HOME


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision writes: `item` is the line that tells of it (a reference or "urn:uuid:…").

    `orders` are those of `written` that a prescriber's checks are for.
    """

    item: str
    written: tuple[dict[str, Any], ...] = ()
    orders: tuple[str, ...] = ()


def why(decision: Decision) -> str:
    """The reason in words; "" when none is given."""
    label = loading.reconciliation().label_of(decision.reason, decision.verb)
    return ". ".join(part for part in (label, decision.words.strip()) if part)


def carry_out(row: Row, decision: Decision, signing: Signing) -> Outcome:
    """What a decision makes of a row. Raises NotPrescribable, without writing anything."""
    if decision.verb in ("change", "pause", "stop", "start") and not why(decision):
        raise NotPrescribable([error("required", _("Say why."), "reason")])
    held = {
        line.list: signing.resources[line.key] for line in row.lines if line.status != "stopped"
    }
    known = held or {line.list: signing.resources[line.key] for line in row.lines}
    made = _At(row, decision, signing, known, bool(held)).carried_out()
    ends = _ended(known, signing) if signing.at == "discharge" else []
    there = {_key(each) for each in made.written}
    ended = tuple(each for each in ends if _key(each) not in there)
    return Outcome(made.item, (*made.written, *ended), made.orders)


def _ended(known: Mapping[str, Resource], signing: Signing) -> list[dict[str, Any]]:
    """The orders of the stay, which end with it."""
    ward = known.get(WARD)
    if ward is None or ward.get("status") not in ("active", "on-hold"):
        return []
    return [prescription.complete(ward, prescriber=signing.prescriber, at=signing.moment)]


@dataclass(frozen=True, slots=True)
class _At:
    row: Row
    decision: Decision
    signing: Signing
    held: Mapping[str, Resource]
    in_use: bool

    def carried_out(self) -> Outcome:
        verb = self.decision.verb
        if verb == LEAVE:
            return Outcome(self._first())
        if verb in ("pause", "stop"):
            return self._turned(verb)
        if verb == "change":
            return self._changed()
        return self._goes_on()

    def _first(self) -> str:
        order = (self.signing.target, HOME, WARD, SAID)
        return next(_key(self.held[name]) for name in order if name in self.held)

    def _goes_on(self) -> Outcome:
        """As it stands in the list that goes on; in another list alone, it is ordered here."""
        target = self.held.get(self.signing.target)
        if target is None:
            source = next(self.held[n] for n in (HOME, WARD, SAID) if n in self.held)
            if self.decision.verb == "continue" and source.get("status") == "on-hold":
                return Outcome(_key(source))
            return self._ordered(source, objects(source.get(dose_element(source))))
        if self.decision.verb != RESUME or target.get("status") != "on-hold":
            return Outcome(_key(target))
        by, at = self.signing.prescriber, self.signing.moment
        written = [
            prescription.resume(each, prescriber=by, at=at)
            for each in self._with_orders(target) if each.get("status") == "on-hold"
        ]  # fmt: skip
        return Outcome(_key(target), tuple(written))

    def _turned(self, verb: str) -> Outcome:
        do = prescription.pause if verb == "pause" else prescription.stop
        target = self.held.get(self.signing.target)
        touched = [self.held[name] for name in (HOME, WARD) if name in self.held]
        if self.signing.at != "admission" and target is not None:
            # What the stay pauses is the ward's; what is paused at home is the list at home.
            touched = [target]
        elif self.signing.at == "discharge":
            touched = []
        by, at = self.signing.prescriber, self.signing.moment
        written = [
            self._with_reason(do(each, why(self.decision), prescriber=by, at=at))
            for line in touched for each in self._with_orders(line)
            if each.get("status") in ("active", "on-hold", "unknown")
        ]  # fmt: skip
        return Outcome(self._first(), tuple(written))

    def _changed(self) -> Outcome:
        dosages, source = self._wanted()
        target = self.held.get(self.signing.target)
        if target is None:
            return self._ordered(source or next(iter(self.held.values())), dosages)
        if source is not None and self._medicine(source) != self._medicine(target):
            # "2 tablets" of another product is another dose: another medicine is another order.
            stopped = self._replaced(target)
            ordered = self._ordered(source, dosages)
            return Outcome(ordered.item, (*stopped, *ordered.written), ordered.orders)
        if objects(target.get(dose_element(target))) == list(dosages):
            return Outcome(_key(target))
        written = tuple(
            prescription.change(
                each, dosages, prescriber=self.signing.prescriber, at=self.signing.moment,
                multidose=flag(each, MULTIDOSE), own_managed=flag(each, OWN_MANAGED),
            )
            for each in self._with_orders(target)
        )  # fmt: skip
        return Outcome(_key(target), written, tuple(_key(each) for each in written))

    def _wanted(self) -> tuple[Sequence[Resource], Resource | None]:
        """(the dosages of the change, the line they are taken from)."""
        if self.decision.dosages:
            return self.decision.dosages, None
        source = self.held.get(self.decision.dose_of)
        if source is None:
            raise NotPrescribable([error("required", _("Say the dose."), "dose")])
        return objects(source.get(dose_element(source))), source

    def _replaced(self, target: Resource) -> tuple[dict[str, Any], ...]:
        by, at = self.signing.prescriber, self.signing.moment
        told = _("Changed to another product")
        return tuple(
            prescription.stop(each, f"{told}. {why(self.decision)}", prescriber=by, at=at)
            for each in self._with_orders(target)
        )

    def _ordered(self, source: Resource, dosages: Sequence[Resource]) -> Outcome:
        """A new order in the list that goes on, of what a line of another list names."""
        inpatient = self.signing.target == WARD
        order = prescription.prescribe(
            self._medicine(source), dosages, patient_id=self.signing.patient_id,
            prescriber=self.signing.prescriber, at=self.signing.moment,
            encounter=self.signing.encounter if inpatient else None,
            multidose=flag(source, MULTIDOSE), own_managed=flag(source, OWN_MANAGED),
        )  # fmt: skip
        kind = "inpatient" if inpatient else "community"
        order["category"] = [{"coding": [{"system": CATEGORY, "code": kind}]}]
        if reasons := objects(source.get("reasonCode")):
            order["reasonCode"] = [dict(each) for each in reasons]
        item = f"urn:uuid:{uuid4()}"
        order["identifier"] = [{"system": KEY_SYSTEM, "value": item}]
        return Outcome(item, ({**order, "id": item},), (item,))

    def _with_orders(self, line: Resource) -> list[Resource]:
        """A line and, of a statement, the orders behind it that still stand."""
        behind = [
            order
            for reference in objects(line.get("basedOn"))
            if line["resourceType"] == "MedicationStatement"
            and (order := self.signing.resources.get(reference_key(reference))) is not None
            and order.get("status") in ("active", "on-hold")
        ]
        return [line, *behind]

    def _medicine(self, resource: Resource) -> dict[str, Any]:
        """What is ordered, as a CodeableConcept."""
        concept = resource.get("medicationCodeableConcept")
        if concept:
            return dict(concept)
        code = mapping(product_of(resource, self.signing.products).get("code"))
        named = mapping(resource.get("medicationReference")).get("display")
        return dict(code) if concept_text(code) else {"text": text(named)}

    def _with_reason(self, made: dict[str, Any]) -> dict[str, Any]:
        """The coded reason beside its words."""
        coding = {"system": REASONS, "code": self.decision.reason}
        said = made["statusReason"]
        coded = [{**each, "coding": [coding]} for each in objects(said)]
        if self.decision.reason:
            made["statusReason"] = coded if isinstance(said, list) else coded[0]
        return made


def _key(resource: Resource) -> str:
    key = text(resource.get("id"))
    return key if key.startswith("urn:") else f"{resource['resourceType']}/{key}"
