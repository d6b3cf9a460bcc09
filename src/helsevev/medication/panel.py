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
from helsevev.medication.coding import (
    ATC,
    COURSE,
    MULTIDOSE,
    OWN_MANAGED,
    UNCHECKED,
    flag,
    said_by,
    use_of,
)
from helsevev.medication.dosage import Dose, course_end, doses

GROUPS: Final = (
    "regular", "as-needed", "course", "paused", "uncertain", "planned", "stopped",
)  # fmt: skip
_STOPPED: Final = frozenset({"stopped", "completed", "cancelled", "not-taken"})
_PLANNED_INTENTS: Final = frozenset({"proposal", "plan", "option"})


class Medicine(Struct, frozen=True):
    """One order (MedicationRequest) or one statement of use (MedicationStatement).

    `group` is one of `GROUPS`; `status` the resource's own. Empty text means not said.
    `is_repeated` when another medicine in use has the same code.
    `has_passed_end` when it is called active although its last day is over. `unchecked` says why
    decision support could not check the order. `based_on` are ids of the orders behind a statement.
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
    substance: str = ""
    is_multidose: bool = False
    is_own_managed: bool = False
    unchecked: str = ""
    version: str = ""
    based_on: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """ "Type/id"."""
        return f"{self.source}/{self.id}"

    @property
    def dose_text(self) -> str:
        """All doses on one line, with what they are for and their maximum."""
        return "; ".join(dose.words for dose in self.doses if dose.words)

    @property
    def route(self) -> str:
        """How it is given, when that is one way."""
        routes = {dose.route for dose in self.doses if dose.route}
        return routes.pop() if len(routes) == 1 else ""

    @property
    def is_in_use(self) -> bool:
        """True for what the patient takes now, regularly or as needed."""
        return self.group in ("regular", "as-needed", "course")


class Medicines(Struct, frozen=True):
    """The medicines of one patient by group, by name within each; stopped newest first."""

    regular: tuple[Medicine, ...]
    as_needed: tuple[Medicine, ...]
    course: tuple[Medicine, ...]
    paused: tuple[Medicine, ...]
    uncertain: tuple[Medicine, ...]
    planned: tuple[Medicine, ...]
    stopped: tuple[Medicine, ...]

    @property
    def in_use(self) -> tuple[Medicine, ...]:
        """Regular ones, then those taken as needed and those for a time."""
        return self.regular + self.as_needed + self.course

    @property
    def every(self) -> tuple[Medicine, ...]:
        """All groups, one after the other."""
        return tuple(m for name in self.__struct_fields__ for m in getattr(self, name))

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
    group = _group(resource, taken, dosages)
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
        has_passed_end=group in ("regular", "as-needed", "course")
        and until is not None
        and until.end < now,
        substance=_substance(resource.get("medicationCodeableConcept"), name),
        is_multidose=flag(resource, MULTIDOSE),
        is_own_managed=flag(resource, OWN_MANAGED),
        unchecked=said_by(resource, UNCHECKED),
        version=text(mapping(resource.get("meta")).get("versionId")),
        based_on=tuple(
            key.removeprefix("MedicationRequest/")
            for reference in objects(resource.get("basedOn"))
            if (key := reference_key(reference)).startswith("MedicationRequest/")
        ),
    )


def _substance(concept: object, name: str) -> str:
    """What the medicine is by ATC, unless its name says it already."""
    said = next(
        (text(c.get("display")) for c in objects(mapping(concept).get("coding"))
         if c.get("system") == ATC), "",
    )  # fmt: skip
    return "" if said.casefold() in name.casefold() else said


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
    # Substance before product: that is what two entries are compared by.
    substance = [pair for pair in listed if pair[0] == ATC]
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


def _group(resource: Mapping[str, Any], given: Sequence[Dose], dosages: object) -> str:
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
    if is_as_needed:
        return "as-needed"
    uses = {use_of(dosage) for dosage in objects(dosages)}
    return "course" if uses == {COURSE} else "regular"
