"""The discharge letter: its medicines are the list as it stood, and it carries the list's SHA-256.

No section is blank: where the record holds nothing, or it could not be read, the letter says so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from html import escape
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import (
    Moment,
    codes,
    moment,
    objects,
    of_patient,
    reference_text,
    sort_key,
    text,
)
from helsevev.locale import gettext as _
from helsevev.medication.coding import said_by
from helsevev.medication.panel import Medicine
from helsevev.medication.prescription import NotPrescribable, Prescriber, dose_element
from helsevev.medication.reconciliation.form import issue

Resource = Mapping[str, Any]
HASH: Final = "http://helsevev.no/fhir/StructureDefinition/medicine-list-sha256"
"""valueString on the section of medicines: SHA-256 of the list in canonical form, in hex."""
LETTER: Final = "A03-2"
"""Volven 9602: discharge letter."""
TYPE_SYSTEM: Final = "urn:oid:2.16.578.1.12.4.1.1.9602"
_EMPTY: Final = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_KEPT: Final = ("medicationCodeableConcept", "medicationReference", "status", "reasonCode",
                "statusReason")  # fmt: skip


class Section(Struct, frozen=True):
    """A part of the letter: its title, lines of text, and `rows` (the first are headings).

    `nothing` is "nilknown" when there is none, "unavailable" when it could not be read.
    """

    title: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    nothing: str = ""
    list_hash: str = ""


class Letter(Struct, frozen=True):
    """A letter that was written from the list, and whether the list has changed since."""

    id: str
    title: str
    at: Moment | None
    who: str
    list_hash: str
    is_changed: bool


def canonical(lines: Iterable[Resource]) -> bytes:
    """A list in the one form that only its content decides: no ids, versions, order or spelling.

    Of each line what the medicine is, its dosages, whether it is in use, and why.
    """
    told = [
        _plain({
            **{name: each[name] for name in _KEPT if each.get(name)},
            "dosage": objects(each.get(dose_element(each))),
        })
        for each in lines
    ]  # fmt: skip
    spelled = sorted(
        json.dumps(each, sort_keys=True, ensure_ascii=False, separators=(",", ":")) for each in told
    )
    return ("[" + ",".join(spelled) + "]").encode()


def fingerprint(lines: Iterable[Resource]) -> str:
    """SHA-256 of the canonical form, in hex."""
    return sha256(canonical(lines)).hexdigest()


def medicines_section(
    groups: Sequence[tuple[str, Sequence[Medicine]]],
    lines: Sequence[Resource],
    *,
    readable: bool,
    reconciled: bool,
) -> Section:
    """The medicines as the list has them; none, or not read, is said in words."""
    title, found = _("Medicines at discharge"), fingerprint(lines)
    said = [] if reconciled else [_("The list was not reconciled when this was written.")]
    if not readable:
        said.append(_("A part of the list could not be read by who wrote this: ask before use."))
    head = (_("Medicine"), _("How it is taken"), _("Taken for"), _("Since"))
    rows = [
        (" ".join(part for part in (m.name, f"({m.substance})" if m.substance else "") if part),
         "; ".join(p for p in (m.dose_text or _("Dose not stated"), _mark(group, m)) if p),
         ", ".join(m.reasons), f"{m.since.day:%d.%m.%Y}" if m.since else "")
        for group, listed in groups for m in listed
    ]  # fmt: skip
    if not rows:
        none = _("No medicines in use are recorded.") if readable else _(
            "The list of medicines could not be read."
        )  # fmt: skip
        nothing = "nilknown" if readable else "unavailable"
        return Section(title, (none, *said), (), nothing, found)
    return Section(title, tuple(said), (head, *rows), "", found)


def words_section(title: str, lines: Sequence[str], none: str) -> Section:
    """A section of text, which says `none` where the record has nothing."""
    kept = tuple(line for line in lines if line.strip())
    return Section(title, kept) if kept else Section(title, (none,), (), "nilknown")


def compose(
    sections: Sequence[Section],
    *,
    patient_id: str,
    author: Prescriber,
    custodian: tuple[str, str],
    at: datetime,
    encounter: str | None,
    key: str,
) -> dict[str, Any]:
    """The signed letter. Raises NotPrescribable when a section says nothing."""
    for section in sections:
        if not section.rows and not any(line.strip() for line in section.lines):
            raise NotPrescribable([issue(_("%s is empty.") % section.title, "section")])
    stamp = at.isoformat(timespec="milliseconds")
    party = {"reference": author.reference, "display": author.name}
    title = _("Discharge letter")
    made: dict[str, Any] = {
        "resourceType": "Composition",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{key}"},
        "status": "final",
        "type": {"coding": [{"system": TYPE_SYSTEM, "code": LETTER, "display": title}],
                 "text": title},
        "subject": {"reference": f"Patient/{patient_id}"},
        "date": stamp,
        "author": [party],
        "title": title,
        "attester": [{"mode": "legal", "time": stamp, "party": party}],
        "section": [_section(each) for each in sections],
    }  # fmt: skip
    if encounter:
        made["encounter"] = {"reference": encounter}
    if custodian[0]:
        made["custodian"] = {"reference": custodian[0], "display": custodian[1]}
    return made


def document(letter: Resource, url: str, html: str) -> dict[str, Any]:
    """The letter as it was read when it was signed: a page by itself, kept beside it."""
    data = html.encode()
    made: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "masterIdentifier": letter["identifier"],
        "status": "current",
        "docStatus": "final",
        "type": letter["type"],
        "subject": letter["subject"],
        "date": letter["date"],
        "author": letter["author"],
        "description": _("%s, as it was signed") % letter["title"],
        "content": [
            {
                "attachment": {
                    "contentType": "text/html; charset=utf-8",
                    "language": "nb-NO",
                    "data": base64.b64encode(data).decode(),
                    "size": len(data),
                    "title": letter["title"],
                    "creation": letter["date"],
                }
            }
        ],
        "context": {"related": [{"reference": url}]},
    }
    if letter.get("encounter"):
        made["context"]["encounter"] = [letter["encounter"]]
    if letter.get("custodian"):
        made["custodian"] = letter["custodian"]
    return made


def letters(
    compositions: Iterable[Resource], lines: Sequence[Resource], names: Mapping[str, str]
) -> tuple[Letter, ...]:
    """The letters that carry a list's hash, the newest first, beside the list as it stands now."""
    now = fingerprint(lines)
    found = []
    for each in of_patient(compositions):
        carried = hash_of(each)
        if not carried or LETTER not in codes(each.get("type")):
            continue
        who = next((reference_text(a, names) for a in objects(each.get("author"))), "")
        found.append(
            Letter(
                text(each.get("id")), text(each.get("title")), moment(each.get("date")), who,
                carried, carried != now,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda letter: sort_key(letter.at), reverse=True))


def hash_of(composition: Resource) -> str:
    """The hash of the list that a letter was written from; "" when it carries none."""
    return next(
        (said for s in objects(composition.get("section")) if (said := said_by(s, HASH))), ""
    )


def _section(section: Section) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": section.title,
        "text": {"status": "generated", "div": _narrative(section)},
    }
    if section.list_hash:
        made["extension"] = [{"url": HASH, "valueString": section.list_hash}]
    if section.nothing:
        made["emptyReason"] = {"coding": [{"system": _EMPTY, "code": section.nothing}]}
    return made


def _narrative(section: Section) -> str:
    parts = [
        f"<p>{escape(line, quote=False).replace(chr(10), '<br/>')}</p>" for line in section.lines
    ]
    if section.rows:
        head, *rows = section.rows
        cells = "".join(f"<th>{escape(cell, quote=False)}</th>" for cell in head)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell, quote=False)}</td>" for cell in row) + "</tr>"
            for row in rows
        )
        parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>")
    return f'<div xmlns="{_XHTML}">{"".join(parts)}</div>'


def _mark(group: str, medicine: Medicine) -> str:
    if group == "paused":
        because = f": {medicine.stopped_because}" if medicine.stopped_because else ""
        return _("on hold") + because
    return _("not known whether in use") if group == "uncertain" else ""


def _plain(value: Any) -> Any:
    """The same with numbers as text, so that 1 and 1.0 are one."""
    match value:
        case bool() | None:
            return value
        case Decimal():
            return f"{value.normalize():f}"
        case int() | float():
            return f"{Decimal(str(value)).normalize():f}"
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
