"""Medicines as one list: what is in use, as needed, paused, planned and stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct, structs

from helsevev.fhir.reading import (
    Moment,
    codings,
    concept_text,
    concept_texts,
    contained,
    mapping,
    moment_of,
    notes,
    objects,
    of_patient,
    reference_key,
    reference_text,
    sort_key,
    start_and_end,
    text,
)
from helsevev.locale import gettext as _
from helsevev.medication.dosage import Dose, course_end, doses

GROUPS: Final = ("regular", "as-needed", "paused", "uncertain", "planned", "stopped")
_STOPPED: Final = frozenset({"stopped", "completed", "cancelled", "not-taken"})
_PLANNED_INTENTS: Final = frozenset({"proposal", "plan", "option"})
# Where a medicine's code weighs most when two entries are compared: substance before product.
_ATC: Final = "http://www.whocc.no/atc"


class Medicine(Struct, frozen=True):
    """One order (MedicationRequest) or one statement of use (MedicationStatement).

    `group` is one of `GROUPS`; `status` the resource's own. Empty text means not said.
    `is_repeated` when another medicine in use has the same code.
    `has_passed_end` when it is called active although its last day is over.
    """

    id: str
    source: str
    name: str
    code: str
    form: str
    status: str
    group: str
    doses: tuple[Dose, ...]
    reasons: tuple[str, ...]
    since: Moment | None
    until: Moment | None
    prescriber: str
    stopped_because: str
    notes: tuple[str, ...]
    has_passed_end: bool
    is_repeated: bool = False

    @property
    def dose_text(self) -> str:
        """All doses on one line, with what they are for and their maximum."""
        return "; ".join(said for dose in self.doses if (said := _dose_text(dose)))

    @property
    def route(self) -> str:
        """How it is given, when that is one way."""
        routes = {dose.route for dose in self.doses if dose.route}
        return routes.pop() if len(routes) == 1 else ""

    @property
    def is_in_use(self) -> bool:
        """True for what the patient takes now, regularly or as needed."""
        return self.group in ("regular", "as-needed")


class Medicines(Struct, frozen=True):
    """The medicines of one patient by group, by name within each; stopped newest first."""

    regular: tuple[Medicine, ...]
    as_needed: tuple[Medicine, ...]
    paused: tuple[Medicine, ...]
    uncertain: tuple[Medicine, ...]
    planned: tuple[Medicine, ...]
    stopped: tuple[Medicine, ...]

    @property
    def in_use(self) -> tuple[Medicine, ...]:
        """Regular ones, then those taken as needed."""
        return self.regular + self.as_needed

    @property
    def is_empty(self) -> bool:
        """True when nothing at all is recorded; that does not mean that nothing is taken."""
        return not any(getattr(self, name) for name in self.__struct_fields__)


def medicines(
    requests: Iterable[Mapping[str, Any]],
    statements: Iterable[Mapping[str, Any]] = (),
    medications: Iterable[Mapping[str, Any]] = (),
    *,
    now: datetime,
    names: Mapping[str, str] | None = None,
    with_stopped: bool = True,
) -> Medicines:
    """The list from MedicationRequest and MedicationStatement, with the Medication they name.

    A statement that says which order it is based on stands for that order: one line, not two.
    Mistakes are left out. A medicine whose status is unknown is "uncertain", never dropped.
    Without `with_stopped`, what is no longer taken is not even read.
    """
    products = {f"Medication/{m.get('id')}": m for m in medications if isinstance(m, dict)}
    kept_statements = of_patient(statements)
    stated = {
        reference_key(reference)
        for statement in kept_statements
        for reference in objects(statement.get("basedOn"))
    }
    orders = [r for r in of_patient(requests) if f"MedicationRequest/{r.get('id')}" not in stated]
    listed = [
        _medicine(resource, products, now, names)
        for resource in (*kept_statements, *orders)
        if with_stopped or text(resource.get("status")) not in _STOPPED
    ]
    return _grouped(_with_repetitions(listed))


def _dose_text(dose: Dose) -> str:
    parts = [dose.text, *dose.instructions]
    if dose.as_needed_for:
        parts.append(_("for %(reason)s") % {"reason": dose.as_needed_for})
    if dose.maximum:
        parts.append(_("at most %(amount)s") % {"amount": dose.maximum})
    if dose.period:
        parts.append(dose.period)
    if dose.duration:
        parts.append(_("for %(duration)s") % {"duration": dose.duration})
    return ", ".join(part for part in parts if part)


def _grouped(listed: Sequence[Medicine]) -> Medicines:
    groups: dict[str, list[Medicine]] = {group: [] for group in GROUPS}
    for medicine in sorted(listed, key=lambda m: m.name.casefold()):
        groups[medicine.group].append(medicine)
    groups["stopped"].sort(key=lambda m: sort_key(m.until or m.since), reverse=True)
    return Medicines(*(tuple(groups[group]) for group in GROUPS))


def _with_repetitions(listed: list[Medicine]) -> list[Medicine]:
    counted = Counter(m.code or m.name for m in listed if m.is_in_use and (m.code or m.name))
    return [
        structs.replace(m, is_repeated=True) if m.is_in_use and counted[m.code or m.name] > 1 else m
        for m in listed
    ]


def _medicine(
    resource: Mapping[str, Any],
    products: Mapping[str, Mapping[str, Any]],
    now: datetime,
    names: Mapping[str, str] | None,
) -> Medicine:
    is_order = resource.get("resourceType") == "MedicationRequest"
    name, code, form = _product(resource, products, names)
    dosages = resource.get("dosageInstruction" if is_order else "dosage")
    since, until = _span(resource, is_order, dosages)
    taken = doses(dosages)
    group = _group(resource, taken)
    return Medicine(
        id=text(resource.get("id")),
        source=text(resource.get("resourceType")),
        name=name,
        code=code,
        form=form,
        status=text(resource.get("status")),
        group=group,
        doses=taken,
        reasons=tuple(
            concept_texts(resource.get("reasonCode"))
            or [t for r in objects(resource.get("reasonReference")) if (t := reference_text(r))]
        ),
        since=since,
        until=until,
        prescriber=reference_text(
            resource.get("requester" if is_order else "informationSource"), names
        ),
        stopped_because=concept_text(resource.get("statusReason"))
        or ", ".join(concept_texts(resource.get("statusReason"))),
        notes=tuple(notes(resource.get("note"))),
        has_passed_end=group in ("regular", "as-needed") and until is not None and until.end < now,
    )


def _product(
    resource: Mapping[str, Any],
    products: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str] | None,
) -> tuple[str, str, str]:
    """(name, code, form) from the code in place, the contained or the referenced Medication."""
    concept = resource.get("medicationCodeableConcept")
    if concept:
        return concept_text(concept), _leading_code(concept), ""
    reference = mapping(resource.get("medicationReference"))
    product = contained(resource, reference) or products.get(reference_key(reference), {})
    name = concept_text(product.get("code")) or reference_text(reference, names)
    if not name:
        # A mixture may have no name of its own: then it is what it is made of.
        parts = [
            concept_text(i.get("itemCodeableConcept")) or reference_text(i.get("itemReference"))
            for i in objects(product.get("ingredient"))
        ]
        name = " + ".join(part for part in parts if part)
    code = _leading_code(product.get("code")) or reference_key(reference)
    return name, code, concept_text(product.get("form"))


def _leading_code(concept: object) -> str:
    listed = codings(concept)
    substance = [pair for pair in listed if pair[0] == _ATC]
    return "|".join((substance or listed or [("", "")])[0]).strip("|")


def _span(
    resource: Mapping[str, Any], is_order: bool, dosages: object
) -> tuple[Moment | None, Moment | None]:
    if is_order:
        valid = mapping(resource.get("dispenseRequest")).get("validityPeriod")
        since = moment_of(resource, "authoredOn") or start_and_end(valid)[0]
        # The end of a prescription's validity is when it can last be collected, not when the
        # patient stops: only the dosage itself says that.
        return since, course_end(dosages)
    since, until = start_and_end(resource.get("effectivePeriod"))
    since = since or moment_of(resource, "effectiveDateTime", "dateAsserted")
    return since, until or course_end(dosages)


def _group(resource: Mapping[str, Any], given: Sequence[Dose]) -> str:
    status = text(resource.get("status"))
    if status in _STOPPED:
        return "stopped"
    if status == "on-hold":
        return "paused"
    if status in ("draft", "intended") or text(resource.get("intent")) in _PLANNED_INTENTS:
        return "planned"
    if status != "active":
        return "uncertain"
    is_as_needed = bool(given) and all(dose.is_as_needed for dose in given)
    return "as-needed" if is_as_needed else "regular"
