"""Our list as a message to the service: its own document, with what we have put into it.

What the service had and we know nothing of goes back exactly as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import OSLO, mapping, objects, reference_text, text
from helsevev.locale import gettext as _
from helsevev.medication.coding import REGULAR, USE_DISPLAY, use_of
from helsevev.medication.dosage import doses
from helsevev.medication.national_list import products
from helsevev.medication.national_list.codes import (
    AMENDMENT,
    APPLICATION,
    DISCONTINUED,
    DOSING,
    EFFECTIVE,
    PERFORMER,
    REGISTERED,
    SFM,
    SHORT_DOSAGE,
    STANDING,
    USE,
    coded,
    volven,
)
from helsevev.medication.national_list.comparing import Row, number_of
from helsevev.medication.national_list.dosing import periods, write
from helsevev.medication.national_list.message import NationalList
from helsevev.medication.prescription import dose_element

Resource = dict[str, Any]
_SUMMARY: Final = "Composition"


class Sender(Struct, frozen=True):
    """Who answers for what is sent: the Practitioner and the Organization as they are."""

    practitioner: Mapping[str, Any]
    organization: Mapping[str, Any]
    name: str


class Told(Struct, frozen=True):
    """One line of what is sent: the medicine, its words, and what the message does with it.

    `act` is "added", "changed", "stopped", "same" or "left" (as the service has it); `number`
    names the line in the national list. A line that is not sent has `why`.
    """

    name: str
    words: str
    act: str
    number: str = ""
    why: str = ""


class Message(Struct, frozen=True):
    """What is sent: the Parameters of `$sendMedication`, its number, and what it says of each."""

    identifier: str
    parameters: Resource
    lines: tuple[Told, ...]

    @property
    def sent(self) -> tuple[Told, ...]:
        """What the message says of our medicines."""
        return tuple(each for each in self.lines if not each.why)

    @property
    def kept_back(self) -> tuple[Told, ...]:
        """What is not sent, with why."""
        return tuple(each for each in self.lines if each.why)

    @property
    def changes(self) -> bool:
        """Whether it changes anything in the national list."""
        return any(each.act in ("added", "changed", "stopped") for each in self.sent)


def message(
    national: NationalList,
    rows: Sequence[Row],
    resources: Mapping[str, Mapping[str, Any]],
    sender: Sender,
    at: datetime,
    key: str,
    catalogue: Mapping[str, Mapping[str, Any]] | None = None,
) -> Message:
    """The message that makes the national list say what ours does; the same for the same `key`.

    `catalogue` holds our Medication of FEST numbers, for what kind of product each is.
    """
    making = _Making(national, sender, at, key, catalogue or {})
    told = [making.put(row, resources) for row in rows]
    return Message(making.identifier, making.parameters(), tuple(told))


class _Making:
    """One message while it is made."""

    def __init__(
        self, national: NationalList, sender: Sender, at: datetime, key: str,
        catalogue: Mapping[str, Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._national = national
        self._at = at
        self._stamp = at.astimezone(OSLO).isoformat(timespec="milliseconds")
        self._key = key
        self._catalogue = catalogue
        self._sender = sender
        self.identifier = self._id("message")
        self._entries = {text(e.get("fullUrl")): dict(mapping(e.get("resource")))
                         for e in objects(national.bundle.get("entry"))}  # fmt: skip
        self._added: list[tuple[str, str]] = []
        place = next(url for url, r in self._entries.items() if r.get("resourceType") == _SUMMARY)
        self._composition = self._entries[place] = deepcopy(self._entries[place])
        self._who = f"urn:uuid:{self._id('sender')}"
        self._where = f"urn:uuid:{self._id('organisation')}"

    def put(self, row: Row, resources: Mapping[str, Mapping[str, Any]]) -> Told:
        """Put one row into the message; gives what it does."""
        if row.ours is None:
            assert row.theirs is not None
            return Told(row.theirs.name, row.theirs.words, "left")
        resource = resources.get(row.ours.key, {})
        number = number_of(row.ours.key)
        words = row.ours.dose_text
        if why := _not_sendable(row, resource):
            return Told(row.ours.name, words, "left", why=why)
        if row.kind == "only-ours":
            self._add(row, resource, number)
            return Told(row.ours.name, self._words(resource), "added", number)
        assert row.theirs is not None
        number = min(row.theirs.identifiers, default=number)
        if row.kind == "same":
            return Told(row.ours.name, row.theirs.words, "same", number)
        if row.kind == "stopped-ours":
            self._stop(row)
            return Told(row.ours.name, row.theirs.words, "stopped", number)
        self._change(row, resource)
        return Told(row.ours.name, self._words(resource), "changed", number)

    def parameters(self) -> Resource:
        """The whole message, once all rows are put in."""
        self._entries[self._who] = products.person(self._sender.practitioner, self._id("sender"))
        self._entries[self._where] = products.place(
            self._sender.organization, self._id("organisation")
        )
        self._sign()
        bundle = {
            "resourceType": "Bundle",
            "id": self._id("bundle"),
            "meta": {"profile": [f"{SFM}MedicationBundle"]},
            "type": "document",
            "timestamp": self._stamp,
            "entry": [{"fullUrl": url, "resource": r} for url, r in self._entries.items()],
        }
        given = [{"name": "medication", "resource": bundle}]
        return {"resourceType": "Parameters", "parameter": given}

    def _sign(self) -> None:
        made = self._composition
        before = mapping(made.get("identifier"))
        author = [
            {"reference": self._who, "type": f"{SFM}Practitioner", "display": self._sender.name},
            {"reference": self._where, "type": f"{SFM}Organization"},
        ]
        made |= {
            "id": self._id("composition"),
            "identifier": {"use": "official", "value": self.identifier},
            "date": self._stamp[:10],
            "author": author,
            "attester": [{
                "mode": "legal", "time": self._stamp,
                "party": {"reference": self._who, "type": f"{SFM}Practitioner"},
            }],
            "relatesTo": [{"code": "replaces", "targetIdentifier": dict(before)}],
        }  # fmt: skip
        for section in made.get("section", []):
            codes = {text(c.get("code")) for c in objects(mapping(section.get("code"))
                                                          .get("coding"))}  # fmt: skip
            if "sectionMedication" in codes and self._added:
                new = [{"reference": url, "type": f"{SFM}MedicationStatement", "display": name}
                       for url, name in self._added]  # fmt: skip
                section["entry"] = [*objects(section.get("entry")), *new]
                section.pop("emptyReason", None)

    def _add(self, row: Row, resource: Mapping[str, Any], number: str) -> None:
        assert row.ours is not None
        made, names = products.of(resource, row.ours.name, self._id, self._catalogue)
        self._entries.update(made)
        start = row.ours.since.text[:10] if row.ours.since else self._stamp[:10]
        statement: Resource = {
            "resourceType": "MedicationStatement",
            "id": self._id(number),
            "meta": {"profile": [f"{SFM}MedicationStatement"]},
            "extension": [
                {"extension": [
                    {"url": "itemgroup", "valueCodeableConcept": volven(7402, "L", "Legemiddel")},
                    {"url": "typeresept", "valueCodeableConcept": volven(7491, "U", "Uten resept")},
                ], "url": AMENDMENT},
                {"url": EFFECTIVE, "valueDate": start},
                self._registered("1", "Forskrevet av"),
            ],
            "identifier": [{"use": "usual", "type": {"text": "PLL"}, "value": number}],
            "status": "active",
            "medicationReference": names,
            "subject": dict(mapping(self._composition.get("subject"))),
        }  # fmt: skip
        self._dose(statement, resource)
        url = f"urn:uuid:{self._id(number)}"
        self._entries[url] = statement
        self._added.append((url, row.ours.name))

    def _change(self, row: Row, resource: Mapping[str, Any]) -> None:
        assert row.theirs is not None
        statement = dict(row.theirs.statement)
        kept = objects(statement.get("extension"))
        statement["extension"] = [self._registered("1", "Forskrevet av"), *kept]
        if row.ours is not None and row.is_other_product:
            made, names = products.of(resource, row.ours.name, self._id, self._catalogue)
            self._entries.update(made)
            statement["medicationReference"] = names
        self._dose(statement, resource)
        self._entries[row.theirs.url] = statement

    def _stop(self, row: Row) -> None:
        assert row.theirs is not None
        assert row.ours is not None
        why = row.ours.stopped_because
        when = row.ours.until.text if row.ours.until else self._stamp
        inner = [
            {"url": "timedate", "valueDateTime": when if "T" in when else self._stamp},
            {"url": "reason", "valueCodeableConcept": _other_reason()},
            *([{"url": "note", "valueString": why}] if why else []),
        ]
        statement = dict(row.theirs.statement)
        kept = [e for e in objects(statement.get("extension")) if e.get("url") != DISCONTINUED]
        statement["extension"] = [
            self._registered("3", "Seponert av"), *kept, {"extension": inner, "url": DISCONTINUED},
        ]  # fmt: skip
        statement["status"] = "stopped"
        self._entries[row.theirs.url] = statement

    def _dose(self, statement: Resource, resource: Mapping[str, Any]) -> None:
        """Put our dose in: words, the service's structure where it can say it, and all of it."""
        dosages = objects(resource.get(dose_element(resource)))
        use = next((use_of(each) for each in dosages if use_of(each)), REGULAR)
        before = objects(objects(statement.get("dosage"))[0].get("extension")) if objects(
            statement.get("dosage")) else []  # fmt: skip
        reason = ", ".join(text(each.get("text")) for each in objects(resource.get("reasonCode")))
        kept = [e for e in before if e.get("url") not in (USE, SHORT_DOSAGE)
                and not str(e.get("url")).startswith("http://helsevev")
                and not (reason and e.get("url") == APPLICATION)]  # fmt: skip
        extensions = [
            {"url": USE, "valueCodeableConcept": volven(9101, use, USE_DISPLAY[use])}, *kept,
        ]  # fmt: skip
        if reason:
            inner = [{"url": "text", "valueString": reason}]
            extensions.append({"extension": inner, "url": APPLICATION})
        dosage = write(dosages, extensions)
        statement["dosage"] = [dosage]
        structure = periods(dosages, self._at.astimezone(OSLO).date())
        told = [{"url": "dssn", "valueString": dosage["text"]}, *structure]
        statement["extension"] = [
            {**each, "extension": [
                *(e for e in objects(each.get("extension"))
                  if e.get("url") not in ("dssn", DOSING, "note")), *told]}
            if each.get("url") == AMENDMENT else each
            for each in objects(statement.get("extension"))
        ]  # fmt: skip

    def _registered(self, code: str, display: str) -> Resource:
        provider = {"reference": self._who, "type": f"{SFM}Practitioner",
                    "display": self._sender.name}  # fmt: skip
        inner = [
            {"url": "status", "valueCodeableConcept": coded(STANDING, "3", "Godkjent")},
            {"url": "type", "valueCodeableConcept": coded(PERFORMER, code, display)},
            {"url": "provider", "valueReference": provider},
            {"url": "timestamp", "valueDateTime": self._stamp},
        ]
        return {"extension": inner, "url": REGISTERED}

    def _words(self, resource: Mapping[str, Any]) -> str:
        listed = doses(objects(resource.get(dose_element(resource))))
        return "; ".join(each.words for each in listed if each.words)

    def _id(self, what: str) -> str:
        return str(uuid5(NAMESPACE_URL, f"urn:helsevev:{self._key}:{what}"))


def _other_reason() -> Resource:
    return volven(7494, "X", loading.national_list().other_reason)


def _not_sendable(row: Row, resource: Mapping[str, Any]) -> str:
    """Why a line of ours stays here; "" when it is sent."""
    assert row.ours is not None
    if row.kind == "stopped-theirs":
        return _("it is stopped nationally: decide that first")
    if row.kind == "stopped-ours":
        return ""
    if row.is_of_stay:
        return _("it is ordered for this stay only")
    if row.ours.group == "paused":
        return _("the national list has no word for on hold")
    if row.ours.group == "uncertain":
        return _("it is not known whether it is in use")
    if not row.ours.dose_text:
        return _("its dose is not stated")
    if not row.ours.name and not reference_text(resource.get("medicationReference")):
        return _("the medicine has no name")
    return ""
