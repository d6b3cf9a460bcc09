"""Scanning at the bedside: what was scanned is judged, kept when it stops, counted, and signed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, structs

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError
from helsevev.access.scan_counts import MEDICINE, PATIENT, RIGHT
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.reading import OSLO, mapping, text
from helsevev.kit import clock
from helsevev.medication.administration import Scanned, Signer
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.catalogue.product import Product
from helsevev.medication.catalogue.resources import GTIN
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.medication.round_signing import RoundSigning, Signed
from helsevev.medication.scanning import codes, judging, stops
from helsevev.medication.scanning.codes import Pack, Recipient, Unreadable
from helsevev.medication.scanning.fitting import ordered_of, product_ids
from helsevev.medication.scanning.judging import Verdict
from helsevev.medication.scanning.own_codes import Prepared, Wristband
from helsevev.medication.scanning.words import Told, told_of

MEANS: Final = ("camera", "scanner", "typed")
_LABEL: Final = "http://helsevev.no/fhir/prepared-dose"
RECENT: Final = Slice("DetectedIssue", 20)
"""As many stops as one bedside has in a day, and more."""


class Scan(Struct, frozen=True, kw_only=True):
    """What was scanned: its code, by what means, and the wristband that was scanned before it.

    `without` is the reason (of the rounds' content) why no wristband was.
    """

    code: str
    means: str
    wristband: str = ""
    without: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """What is told: the verdict in words, the id of the stop that was kept, and what was signed."""

    opened: OpenedRound
    scan: Scan
    verdict: Verdict
    told: Told
    stop: str = ""
    signed: Signed | None = None


class Bedside:
    """One person scans at one patient's bedside."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._services = services
        self._actor = actor
        self._by = Signer(actor.id, actor.name)

    async def scan(self, patient_id: str, scan: Scan) -> Answer:
        """Judge a scan; keep it when it stops, count it, and sign where the unit signs at once.

        Raises `Refused` for a record that is closed to who scans.
        """
        opened = await open_round(self._services, self._actor, patient_id)
        verdict = await self._judge(opened, scan)
        answer = Answer(opened=opened, scan=scan, verdict=verdict, told=told_of(verdict))
        await self._count(verdict, scan)
        if verdict.is_stop:
            return structs.replace(answer, stop=await self._keep(answer))
        if self._signs_at_once(answer):
            return await self._sign(answer, verdict.rows[0].key)
        return answer

    async def sign(self, patient_id: str, scan: Scan, key: str) -> Answer:
        """Sign the planned dose `key`, for which something was scanned; judged once more."""
        opened = await open_round(self._services, self._actor, patient_id)
        verdict = await self._judge(opened, scan)
        answer = Answer(opened=opened, scan=scan, verdict=verdict, told=told_of(verdict))
        if verdict.is_stop:
            await self._count(verdict, scan)
            return structs.replace(answer, stop=await self._keep(answer))
        return await self._sign(answer, key)

    async def sign_needed(self, patient_id: str, scan: Scan, reason: str, pressed: str) -> Answer:
        """Give the as-needed dose whose package was scanned, for a reason."""
        opened = await open_round(self._services, self._actor, patient_id)
        verdict = await self._judge(opened, scan)
        answer = Answer(opened=opened, scan=scan, verdict=verdict, told=told_of(verdict))
        if verdict.kind != judging.AS_NEEDED or verdict.needed is None:
            return answer
        signing = RoundSigning(self._services, self._actor, pressed)
        signed = await signing.give_as_needed(
            verdict.needed, reason, scan.without, _scanned(verdict, scan)
        )
        if not signed.problem:
            await self._changed(opened, text(verdict.needed.order.get("id")))
        return structs.replace(answer, signed=signed)

    async def came_after(self, patient_id: str, stop_id: str, act: str) -> Mapping[str, Any]:
        """Keep what came after a stop, once. Gives the stop; empty for none of this patient."""
        opened = await open_round(self._services, self._actor, patient_id)
        stop = await self._stop(opened, stop_id)
        if stop:
            await self._answer(stop, act)
        return stop

    async def _judge(self, opened: OpenedRound, scan: Scan) -> Verdict:
        said = _read(scan)
        if said is None:
            return Verdict(kind=judging.UNREADABLE)
        if isinstance(said, Wristband | Recipient):
            return judging.patient_scanned(said, opened.patient)
        if not _is_with_patient(opened, scan):
            return Verdict(kind=judging.NO_PATIENT)
        now = clock.now()
        if isinstance(said, Prepared):
            return judging.prepared_scanned(said, opened.round, now)
        product = await self._product(said)
        if product is None:
            return Verdict(kind=judging.UNKNOWN, pack=said)
        products = await self._ordered_products(opened)
        orders = [(order, ordered_of(order, products)) for order in opened.orders]
        today = now.astimezone(OSLO).date()
        return judging.pack_scanned(product, said, opened.round, orders, now, today)

    async def _product(self, pack: Pack) -> Product | None:
        catalogue = catalogue_of(self._services)
        for number in pack.numbers:
            if (found := await catalogue.scanned(number)) is not None:
                return found[0]
        return None

    async def _ordered_products(self, opened: OpenedRound) -> dict[str, Product]:
        """The products of the catalogue that the orders name by code."""
        catalogue = catalogue_of(self._services)
        wanted = list(
            dict.fromkeys(each for order in opened.orders for each in product_ids(order))
        )  # fmt: skip
        found = await asyncio.gather(*(catalogue.product(each) for each in wanted))
        return {key: each for key, each in zip(wanted, found, strict=True) if each is not None}

    def _signs_at_once(self, answer: Answer) -> bool:
        verdict = answer.verdict
        here = self._actor.unit and self._actor.unit[0] in loading.scanning().at_once
        return bool(
            here
            and verdict.kind == judging.DOSE
            and verdict.fit is not None
            and verdict.fit.is_sure
            and len(verdict.rows) == 1
            and not answer.scan.without
            and answer.scan.means != "typed"
        )

    async def _sign(self, answer: Answer, key: str) -> Answer:
        row = next((each for each in answer.verdict.rows if each.key == key), None)
        if answer.verdict.kind != judging.DOSE or row is None:
            return answer
        signing = RoundSigning(self._services, self._actor, "")
        scanned = _scanned(answer.verdict, answer.scan)
        signed = await signing.give(row, answer.scan.without, scanned)
        if not signed.problem:
            await self._changed(answer.opened, text(row.order.get("id")))
        return structs.replace(answer, signed=signed)

    async def _count(self, verdict: Verdict, scan: Scan) -> None:
        counts = self._services.scan_counts
        kind, means = verdict.kind, scan.means
        of_patient = verdict.product is None and kind in (judging.PATIENT, judging.WRONG_PATIENT)
        if kind == judging.NO_PATIENT:
            return
        product = verdict.product.name if verdict.product is not None else ""
        if kind == judging.UNKNOWN and verdict.pack is not None:
            product = verdict.pack.gtin or verdict.pack.item
        right = kind in (judging.PATIENT, judging.DOSE, judging.AS_NEEDED)
        await counts.count(
            self._actor, PATIENT if of_patient else MEDICINE, RIGHT if right else kind,
            means=means, product=product,
        )  # fmt: skip

    async def _keep(self, answer: Answer) -> str:
        """Keep a stop in the record; gives its id, "" where who scans may not write there."""
        unit = (self._actor.unit[0], self._actor.unit_name) if self._actor.unit else ("", "")
        said = f"{answer.told.title}: {answer.told.text}"
        made = stops.stop_of(
            answer.verdict, answer.opened.patient_id, self._by, unit, clock.now(), said
        )
        written = await self._services.writer.write(self._actor, made, create=True)
        return written.stored.id

    async def _changed(self, opened: OpenedRound, order: str) -> None:
        """The right thing was found: that is what came after the stops shortly before."""
        gate = self._services.gate
        found = await gate.open_slices(opened.permit, (RECENT,), interaction="round")
        now = clock.now()
        for stop in found["DetectedIssue"]:
            if stops.is_open(stop, order, now):
                await self._answer(stop, stops.CHANGED)

    async def _stop(self, opened: OpenedRound, stop_id: str) -> Mapping[str, Any]:
        found = await self._services.gate.open_slices(opened.permit, (RECENT,), interaction="round")
        return next((s for s in found["DetectedIssue"] if s.get("id") == stop_id), {})

    async def _answer(self, stop: Mapping[str, Any], act: str) -> None:
        made = stops.answered(stop, act, self._by, clock.now())
        if made is None:
            return
        version = int(text(mapping(made.get("meta")).get("versionId")) or 0)
        try:
            await self._services.writer.write(self._actor, made, if_match=version)
        except AccessError:
            return  # Somebody else has just told what came after; the dose itself is signed.


def _read(scan: Scan) -> codes.Said | None:
    try:
        return codes.read(scan.code, typed=scan.means == "typed", exact=scan.means == "camera")
    except Unreadable:
        return None


def _is_with_patient(opened: OpenedRound, scan: Scan) -> bool:
    """Whether the right wristband was scanned, or it was said why none was."""
    if scan.without:
        return scan.without == loading.scanning().no_wristband
    said = _read(structs.replace(scan, code=scan.wristband)) if scan.wristband else None
    if not isinstance(said, Wristband | Recipient):
        return False
    return judging.patient_scanned(said, opened.patient).kind == judging.PATIENT


def _scanned(verdict: Verdict, scan: Scan) -> Scanned:
    """What is kept with the dose of what was scanned for it."""
    pack, product = verdict.pack, verdict.product
    if pack is None or product is None:
        row = verdict.rows[0]
        return Scanned(
            means=scan.means, patient=not scan.without, system=_LABEL, number=row.key,
            product=row.name, expires=verdict.expires,
        )  # fmt: skip
    return Scanned(
        means=scan.means, patient=not scan.without,
        system=GTIN if pack.gtin else "http://ehelse.no/fhir/CodeSystem/FEST",
        number=pack.gtin or pack.item, product=product.name, batch=pack.batch,
        serial=pack.serial, expires=pack.expires,
    )  # fmt: skip
