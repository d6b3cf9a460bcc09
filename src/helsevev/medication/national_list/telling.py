"""All that a resource of the service says, as rows for a person: nothing received goes unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import OSLO, moment, objects, text
from helsevev.locale import gettext as _
from helsevev.medication.dosage import plain
from helsevev.medication.national_list.codes import WHOLE_DOSAGE

_MACHINERY: Final = frozenset({"id", "meta", "resourceType", "fullUrl", "url", "system", "type"})
"""How a message is put together, which tells nothing of the patient."""


class Told(Struct, frozen=True):
    """One thing that is said: where in the resource, and what."""

    label: str
    text: str


def told(resource: Mapping[str, Any]) -> tuple[Told, ...]:
    """Every statement of a resource in its own order: nested names joined, codes in words."""
    return tuple(_walk(resource, ""))


def _walk(value: Any, label: str) -> Iterator[Told]:
    if isinstance(value, Mapping):
        if words := _whole(value):
            yield Told(label, words)
            return
        yield from _inner(value, label)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _walk(each, label)
    elif value is not None and (words := _plain(value)):
        yield Told(label, words)


def _inner(value: Mapping[str, Any], label: str) -> Iterator[Told]:
    for name, inner in value.items():
        if name in ("extension", "modifierExtension"):
            for each in objects(inner):
                if each.get("url") == WHOLE_DOSAGE:
                    continue  # Said in the words beside it, or else a problem that is told.
                yield from _inner(each, _joined(label, _last(text(each.get("url")))))
        elif name.startswith("value") and name != "value":
            yield from _walk(inner, label)
        elif _is_said(name, inner, value):
            yield from _walk(inner, _joined(label, name))


def _is_said(name: str, inner: Any, beside: Mapping[str, Any]) -> bool:
    if name == "type":
        # Of a reference it is a profile; of a number it says what kind of number it is.
        return isinstance(inner, Mapping)
    return name not in _MACHINERY and not (name == "reference" and bool(beside.get("display")))


def _whole(value: Mapping[str, Any]) -> str:
    """A coding, an amount or a reference in one piece; "" for anything else."""
    if set(value) <= {"system", "code", "display", "userSelected", "version"}:
        shown, code = text(value.get("display")), text(value.get("code"))
        return f"{shown} ({code})" if shown and code and shown != code else shown or code
    if set(value) <= {"value", "unit", "system", "code"} and isinstance(
        value.get("value"), int | float | Decimal
    ):
        return f"{_plain(value['value'])} {text(value.get('unit'))}".strip()
    return ""


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, int | float):
        return plain(Decimal(str(value)))
    said = str(value).strip()
    if said.startswith("urn:uuid:"):
        return ""
    return _time(said) if len(said) > 15 and said[10:11] == "T" else said


def _time(said: str) -> str:
    found = moment(said)
    if found is None:
        return said
    return f"{found.at.astimezone(OSLO):%d.%m.%Y %H:%M}"


def _joined(label: str, name: str) -> str:
    shown = _name(name)
    return f"{label}: {shown}" if label and shown else label or shown


def _last(url: str) -> str:
    return url.rpartition("/")[2].removeprefix("sfm-")


def _name(name: str) -> str:
    """What an element is called; its own name where there is no better."""
    return {
        "coding": "", "text": "", "display": "", "reseptamendment": _("Prescription"),
        "reseptdate": _("prescribed"), "expirationdate": _("valid until"),
        "festUpdate": _("catalogue of"), "dssn": _("directions"), "reit": _("refills"),
        "numberofpackages": _("packages"), "itemgroup": _("kind"), "rfstatus": _("state"),
        "nameDispenser": _("pharmacy"), "typeresept": _("type"), "lastchanged": _("changed"),
        "regInfo": _("Registered"), "provider": _("by"), "timestamp": _("at"),
        "dosage": _("Dose"), "use": _("use"), "application-area": _("what for"),
        "shortdosage": _("short dose"), "status": _("state"), "identifier": _("number"),
        "reimbursementcode": _("reimbursement for"), "reimbursementparagraph": _("reimbursement"),
        "discontinuation": _("Stopped"), "reason": _("why"), "timedate": _("at"),
        "recallinfo": _("recalled"), "medicationdetails": _("Product"), "form": _("form"),
        "ingredient": _("holds"), "strength": _("strength"), "ereseptdosing": _("dosing"),
        "amount": _("amount"), "starttime": _("from"), "endtime": _("to, not included"),
        "medicationReference": _("Medicine"), "code": _("code"), "author": _("by"),
        "PLLdate": _("dated"), "relatedparties": _("responsible"), "reaction": _("Reaction"),
        "pllInformation": _("List"), "whenHandedOver": _("handed over"), "note": _("note"),
    }.get(name, name)  # fmt: skip
