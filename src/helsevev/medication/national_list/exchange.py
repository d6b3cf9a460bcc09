"""Fetches the national list and sends ours: each once, each kept, each telling what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID, uuid4

from helsevev.access.actor import Actor
from helsevev.access.errors import NotFound
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir import serialization
from helsevev.fhir.outcome import error
from helsevev.fhir.reading import codings, full_name, mapping, objects, of_patient, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.product import resource_id
from helsevev.medication.national_list import comparing, kept, message, outgoing
from helsevev.medication.national_list.codes import FEST, NATIONAL_NUMBERS
from helsevev.medication.national_list.kept import Exchange, State
from helsevev.medication.national_list.message import NationalList, NotTheList
from helsevev.medication.national_list.outgoing import Message, Sender
from helsevev.medication.national_list.port import NationalService, ServiceFailed
from helsevev.medication.national_list.products import patient as asked_about
from helsevev.medication.opened import Opened, open_list
from helsevev.medication.prescription import NotPrescribable

_MOST = 300
"""Messages of one record that are looked through for exchanges, the newest."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One person's list and the exchange of it, opened by somebody."""

    opened: Opened
    service: NationalService
    patient: Mapping[str, Any]
    state: State
    national: NationalList | None
    unreadable: str
    allergies: tuple[Mapping[str, Any], ...] = ()

    @property
    def rows(self) -> tuple[comparing.Row, ...]:
        """Both lists beside each other; none before the national one was fetched."""
        if self.national is None:
            return ()
        return comparing.rows(self.opened.listed, self.opened.resources, self.national)

    @property
    def numbers(self) -> list[Mapping[str, Any]]:
        """The national numbers of the person."""
        return [each for each in objects(self.patient.get("identifier"))
                if each.get("system") in NATIONAL_NUMBERS and each.get("value")]  # fmt: skip

    @property
    def who(self) -> dict[str, str]:
        """Who exchanges, as a reference with a name."""
        return {"reference": self.opened.actor.id, "display": self.opened.actor.name}


async def open_desk(
    services: Services, service: NationalService, actor: Actor, patient_id: str, *,
    interaction: str = "national-list",
) -> Desk:  # fmt: skip
    """Open the list and what was exchanged of it, decided and audited. Raises `Refused`."""
    opened = await open_list(services, actor, patient_id, interaction=interaction)
    found = await services.gate.open_slices(
        opened.permit,
        [Slice("Patient", 1), Slice("Communication", _MOST), Slice("AllergyIntolerance", _MOST)],
        interaction=interaction,
    )  # fmt: skip
    state = kept.state_of(found.get("Communication", ()))
    patient = next(iter(found.get("Patient", ())), {})
    desk = Desk(opened, service, patient, state, None, "")
    national, unreadable = None, ""
    if state.fetched is not None:
        try:
            national = _read(desk, await _message(opened, state.fetched))
        except (NotTheList, ValueError, NotFound) as problem:
            unreadable = str(problem)
    allergies = tuple(of_patient(found.get("AllergyIntolerance", ())))
    return Desk(opened, service, patient, state, national, unreadable, allergies)


async def open_state(services: Services, actor: Actor, patient_id: str) -> State:
    """Only where the exchange stands. Raises `Refused`."""
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, [Slice("Communication", _MOST)], interaction="refresh"
    )
    return kept.state_of(found.get("Communication", ()))


async def fetch(desk: Desk, key: str) -> Exchange:
    """Ask for the national list, and keep the answer as it came, or that none came.

    A second press of the same button gives what the first has fetched. Raises `AccessError`.
    """
    if (before := _begun_by(desk, key)) is not None:
        return before
    at = clock.now()
    begun = kept.begun("fetched", desk.opened.patient_id, desk.who, at, str(UUID(key)))
    try:
        body = await _ask(desk)
    except (ServiceFailed, NotTheList) as problem:
        made = kept.failed(begun, why_of(problem), surely=True)
        await desk.opened.services.writer.write(desk.opened.actor, made, idempotency_key=key)
        return _exchange(made)
    national = _read(desk, body)
    made = kept.done(begun, clock.now(), national.notices)
    await desk.opened.services.bundles.transact(
        desk.opened.actor, kept.with_message(made, body, at), idempotency_key=key
    )
    return _exchange(made)


async def compose(desk: Desk, key: str) -> Message:
    """What would be sent now, with this key. Raises `NotPrescribable` when nothing may be."""
    if desk.national is None:
        _refuse(_("Fetch the national list first: what is sent is put into it."))
    if await desk.opened.services.gate.withholds(desk.opened.permit):
        _refuse(_("Something in this record is withheld from you, so the list may not be whole."))
    assert desk.national is not None
    return outgoing.message(
        desk.national, desk.rows, desk.opened.resources, await _sender(desk), clock.now(),
        str(UUID(key)), await _catalogue(desk),
    )  # fmt: skip


async def send(desk: Desk, key: str, seen: str) -> Exchange:
    """Send our list, once, on the national list that was seen.

    It is fetched anew first: when it is another than what was seen, nothing is sent, and a
    person looks again. Afterwards it is fetched once more and compared with what was sent. Raises
    `NotPrescribable` when it is not sent, and `AccessError`.
    """
    if (before := _begun_by(desk, key)) is not None:
        return before
    if not desk.opened.may_prescribe:
        _refuse(_("Only those who prescribe send the list."))
    if desk.state.open is not None:
        _refuse(_("It is not known what became of the list that was sent before. See to that."))
    if desk.state.fetched is None or desk.state.fetched.id != seen:
        _refuse(_("The national list was fetched anew meanwhile. See what it says now."))
    await _must_stand(desk)
    made = await compose(desk, key)
    if not made.changes:
        _refuse(_("The national list says the same already: there is nothing to send."))
    at = clock.now()
    begun = kept.begun(
        "sent", desk.opened.patient_id, desk.who, at, str(UUID(key)), made.identifier
    )
    begun = kept.failed(begun, _("No answer has come yet."), surely=False)
    begun["note"] = [
        {"text": _("Not sent: %(what)s (%(why)s)") % {"what": each.name, "why": each.why}}
        for each in made.kept_back
    ]
    if not begun["note"]:
        del begun["note"]
    body = serialization.encode(made.parameters)
    labels = _labels(desk)
    await desk.opened.services.bundles.transact(
        desk.opened.actor, kept.with_message(begun, body, at, labels), idempotency_key=key
    )
    stored = await _stored(desk, key)
    return await _carry(desk, stored, made.parameters, _said_of(made))


async def send_again(desk: Desk, exchange_id: str) -> Exchange:
    """Send the very same message again, after an answer was lost; its number tells the service.

    Raises `NotPrescribable` when there is no such message without an answer.
    """
    if not desk.opened.may_prescribe:
        _refuse(_("Only those who prescribe send the list."))
    waiting = desk.state.open
    if waiting is None or waiting.id != exchange_id:
        _refuse(_("This was answered meanwhile."))
    assert waiting is not None
    parameters = serialization.decode(await _message(desk.opened, waiting))
    return await _carry(desk, waiting, parameters, _lines_in(desk, parameters))


async def settle(desk: Desk, exchange_id: str) -> tuple[Exchange, tuple[str, ...]]:
    """See by the national list what became of a message without an answer.

    When all of it is there, it has arrived. Else gives what is not: it may be sent again. Raises
    `NotPrescribable` when the list cannot be fetched.
    """
    waiting = desk.state.open
    if waiting is None or waiting.id != exchange_id:
        _refuse(_("This was answered meanwhile."))
    assert waiting is not None
    parameters = serialization.decode(await _message(desk.opened, waiting))
    try:
        national = _read(desk, await _ask(desk))
    except (ServiceFailed, NotTheList) as problem:
        _refuse(why_of(problem))
    missing = otherwise(national, _lines_in(desk, parameters))
    if missing:
        return waiting, missing
    found = [_("No answer came, but the national list says what was sent.")]
    return await _close(desk, kept.done(waiting.resource, clock.now(), found)), ()


def otherwise(national: NationalList, sent: Mapping[str, str]) -> tuple[str, ...]:
    """What the national list does not say as it was sent: by number, the words of each line."""
    words = {number: line.words for line in national.lines for number in line.identifiers}
    told = []
    for number, said in sent.items():
        if number not in words:
            told.append(_("“%(words)s” was sent, and is not in the national list.") % {
                "words": said})  # fmt: skip
        elif " ".join(words[number].split()) != " ".join(said.split()):
            told.append(_("“%(words)s” was sent, but the national list says “%(back)s”.") % {
                "words": said, "back": words[number]})  # fmt: skip
    return tuple(told)


def why_of(problem: ServiceFailed | NotTheList) -> str:
    """In words why there is no answer, with what the service itself says."""
    if isinstance(problem, NotTheList):
        return str(problem)
    said = {
        "not-set-up": _("The exchange with the national list is not set up here."),
        "unreachable": _("The national medication service cannot be reached."),
        "refused": _("The national medication service refused it."),
        "conflict": _("The national list was changed by others meanwhile."),
        "unknown": _("The national medication service gave no whole answer."),
    }[problem.failure]
    return " ".join((said, *problem.problems))


async def _carry(
    desk: Desk, waiting: Exchange, parameters: Mapping[str, Any], said: Mapping[str, str]
) -> Exchange:
    """Send a message that is kept as begun, and keep what became of it."""
    try:
        receipt = await desk.service.send_medication(parameters)
    except ServiceFailed as problem:
        surely = problem.failure != "unknown"
        made = kept.failed(waiting.resource, why_of(problem), surely=surely)
        return await _close(desk, made)
    refused = dict(receipt.refused)
    told = [_("Not accepted: %(what)s (%(why)s)") % {"what": said.get(number, number), "why": why}
            for number, why in receipt.refused]  # fmt: skip
    told += await _came_back(desk, {n: words for n, words in said.items() if n not in refused})
    return await _close(desk, kept.done(waiting.resource, clock.now(), told))


async def _came_back(desk: Desk, said: Mapping[str, str]) -> list[str]:
    """What the national list says otherwise than what was sent (G8); its answer is kept."""
    try:
        body = await _ask(desk)
        national = _read(desk, body)
    except (ServiceFailed, NotTheList):
        return [_("Whether it came through unchanged could not be looked up afterwards.")]
    at = clock.now()
    begun = kept.begun("fetched", desk.opened.patient_id, desk.who, at, str(uuid4()))
    made = kept.with_message(kept.done(begun, at, national.notices), body, at)
    await desk.opened.services.bundles.transact(desk.opened.actor, made)
    return list(otherwise(national, said))


async def _close(desk: Desk, made: dict[str, Any]) -> Exchange:
    await desk.opened.services.writer.write(desk.opened.actor, made)
    return _exchange(made)


async def _must_stand(desk: Desk) -> None:
    """That the national list is still the one that was seen."""
    assert desk.national is not None
    try:
        now = _read(desk, await _ask(desk))
    except (ServiceFailed, NotTheList) as problem:
        _refuse(why_of(problem))
    if now.fingerprint != desk.national.fingerprint or now.identifier != desk.national.identifier:
        _refuse(_("Others have changed the national list since you fetched it. Fetch it again."))


async def _ask(desk: Desk) -> bytes:
    if not desk.numbers:
        raise ServiceFailed("refused", [_("The person has no national number.")])
    body = await desk.service.get_medication(asked_about(desk.patient, desk.numbers[0]))
    _read(desk, body)
    return kept.without_address(body)


def _read(desk: Desk, body: bytes) -> NationalList:
    numbers = [text(each.get("value")) for each in desk.numbers]
    try:
        return message.read(serialization.decode(body), numbers)
    except NotTheList:
        raise
    except ValueError as problem:
        raise NotTheList(_("The answer cannot be read.")) from problem


async def _message(opened: Opened, of: Exchange) -> bytes:
    stored = await opened.services.gate.open_resource(opened.actor, "DocumentReference", of.message)
    return kept.message_in(stored.resource)


async def _stored(desk: Desk, key: str) -> Exchange:
    found = await desk.opened.services.gate.open_slices(
        desk.opened.permit, [Slice("Communication", _MOST)], interaction="national-list"
    )
    each = next(
        each for resource in found["Communication"]
        if (each := kept.exchange(resource)) is not None and each.key == f"urn:uuid:{UUID(key)}"
    )  # fmt: skip
    return each


def _exchange(made: Mapping[str, Any]) -> Exchange:
    found = kept.exchange(made)
    assert found is not None
    return found


def _begun_by(desk: Desk, key: str) -> Exchange | None:
    """What the same press has begun before."""
    listed = (desk.state.fetched, desk.state.sent, desk.state.tried, desk.state.open)
    return next((e for e in listed if e is not None and e.key == f"urn:uuid:{UUID(key)}"), None)


def _said_of(made: Message) -> dict[str, str]:
    return {each.number: each.words for each in made.sent if each.act in ("added", "changed")}


def _lines_in(desk: Desk, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The lines of a kept message that this sender has put into it: number to words."""
    numbers = [text(each.get("value")) for each in desk.numbers]
    sent = message.read(parameters, numbers)
    ours = next(iter(_signers(parameters)), "")
    return {min(line.identifiers): line.words for line in sent.lines
            if ours and any(mapping(v).get("reference") == ours for v in _providers(line))
            and line.is_active}  # fmt: skip


def _signers(parameters: Mapping[str, Any]) -> list[str]:
    return [
        text(mapping(attester.get("party")).get("reference"))
        for given in objects(parameters.get("parameter"))
        for entry in objects(mapping(given.get("resource")).get("entry"))
        for attester in objects(mapping(entry.get("resource")).get("attester"))
    ]


def _providers(line: message.Line) -> list[Any]:
    return list(message.providers(line.statement))


def _labels(desk: Desk) -> Sequence[Any]:
    """The labels of everything the list tells, each once."""
    found = {
        (label.get("system"), label.get("code")): label
        for resource in desk.opened.resources.values()
        for label in objects(mapping(resource.get("meta")).get("security"))
    }
    return list(found.values())


async def _sender(desk: Desk) -> Sender:
    actor = desk.opened.actor
    wanted = [tuple(key.split("/", 1)) for key in (actor.id, *actor.organisations[:1])]
    found = await desk.opened.services.gate.open_many(
        actor, [(kind, key) for kind, key in wanted], interaction="names"
    )
    practitioner = next((r for (kind, _key), r in found.items() if kind == "Practitioner"), {})
    place = next((r for (kind, _key), r in found.items() if kind == "Organization"), {})
    return Sender(practitioner, place, full_name(practitioner.get("name")) or actor.name)


async def _catalogue(desk: Desk) -> dict[str, Mapping[str, Any]]:
    """Our Medication of each FEST number on the list."""
    numbers = {
        code for resource in desk.opened.resources.values()
        for system, code in codings(resource.get("medicationCodeableConcept")) if system == FEST
    }  # fmt: skip
    found = await desk.opened.services.gate.open_many(
        desk.opened.actor, [("Medication", resource_id(each)) for each in numbers],
        interaction="names",
    )  # fmt: skip
    return {number: found[place] for number in numbers
            if (place := ("Medication", resource_id(number))) in found}  # fmt: skip


def _refuse(words: str) -> NoReturn:
    raise NotPrescribable([error("business-rule", words)])
