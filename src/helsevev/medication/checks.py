"""Checks of an order against the record: read what they rest on, advise, and log what is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import structs

from helsevev.access.card_log import Shown, new_card_id
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.decision_support.cards import Advice, Card
from helsevev.decision_support.checking import advise, standing
from helsevev.decision_support.knowledge import (
    BadList,
    InteractionList,
    Knowledge,
    decoded,
    included,
    knowledge,
)
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.reading import (
    TYPES,
    Chart,
    in_use,
    patient_of,
    situation_of,
)
from helsevev.fhir.reading import objects, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.order_products import with_products

_ENDED: Final = ("stopped", "completed", "cancelled", "entered-in-error")
SLICES: Final = tuple(
    Slice(kind, 500, _ENDED) if kind in ("MedicationRequest", "MedicationStatement")
    else Slice(kind, 500)
    for kind in TYPES
)  # fmt: skip
"""What the checks read of a record."""
MADE_AS: Final = "urn:ietf:rfc:3986"
"""The system of the identifier that an order has from the form it was made in."""
UNCHECKED: Final = "https://helsevev.example/fhir/CodeSystem/unchecked"
"""The system of the tags on an order that say what was not checked when it was made."""


async def knowledge_now(services: Services) -> Knowledge:
    """What is known now; without interactions, and saying why, while the base is down."""
    base = services.knowledge_base
    state = await base.state()
    if state.stopped_because:
        return knowledge(None, banner(state.stopped_because))
    try:
        return knowledge(_list_of(await base.body(state)))
    except BadList as problem:
        return knowledge(None, banner(str(problem)[:200]))


def banner(because: str) -> str:
    """What every page of prescribing says while the knowledge base is down."""
    return _(
        "The knowledge base is down (%(reason)s): interactions are not checked. Orders are marked"
        " as unchecked, and come on a list when it is back."
    ) % {"reason": because}


@lru_cache(maxsize=2)
def _list_of(body: bytes | None) -> InteractionList:
    return included() if body is None else decoded(body)


async def check_orders(
    services: Services,
    permit: Permit,
    orders: Sequence[Mapping[str, Any]],
    *,
    hook: str = "order-sign",
    chart: Chart | None = None,
    showing: str = "",
) -> list[Advice]:
    """The advice on each order being made, beside what is in use and the others; each card logged.

    `chart` are the record's resources by type where they have been read already; `showing` names
    the form that is being filled in: what it shows again is the same card. Every card has an id:
    `services.card_log.answer` takes it with what the reader did. Raises `Refused` when the permit
    holds no longer.
    """
    found, known, settled = await _read(services, permit, chart, orders)
    withheld = await services.gate.withholds(permit)
    made = [
        advise(
            situation_of(
                order, found, known.facts, clock.now(),
                besides=[other for other in orders if other is not order], acknowledged=settled,
            ),
            known,
        )
        for order in orders
    ]  # fmt: skip
    return [
        await _logged(
            services, permit, hook, _with_word_of(withheld, advice), subject_of(order), showing
        )
        for advice, order in zip(made, orders, strict=True)
    ]


async def check_list(services: Services, permit: Permit, *, chart: Chart | None = None) -> Advice:
    """What is to be known of the medicines in use, told quietly; each card logged."""
    found, known, _settled = await _read(services, permit, chart)
    advice = standing(patient_of(found, known.facts, clock.now()), in_use(found), known)
    return await _logged(services, permit, "patient-view", advice, "")


async def _read(
    services: Services,
    permit: Permit,
    chart: Chart | None,
    orders: Sequence[Mapping[str, Any]] = (),
) -> tuple[Chart, Knowledge, frozenset[str]]:
    async def opened() -> Chart:
        found = chart
        if found is None:
            found = await services.gate.open_slices(permit, SLICES, interaction="check-order")
        return await with_products(services, found, orders)

    return await asyncio.gather(
        opened(), knowledge_now(services), services.card_log.settled(permit)
    )


async def _logged(
    services: Services, permit: Permit, hook: str, advice: Advice, subject: str, showing: str = ""
) -> Advice:
    cards = tuple(
        structs.replace(card, id=new_card_id(
            permit.patient, f"{showing}|{subject}|{card.key}" if showing else ""
        ))
        for card in advice.cards
    )  # fmt: skip
    await services.card_log.show(permit, hook, (_shown(card, subject) for card in cards))
    return structs.replace(advice, cards=cards)


def _with_word_of(withheld: bool, advice: Advice) -> Advice:
    """The advice, saying that it rests on a part of the record where something is withheld."""
    if not withheld:
        return advice
    text = _("Something in the record is withheld from you: it is not part of the checks.")
    card = cannot_run("withheld", "patient-fact", text)
    return structs.replace(advice, cards=(*advice.cards, card))


def _shown(card: Card, subject: str) -> Shown:
    return Shown(card.id, card.rule, card.version, card.level, card.key, subject)


def subject_of(order: Mapping[str, Any]) -> str:
    """What the log calls an order: by the identifier it was made with, else by its id."""
    for each in objects(order.get("identifier")):
        if each.get("system") == MADE_AS:
            return text(each.get("value"))
    return f"MedicationRequest/{order['id']}" if order.get("id") else ""


def marked(order: Mapping[str, Any], advice: Advice) -> dict[str, Any]:
    """The order with a tag for each kind of check that could not run, and no older ones.

    Orders are found by them: `MedicationRequest?_tag=<UNCHECKED>|knowledge-base&status=active`.
    """
    meta = dict(order.get("meta") or {})
    kept = [tag for tag in meta.get("tag", ()) if tag.get("system") != UNCHECKED]
    kinds = sorted({card.why for card in advice.unchecked})
    kept += [{"system": UNCHECKED, "code": kind} for kind in kinds]
    if kept:
        meta["tag"] = kept
    else:
        meta.pop("tag", None)
    made = {name: value for name, value in order.items() if name != "meta"}
    return {**made, "meta": meta} if meta else made


def unchecked_in(orders: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Active orders that were made while the knowledge base was down."""
    return [
        order
        for order in orders
        if order.get("status") == "active"
        and any(
            tag.get("system") == UNCHECKED and tag.get("code") == "knowledge-base"
            for tag in (order.get("meta") or {}).get("tag", ())
        )
    ]
