"""The record of a reconciliation: a List of what became of each medicine, who signed, what is open.

A List of mode `changes` is what R4 has for it (http://hl7.org/fhir/R4/list.html): each entry names
the line that goes on, flagged by what happened to it. Decision 32 says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import (
    Moment,
    codes,
    mapping,
    moment,
    objects,
    of_patient,
    reference_key,
    reference_text,
    sort_key,
    text,
)
from helsevev.locale import gettext as _
from helsevev.medication.coding import said_by
from helsevev.medication.reconciliation.comparing import Row
from helsevev.medication.reconciliation.deciding import (
    KEY_SYSTEM,
    LEAVE,
    REASONS,
    Decision,
    Signing,
    why,
)
from helsevev.medication.reconciliation.lists import begun

Resource = Mapping[str, Any]
RECONCILIATION: Final = "http://helsevev.no/fhir/CodeSystem/reconciliation"
"""Codes of a List: at which transition the lists were held together."""
CHANGES: Final = "urn:oid:1.2.36.1.2001.1001.101.104.16592"
"""R4's example of flags for changes of medicines (ValueSet list-item-flag)."""
OPEN: Final = "http://helsevev.no/fhir/CodeSystem/reconciliation-open"
WORDS: Final = "http://helsevev.no/fhir/StructureDefinition/change-in-words"
"""valueString on an entry: what became of it, as the one who signed saw it."""
REASON: Final = "http://helsevev.no/fhir/StructureDefinition/reconciliation-reason"
"""valueCodeableConcept on an entry: why."""
LISTS: Final = "http://helsevev.no/fhir/StructureDefinition/lists-compared"
"""valueCode on an entry: how the lists stood to each other (`comparing.State`), for M3."""
WORD_OF_PATIENT: Final = "http://helsevev.no/fhir/StructureDefinition/word-of-patient"
"""valueReference on an entry: what the patient said of the medicine, contained in the List."""
NOBODY_TOLD: Final = "http://helsevev.no/fhir/StructureDefinition/nobody-told"
"""valueCodeableConcept on the List: why no unit was told."""
_FLAGS: Final = {
    "continue": ("01", "Unchanged"), "change": ("02", "Changed"), "start": ("04", "Prescribed"),
    "stop": ("05", "Ceased"), "pause": ("06", "Suspended"), "resume": ("02", "Changed"),
}  # fmt: skip
_VERB: Final = {code: verb for verb, (code, _display) in _FLAGS.items() if verb != "resume"}


class Told(Struct, frozen=True):
    """One row as it was signed: the decision, the line that goes on, and what changed in words."""

    row: Row
    decision: Decision
    item: str
    words: str


class Became(Struct, frozen=True):
    """What a signed reconciliation says of one medicine; `verb` LEAVE when it was left open."""

    verb: str
    words: str
    reason: str


class Reconciled(Struct, frozen=True):
    """A signed reconciliation, read back."""

    id: str
    at: str
    moment: Moment | None
    who: str
    encounter: str
    became: tuple[Became, ...]
    key: str

    @property
    def open(self) -> tuple[Became, ...]:
        """What somebody still has to decide."""
        return tuple(each for each in self.became if each.verb == LEAVE)

    @property
    def changes(self) -> tuple[Became, ...]:
        """All but what went on as it was."""
        return tuple(each for each in self.became if each.verb != "continue")


def titles() -> dict[str, str]:
    """What each transition is called."""
    return {
        "admission": _("Reconciled at admission"), "transfer": _("Reconciled at transfer"),
        "discharge": _("Reconciled at discharge"), "home": _("Reconciled at home"),
    }  # fmt: skip


def record(
    told: Sequence[Told],
    said: Sequence[Resource],
    signing: Signing,
    key: str,
    nobody: tuple[str, str] = ("", ""),
) -> dict[str, Any]:
    """The List of a signed reconciliation. `said` are the patient's words, kept in it.

    `nobody` is (code, words) of why no unit is told.
    """
    inside = {f"MedicationStatement/{each['id']}" for each in said}
    made: dict[str, Any] = {
        "resourceType": "List",
        "identifier": [{"system": KEY_SYSTEM, "value": f"urn:uuid:{key}"}],
        "status": "current",
        "mode": "changes",
        "title": titles()[signing.at],
        "code": {"coding": [{"system": RECONCILIATION, "code": signing.at}]},
        "subject": {"reference": f"Patient/{signing.patient_id}"},
        "date": signing.moment.isoformat(timespec="milliseconds"),
        "source": {"reference": signing.prescriber.reference, "display": signing.prescriber.name},
    }
    if said:
        made["contained"] = [dict(each) for each in said]
    if signing.encounter:
        made["encounter"] = {"reference": signing.encounter}
    if nobody[0]:
        coded = {"coding": [{"system": NOBODY_TOLD, "code": nobody[0]}], "text": nobody[1]}
        made["extension"] = [{"url": NOBODY_TOLD, "valueCodeableConcept": coded}]
    if told:
        made["entry"] = [_entry(each, inside) for each in told]
    else:
        nothing = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
        made["emptyReason"] = {"coding": [{"system": nothing, "code": "nilknown"}]}
    return made


def _entry(told: Told, inside: set[str]) -> dict[str, Any]:
    decision = told.decision
    item = told.item
    if item in inside:
        item = "#" + item.removeprefix("MedicationStatement/")
    extensions: list[dict[str, Any]] = [
        {"url": WORDS, "valueString": told.words},
        {"url": LISTS, "valueCode": told.row.state},
    ]
    extensions += [
        {"url": WORD_OF_PATIENT, "valueReference": {"reference": f"#{key}"}}
        for line in told.row.lines
        if line.key in inside and (key := line.key.removeprefix("MedicationStatement/")) != item[1:]
    ]
    if words := why(decision):
        reason: dict[str, Any] = {"text": words}
        if decision.reason:
            reason["coding"] = [{"system": REASONS, "code": decision.reason}]
        extensions.append({"url": REASON, "valueCodeableConcept": reason})
    if decision.verb == LEAVE:
        flag = {"system": OPEN, "code": "open"}
    else:
        code, display = _FLAGS[decision.verb]
        flag = {"system": CHANGES, "code": code, "display": display}
    entry: dict[str, Any] = {"extension": extensions, "flag": {"coding": [flag]}}
    if decision.verb == "stop":
        entry["deleted"] = True
    return {**entry, "item": {"reference": item, "display": told.row.name}}


def in_words(row: Row, decision: Decision, dose: str) -> str:
    """What became of a row, in plain words; `dose` is what goes on of it."""
    reason = why(decision)
    because = f" ({reason})" if reason else ""
    before = next((line.words for line in row.lines if line.words and line.words != dose), "")
    match decision.verb:
        case "change" if before:
            said = _("%(name)s: changed from %(before)s to %(after)s")
        case "change":
            said = _("%(name)s: changed to %(after)s")
        case "start":
            said = _("%(name)s: started, %(after)s")
        case "stop":
            said = _("%(name)s: stopped")
        case "resume":
            said = _("%(name)s: taken up again, %(after)s")
        case "pause":
            said = _("%(name)s: on hold")
        case "leave":
            said = _("%(name)s: not decided, somebody has to clear it up (%(before)s)")
            before = " / ".join(line.words for line in row.lines if line.words)
        case _:
            said = _("%(name)s: goes on, %(after)s")
    return said % {"name": row.name, "before": before, "after": dose} + because


def reconciled(lists: Iterable[Resource], names: Mapping[str, str]) -> tuple[Reconciled, ...]:
    """The signed reconciliations among some Lists, the newest first."""
    found = [_read(each, names) for each in of_patient(lists) if _code(each)]
    return tuple(sorted(found, key=lambda each: sort_key(each.moment), reverse=True))


def _code(each: Resource) -> str:
    return next((c for c in sorted(codes(each.get("code"))) if c in titles()), "")


def _read(each: Resource, names: Mapping[str, str]) -> Reconciled:
    return Reconciled(
        id=text(each.get("id")),
        at=_code(each),
        moment=moment(each.get("date")),
        who=reference_text(each.get("source"), names),
        encounter=reference_key(each.get("encounter")),
        became=tuple(
            Became(
                next((_VERB[c] for c in sorted(codes(e.get("flag"))) if c in _VERB), LEAVE),
                said_by(e, WORDS) or reference_text(e.get("item")),
                text(mapping(next((x.get("valueCodeableConcept") for x in objects(
                    e.get("extension")) if x.get("url") == REASON), {})).get("text")),
            )
            for e in objects(each.get("entry"))
        ),
        key=text(mapping(next(iter(objects(each.get("identifier"))), {})).get("value")),
    )  # fmt: skip


def last_of_stay(
    found: Sequence[Reconciled], stay: Resource | None, at: Iterable[str]
) -> Reconciled | None:
    """The newest reconciliation of a stay at some transitions; None: nobody has done it."""
    if stay is None:
        return None
    wanted, since = set(at), begun(stay)
    for each in found:
        if each.at not in wanted:
            continue
        if each.encounter == f"Encounter/{stay['id']}" or (
            since and not each.encounter and each.moment and each.moment.at >= since
        ):
            return each
    return None


def excuse(code: str) -> tuple[str, str]:
    """(code, words) of why nobody is told; empty for what the content does not know."""
    return next(
        ((each.code, each.label) for each in loading.reconciliation().nobody_told
         if each.code == code), ("", ""),
    )  # fmt: skip
