"""How an exchange with the service is kept in the record, and what it looks like to a reader.

A Communication says what became of it; a DocumentReference holds the message as it was sent or
received, whatever of it could be read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct

from helsevev.access.entries import created, transaction
from helsevev.fhir import serialization
from helsevev.fhir.reading import (
    codings,
    first,
    mapping,
    moment,
    notes,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.locale import gettext as _

CATEGORY: Final = "http://helsevev.no/fhir/CodeSystem/national-list-exchange"
Kind = Literal["fetched", "sent"]
_MESSAGE: Final = "urn:uuid:00000000-0000-4000-8000-00000000d0c1"
"""The document within a transaction, before the record gives it an id."""
_CONTENT: Final = "application/fhir+json"
Resource = dict[str, Any]


class Exchange(Struct, frozen=True):
    """One exchange. `state`: "done"; "failed", surely not done; "unknown", nobody knows yet.

    `notes` are what a reader must know of it, such as what was not accepted; `message` is the id
    of the document, `number` that of the message itself, `key` of the press that began it.
    """

    id: str
    kind: Kind
    state: Literal["done", "failed", "unknown"]
    at: datetime
    answered: datetime | None
    who: str
    why: str
    notes: tuple[str, ...]
    message: str
    number: str
    key: str
    resource: Mapping[str, Any]


class State(Struct, frozen=True):
    """Where the exchange of one person's list stands.

    `fetched` and `sent` are the last that were done, `tried` the last of all, `open` one whose
    outcome nobody knows.
    """

    fetched: Exchange | None = None
    sent: Exchange | None = None
    tried: Exchange | None = None
    open: Exchange | None = None

    @property
    def is_down(self) -> bool:
        """Whether the last attempt did not get through."""
        return self.tried is not None and self.tried.state == "failed"


def state_of(communications: Iterable[Mapping[str, Any]]) -> State:
    """Where it stands, from the Communications of a record; others than ours are passed over."""
    found = sorted(
        (each for resource in communications if (each := exchange(resource)) is not None),
        key=lambda each: each.at, reverse=True,
    )  # fmt: skip

    def newest(kind: Kind | None, state: str = "") -> Exchange | None:
        return next((each for each in found if kind in (None, each.kind)
                     and state in ("", each.state)), None)  # fmt: skip

    return State(newest("fetched", "done"), newest("sent", "done"), newest(None),
                 newest("sent", "unknown"))  # fmt: skip


def exchange(resource: Mapping[str, Any]) -> Exchange | None:
    """The exchange that a Communication keeps; None for other messages."""
    coded = {code for each in objects(resource.get("category")) for system, code in codings(each)
             if system == CATEGORY}  # fmt: skip
    at = moment(resource.get("sent"))
    if not coded or at is None or resource.get("status") == "entered-in-error":
        return None
    answered = moment(resource.get("received"))
    state = {"completed": "done", "in-progress": "unknown"}.get(
        text(resource.get("status")), "failed"
    )
    numbers = [text(each.get("value")) for each in objects(resource.get("identifier"))]
    return Exchange(
        id=text(resource.get("id")),
        kind="sent" if "sent" in coded else "fetched",
        state=state,  # type: ignore[arg-type]
        at=at.at,
        answered=answered.at if answered else None,
        who=reference_text(
            resource.get("sender") if "sent" in coded else first(resource.get("recipient"))
        ),
        why=text(mapping(resource.get("statusReason")).get("text")),
        notes=tuple(notes(resource.get("note"))),
        message=reference_key(first(resource.get("payload")).get("contentReference"))
        .removeprefix("DocumentReference/"),
        number=next((n for n in numbers[1:]), ""),
        key=next((n for n in numbers[:1]), ""),
        resource=resource,
    )  # fmt: skip


def begun(
    kind: Kind, patient_id: str, who: Mapping[str, str], at: datetime, key: str, number: str = ""
) -> Resource:
    """A Communication for an exchange that begins now; its outcome is not known yet."""
    service = {"display": _("The national medication service")}
    numbers = [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{key}"}]
    if number:
        numbers.append({"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{number}"})
    return {
        "resourceType": "Communication",
        "identifier": numbers,
        "status": "in-progress",
        "category": [{
            "coding": [{"system": CATEGORY, "code": kind}],
            "text": _("National list of medicines fetched") if kind == "fetched"
            else _("List of medicines sent to the national list"),
        }],
        "subject": {"reference": f"Patient/{patient_id}"},
        "sent": _stamp(at),
        **({"sender": service, "recipient": [dict(who)]} if kind == "fetched"
           else {"sender": dict(who), "recipient": [service]}),
    }  # fmt: skip


def done(begun: Mapping[str, Any], at: datetime, told: Sequence[str] = ()) -> Resource:
    """The exchange with its answer; `told` is what a reader must know of it."""
    made = {k: v for k, v in begun.items() if k not in ("text", "statusReason")}
    made |= {"status": "completed", "received": _stamp(at)}
    if told:
        made["note"] = [*objects(begun.get("note")), *({"text": each} for each in told)]
    return made


def failed(begun: Mapping[str, Any], why: str, *, surely: bool) -> Resource:
    """The exchange without an answer; `surely`: nothing was done, else nobody knows."""
    made = {k: v for k, v in begun.items() if k != "text"}
    return {**made, "status": "not-done" if surely else "in-progress",
            "statusReason": {"text": why}}  # fmt: skip


def with_message(
    communication: Mapping[str, Any], body: bytes, at: datetime, labels: Sequence[Any] = ()
) -> Resource:
    """The transaction that keeps an exchange together with its message.

    `labels` are those of what the message tells: it is withheld from whom any of it is.
    """
    document: Resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {"text": communication["category"][0]["text"]},
        "subject": communication["subject"],
        "date": _stamp(at),
        "content": [{"attachment": {
            "contentType": _CONTENT, "title": communication["category"][0]["text"],
            "creation": _stamp(at), "data": base64.b64encode(body).decode(),
        }}],
    }  # fmt: skip
    if labels:
        document["meta"] = {"security": list(labels)}
    made = {**communication, "payload": [{"contentReference": {"reference": _MESSAGE}}]}
    return transaction([created(document, _MESSAGE), created(made, _MESSAGE[:-1] + "2")])


def without_address(body: bytes) -> bytes:
    """An answer of the service without where the person lives and how they are reached.

    The record has that from the register, which knows who may see it; nothing else is left out.
    Raises `ValueError` for what is no JSON.
    """
    answer = serialization.decode(body)
    people = [
        entry["resource"] for given in objects(answer.get("parameter"))
        for entry in objects(mapping(given.get("resource")).get("entry"))
        if mapping(entry.get("resource")).get("resourceType") == "Patient"
    ]  # fmt: skip
    told = [person.pop(name, None) for person in people for name in ("address", "telecom")]
    return serialization.encode(answer) if any(told) else body


def message_in(document: Mapping[str, Any]) -> bytes:
    """The message that a document keeps; empty when it keeps none."""
    attachment = mapping(first(document.get("content")).get("attachment"))
    return base64.b64decode(text(attachment.get("data")))


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
