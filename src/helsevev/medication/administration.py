"""Doses given and not given, as MedicationAdministration tied to its order and the time it was due.

http://hl7.org/fhir/R4/medicationadministration.html. Which planned dose it answers stands in an
identifier, so that it can be searched for. A dose that is prepared and awaits its second signature
is "in-progress"; a dose that two have signed stands once, and the second's word is "unknown" and
part of the first until a person has said what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir import dates
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import codings, first, mapping, objects, reference_key, text
from helsevev.locale import gettext as _
from helsevev.medication.infusion_flow import rates_of
from helsevev.medication.round_times import is_among

DUE: Final = "http://helsevev.no/fhir/dose-due"
"""Identifier system: the order, the moment in UTC and, for a second dose then, its number."""
OUTSIDE_PLAN: Final = "http://helsevev.no/fhir/StructureDefinition/outside-plan"
"""valueCodeableConcept: why it was given although the plan does not say so, coded and in words."""
NOT_SCANNED: Final = "http://helsevev.no/fhir/StructureDefinition/not-scanned"
"""valueCode: why neither patient nor medicine was scanned (content medication/rounds)."""
SCANNED: Final = "http://helsevev.no/fhir/StructureDefinition/scanned"
"""Of extensions: means (valueCode), patient (valueBoolean), medicine (valueCoding), batch …"""
REASONS: Final = "http://helsevev.no/fhir/CodeSystem/dose-reason"
ATC: Final = "http://www.whocc.no/atc"
_FUNCTION: Final = "http://terminology.hl7.org/CodeSystem/med-admin-perform-function"
GIVES: Final = frozenset({"completed", "in-progress", "stopped", "on-hold"})
ANSWERS: Final = GIVES | {"not-done"}
"""What settles a dose that was due."""


class Signer(Struct, frozen=True):
    """Who signs: a reference and a name."""

    id: str
    name: str

    def as_performer(self, function: str) -> dict[str, Any]:
        """The element of a dose that says who signed, as performer or as verifier."""
        return {
            "function": {"coding": [{"system": _FUNCTION, "code": function}]},
            "actor": {"reference": self.id, "display": self.name},
        }


class Scanned(Struct, frozen=True, kw_only=True):
    """What was scanned before a dose was signed: with what (`means`: camera, scanner or typed).

    `patient` whether the wristband was; `system` and `number` what was on the package, `product`
    what that is.
    """

    means: str
    patient: bool
    system: str
    number: str
    product: str
    batch: str = ""
    serial: str = ""
    expires: date | None = None

    def as_extension(self) -> dict[str, Any]:
        """The extension of a dose that tells it."""
        coding = {"system": self.system, "code": self.number, "display": self.product}
        inner: list[dict[str, Any]] = [
            {"url": "means", "valueCode": self.means},
            {"url": "patient", "valueBoolean": self.patient},
            {"url": "medicine", "valueCoding": coding},
        ]
        said = {"batch": self.batch, "serial": self.serial}
        inner += [{"url": url, "valueString": value} for url, value in said.items() if value]
        if self.expires is not None:
            inner.append({"url": "expires", "valueDate": self.expires.isoformat()})
        return {"url": SCANNED, "extension": inner}


class Refusal(ValueError):
    """What was asked for cannot be recorded; the message says why, for people."""


def given(
    order: Mapping[str, Any],
    dosage: Mapping[str, Any],
    by: Signer,
    at: datetime,
    *,
    due: str = "",
    not_scanned: str = "",
    scanned: Scanned | None = None,
    reason: str = "",
    outside_plan: str = "",
    outside_kind: str = "",
) -> dict[str, Any]:
    """A dose that was given at a moment, by an order and one of its dosages.

    `due` names the planned dose that it answers ("" as needed), `reason` what it was given for,
    `outside_plan` and `outside_kind` (a code of the content) why it was given against the plan:
    then it has been given, and it is too late to ask for a second signature. Any other medicine
    that asks for two is prepared by the first (`second_signed` completes it). An order that nobody
    has written has no id.
    """
    made = _frame(order, by, at, due)
    made["status"] = "in-progress" if needs_two(order) and not outside_plan else "completed"
    made["dosage"] = _dosage(dosage)
    if not made["dosage"]:
        del made["dosage"]
    if reason:
        made["reasonCode"] = [{"text": reason}]
    extensions = []
    if not_scanned:
        extensions.append({"url": NOT_SCANNED, "valueCode": not_scanned})
    if scanned is not None:
        extensions.append(scanned.as_extension())
    if outside_plan:
        extensions.append(_outside(outside_plan, outside_kind))
    return made | ({"extension": extensions} if extensions else {})


def not_given(
    order: Mapping[str, Any], by: Signer, at: datetime, *, due: str, reason: str
) -> dict[str, Any]:
    """A planned dose that was not given, by a code of the content. Raises `Refusal`."""
    chosen = next((each for each in loading.rounds().not_given if each.code == reason), None)
    if chosen is None:
        raise Refusal(_("Choose why the dose was not given."))
    coding = {"system": REASONS, "code": chosen.code, "display": chosen.label}
    made = _frame(order, by, at, due)
    return made | {
        "status": "not-done",
        "statusReason": [{"coding": [coding], "text": chosen.label}],
    }


def second_signed(prepared: Mapping[str, Any], by: Signer, at: datetime) -> dict[str, Any]:
    """A prepared dose that somebody else has checked, and that is given. Raises `Refusal`."""
    if prepared.get("status") != "in-progress":
        raise Refusal(_("This dose does not await a second signature."))
    if by.id in performers(prepared):
        raise Refusal(_("Somebody else has to sign as the second."))
    performer = [*objects(prepared.get("performer")), by.as_performer("verifier")]
    return {
        **prepared,
        "status": "completed",
        "effectiveDateTime": _written(at),
        "performer": performer,
    }


def corrected(
    administration: Mapping[str, Any], by: Signer, at: datetime, why: str
) -> dict[str, Any]:
    """What was recorded by mistake, taken back with a reason. Raises `Refusal`."""
    if len(why.strip()) < 3:
        raise Refusal(_("Say why it is taken back."))
    note = {
        "authorReference": {"reference": by.id, "display": by.name},
        "time": _written(at),
        "text": why.strip(),
    }
    notes = [*objects(administration.get("note")), note]
    return {**administration, "status": "entered-in-error", "note": notes}


def contradicting(administration: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """The second's word about a dose that another has signed: kept, and to be settled."""
    return {
        **administration,
        "status": "unknown",
        "partOf": [{"reference": f"MedicationAdministration/{text(earlier.get('id'))}"}],
    }


def settled(
    contradiction: Mapping[str, Any], by: Signer, at: datetime, *, both: bool
) -> dict[str, Any]:
    """What a person found out: that one dose was given, or `both`. Raises `Refusal`."""
    if not is_contradiction(contradiction):
        raise Refusal(_("This has been settled already."))
    if not both:
        return corrected(contradiction, by, at, _("It was the same dose."))
    identifiers = [i for i in objects(contradiction.get("identifier")) if i.get("system") != DUE]
    why = _outside(_("The dose was given twice."), "twice")
    made = {
        **contradiction,
        "status": "in-progress" if rates_of(contradiction) else "completed",
        "identifier": identifiers,
        "extension": [*objects(contradiction.get("extension")), why],
    }
    if not identifiers:
        del made["identifier"]
    return made


def is_contradiction(administration: Mapping[str, Any]) -> bool:
    """Whether it is a second's word about a dose that another signed, not yet settled."""
    return administration.get("status") == "unknown" and bool(administration.get("partOf"))


def said_outside(administration: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Why it was given against the plan, as a CodeableConcept; None for what the plan holds."""
    return next(
        (mapping(e.get("valueCodeableConcept")) for e in objects(administration.get("extension"))
         if e.get("url") == OUTSIDE_PLAN), None,
    )  # fmt: skip


def scan_of(administration: Mapping[str, Any]) -> tuple[str, str]:
    """(by what it was scanned, why it was not, or not the patient): "" for what is not said."""
    means = why = ""
    for each in objects(administration.get("extension")):
        if each.get("url") == NOT_SCANNED:
            why = text(each.get("valueCode"))
        elif each.get("url") == SCANNED:
            said = (e for e in objects(each.get("extension")) if e.get("url") == "means")
            means = text(mapping(next(said, None)).get("valueCode"))
    return means, why


def due_key(administration: Mapping[str, Any]) -> str:
    """Which planned dose it answers; "" for none."""
    return next(
        (text(i.get("value")) for i in objects(administration.get("identifier"))
         if i.get("system") == DUE), "",
    )  # fmt: skip


def due_moment(key: str) -> datetime | None:
    """The moment that the name of a planned dose says; None when it says none."""
    said = key.rpartition("/")[2].partition(".")[0]
    try:
        return datetime.strptime(said, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def moment_given(administration: Mapping[str, Any]) -> datetime | None:
    """When it was given, or its giving began."""
    period = mapping(administration.get("effectivePeriod"))
    said = text(administration.get("effectiveDateTime")) or text(period.get("start"))
    found = dates.bounds(said)
    return dates.moment(found[0]) if found else None


def performers(administration: Mapping[str, Any]) -> list[str]:
    """The references of those who signed, the first first."""
    return [reference_key(each.get("actor")) for each in objects(administration.get("performer"))]


def substance_codes(resource: Mapping[str, Any]) -> list[str]:
    """The ATC codes of what is ordered or given, as far as they stand in place."""
    concept = resource.get("medicationCodeableConcept")
    return [code for system, code in codings(concept) if system == ATC]


def needs_two(resource: Mapping[str, Any]) -> bool:
    """Whether the medicine of an order or a dose asks for two signatures."""
    return is_among(substance_codes(resource), loading.rounds().double_signature_atc)


def check(administration: Mapping[str, Any]) -> list[Issue]:
    """The rules of one administration by itself, whichever door it comes through.

    What answers a planned dose names its order, and a reason when it was not given. A medicine
    that asks for two signatures is given when two people have signed.
    """
    found: list[Issue] = []
    status, key = administration.get("status"), due_key(administration)
    order = reference_key(administration.get("request")).removeprefix("MedicationRequest/")
    if key and (due_moment(key) is None or key.rpartition("/")[0] != order):
        said = _("The planned dose is of another order, or at no moment.")
        found.append(error("business-rule", said, "MedicationAdministration.identifier"))
    if key and status == "not-done" and not administration.get("statusReason"):
        said = _("Say why the dose was not given.")
        found.append(error("business-rule", said, "MedicationAdministration.statusReason"))
    outside = said_outside(administration)
    if outside is not None and not text(outside.get("text")).strip():
        said = _("Say why it was given against the plan.")
        found.append(error("business-rule", said, "MedicationAdministration.extension"))
    if key and status == "completed" and outside is None and needs_two(administration):
        signed = set(performers(administration)) - {""}
        if len(signed) < 2:
            said = _("This medicine asks for two signatures, of two people.")
            found.append(error("business-rule", said, "MedicationAdministration.performer"))
    return found


def _frame(order: Mapping[str, Any], by: Signer, at: datetime, due: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "subject": order["subject"],
        "effectiveDateTime": _written(at),
        "performer": [by.as_performer("performer")],
    }
    if "id" in order:
        made["request"] = {"reference": f"MedicationRequest/{order['id']}"}
    for name in ("medicationCodeableConcept", "medicationReference"):
        if name in order:
            made[name] = order[name]
    if "encounter" in order:
        made["context"] = order["encounter"]
    return made | ({"identifier": [{"system": DUE, "value": due}]} if due else {})


def _dosage(dosage: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the order says it: a dose and its route, or a rate."""
    planned = first(dosage.get("doseAndRate"))
    given_now = {
        "text": text(dosage.get("text")),
        "route": dosage.get("route"),
        "dose": planned.get("doseQuantity") or mapping(planned.get("doseRange")).get("low"),
        "rateQuantity": planned.get("rateQuantity"),
        "rateRatio": None if planned.get("rateQuantity") else planned.get("rateRatio"),
    }
    said = {name: value for name, value in given_now.items() if value}
    # http://hl7.org/fhir/R4/medicationadministration.html mad-1: a dosage says how much.
    return said if said.keys() & {"dose", "rateQuantity", "rateRatio"} else {}


def _outside(words: str, kind: str) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": words}
    if kind:
        concept["coding"] = [{"system": REASONS, "code": kind}]
    return {"url": OUTSIDE_PLAN, "valueCodeableConcept": concept}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
