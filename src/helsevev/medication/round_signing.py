"""Signing a round: each dose by itself, so that one that is refused holds back no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.entries import created, transaction
from helsevev.access.errors import AccessError, Unprocessable
from helsevev.access.scan_counts import DOSE, RIGHT
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.reading import is_mistake, mapping, objects, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication import administration
from helsevev.medication.administration import REASONS, Refusal, Scanned, Signer
from helsevev.medication.administration_rules import DUPLICATE
from helsevev.medication.round import EFFECT, AsNeeded, Row
from helsevev.medication.shelf.supplies import taken_from_shelf

PRESSED: Final = "http://helsevev.no/fhir/pressed"
"""Identifier system: the form from which an as-needed dose was signed."""
_MOST_WORDS: Final = 10


class Signed(Struct, frozen=True):
    """What became of one dose: it was recorded, or `problem` says why not.

    `id` is that of the MedicationAdministration, where whoever asked needs it.
    """

    name: str
    problem: str = ""
    id: str = ""


class RoundSigning:
    """Signs for one person at one moment; `key` makes two presses of the same form one."""

    def __init__(self, services: Services, actor: Actor, key: str) -> None:
        self._services = services
        self._actor = actor
        self._by = Signer(actor.id, actor.name)
        self._key = key

    async def give(
        self, row: Row, not_scanned: str, scanned: Scanned | None = None
    ) -> Signed:  # fmt: skip
        """Sign a planned dose, as the first or as the second who signs."""
        now = clock.now()
        if row.is_infusion:
            return Signed(row.name, _("An infusion is started, not given."))
        if (
            row.state == "prepared"
            and row.signed
            and self._by.id not in administration.performers(row.signed)
        ):
            return await self._second(row, row.signed, now)
        made = administration.given(
            row.order, row.dosage, self._by, now, due=row.key, not_scanned=not_scanned,
            scanned=scanned,
        )  # fmt: skip
        made = await taken_from_shelf(self._services, self._actor, row.order, made)
        return await self.write(row.name, row.key, made)

    async def withhold(self, row: Row, reason: str) -> Signed:
        """Say that a planned dose was not given, and why."""
        try:
            made = administration.not_given(
                row.order, self._by, clock.now(), due=row.key, reason=reason
            )
        except Refusal as refusal:
            return Signed(row.name, str(refusal))
        return await self.write(row.name, row.key, made)

    async def give_as_needed(
        self, chosen: AsNeeded, reason: str, not_scanned: str, scanned: Scanned | None = None
    ) -> Signed:
        """Give an as-needed dose, with the task to see how it worked. Nothing or both is kept."""
        if not reason.strip():
            return Signed(chosen.name, _("Say what it is given for."))
        now = clock.now()
        made = administration.given(
            chosen.order,
            chosen.dosage,
            self._by,
            now,
            reason=reason.strip(),
            not_scanned=not_scanned,
            scanned=scanned,
        )
        made = await taken_from_shelf(self._services, self._actor, chosen.order, made)
        url = f"urn:uuid:{uuid4()}"
        entries = [
            (url, made),
            (f"urn:uuid:{uuid4()}", effect_task(made, url, self._by, self._actor, now)),
        ]
        # A press that is repeated finds what the first one made.
        pressed = {"system": PRESSED, "value": self._key}
        only_once = {"identifier": f"{PRESSED}|{self._key}"}
        bundle = transaction(
            created({**resource, "identifier": [pressed]}, full_url, only_once=only_once)
            for full_url, resource in entries
        )
        try:
            await self._services.bundles.transact(self._actor, bundle)
        except AccessError as problem:
            return Signed(chosen.name, words_of_refusal(problem))
        await count_scan(self._services, self._actor, chosen.name, made)
        return Signed(chosen.name)

    async def tell_effect(self, task: Mapping[str, Any], effect: str) -> Signed:
        """Close the task with how the dose worked."""
        chosen = next((e for e in loading.rounds().effect if e.code == effect), None)
        if chosen is None:
            return Signed("", _("Choose how it worked."))
        coding = {"system": REASONS, "code": chosen.code, "display": chosen.label}
        output = {
            "type": {"coding": [{"system": REASONS, "code": EFFECT}]},
            "valueCodeableConcept": {"coding": [coding], "text": chosen.label},
        }
        done = {
            **task,
            "status": "completed",
            "lastModified": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}",
            "output": [output],
        }
        return await self.replace(chosen.label, done)

    async def settle(self, second: Mapping[str, Any], *, both: bool) -> Signed:
        """Settle what two have said about one dose."""
        try:
            made = administration.settled(second, self._by, clock.now(), both=both)
        except Refusal as refusal:
            return Signed("", str(refusal))
        return await self.replace("", made)

    async def _second(self, row: Row, prepared: Mapping[str, Any], now: datetime) -> Signed:
        try:
            made = administration.second_signed(prepared, self._by, now)
        except Refusal as refusal:
            return Signed(row.name, str(refusal))
        return await self.replace(row.name, made)

    async def write(self, name: str, due: str, made: dict[str, Any]) -> Signed:
        """Keep what answers a planned dose (`due`, "" for none); of two words both are kept."""
        try:
            await self._services.writer.write(self._actor, made)
        except Unprocessable as problem:
            if any(issue.code == DUPLICATE for issue in problem.issues):
                return await self._contradict(name, due, made, words_of_refusal(problem))
            return Signed(name, words_of_refusal(problem))
        except AccessError as problem:
            return Signed(name, words_of_refusal(problem))
        await count_scan(self._services, self._actor, name, made)
        return Signed(name)

    async def _contradict(self, name: str, due: str, made: dict[str, Any], said: str) -> Signed:
        """Keep the second's word; a press that was repeated says nothing new."""
        query = urlencode({"identifier": f"{administration.DUE}|{due}"})
        stored = await self._services.searcher.match(
            self._actor, "MedicationAdministration", query, _MOST_WORDS
        )
        found = [each.resource for each in stored]
        if any(self._is_mine(each) for each in found):
            return Signed(name)
        first = next((f for f in found if f.get("status") in administration.ANSWERS), None)
        if first is None:
            return Signed(name, said)
        kept = administration.contradicting(made, first)
        # Presses at the same moment say one thing; what one says after it was settled is new.
        own = sum(self._by.id in administration.performers(each) for each in found)
        try:
            await self._once(kept, f"{due} {self._by.id} {own}")
        except AccessError as problem:
            return Signed(name, words_of_refusal(problem))
        return Signed(name, said + " " + _("What you signed is kept, and has to be settled."))

    async def _once(self, made: Mapping[str, Any], pressed: str) -> None:
        """Keep it, unless the same press has been kept. Raises `AccessError`."""
        identifier = {"system": PRESSED, "value": pressed}
        named = {**made, "identifier": [*objects(made.get("identifier")), identifier]}
        entry = created(named, only_once={"identifier": f"{PRESSED}|{pressed}"})
        await self._services.bundles.transact(self._actor, transaction([entry]))

    def _is_mine(self, said: Mapping[str, Any]) -> bool:
        return not is_mistake(said) and self._by.id in administration.performers(said)

    async def replace(self, name: str, made: dict[str, Any]) -> Signed:
        """Keep the next version of what was seen; what somebody wrote meanwhile is told."""
        version = int(text(mapping(made.get("meta")).get("versionId")) or 0)
        try:
            await self._services.writer.write(self._actor, made, if_match=version)
        except AccessError as problem:
            return Signed(name, words_of_refusal(problem))
        return Signed(name)


async def count_scan(
    services: Services, actor: Actor, name: str, made: Mapping[str, Any]
) -> None:  # fmt: skip
    """Count whether a dose that was just kept had been scanned, or why not; once for each."""
    means, why = administration.scan_of(made)
    if means or why:
        await services.scan_counts.count(actor, DOSE, why or RIGHT, means=means, product=name)


def words_of_refusal(problem: AccessError) -> str:
    """What a refusal says, in the words of all its issues."""
    return " ".join(issue.diagnostics for issue in problem.issues)


def effect_task(
    made: Mapping[str, Any], url: str, by: Signer, actor: Actor, given_at: datetime
) -> dict[str, Any]:
    """The Task to the unit to see how an as-needed dose (`url`) worked, some time after it."""
    later = given_at + timedelta(minutes=loading.rounds().follow_up_minutes)
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {
            "coding": [{"system": REASONS, "code": EFFECT}],
            "text": _("See how the as-needed dose worked"),
        },
        "focus": {"reference": url},
        "for": made["subject"],
        "authoredOn": f"{given_at:%Y-%m-%dT%H:%M:%SZ}",
        "requester": {"reference": by.id, "display": by.name},
        "restriction": {"period": {"start": f"{later:%Y-%m-%dT%H:%M:%SZ}"}},
    }
    if actor.unit:
        task["owner"] = {"reference": actor.unit[0], "display": actor.unit_name}
    return task
