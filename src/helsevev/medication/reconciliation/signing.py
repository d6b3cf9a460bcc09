"""Signing a reconciliation: checked like any order, then written as one, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from uuid import uuid4

from helsevev.access.entries import kept, transaction
from helsevev.access.errors import Refused
from helsevev.decision_support.cards import Card
from helsevev.decision_support.reading import Chart
from helsevev.fhir.reading import text
from helsevev.locale import gettext as _
from helsevev.medication.checks import SLICES, check_orders
from helsevev.medication.order_checks import Checked, Unanswered, answered
from helsevev.medication.order_entry import unanswered, with_answers
from helsevev.medication.panel import Medicine
from helsevev.medication.reconciliation.comparing import Row
from helsevev.medication.reconciliation.deciding import (
    Decision,
    Outcome,
    Resource,
    Signing,
    carry_out,
)
from helsevev.medication.reconciliation.handover import take_over, tell
from helsevev.medication.reconciliation.receivers import Receiver
from helsevev.medication.reconciliation.record import Told, in_words, record
from helsevev.medication.reconciliation.table import Table
from helsevev.medication.versions import medicine_of

log = logging.getLogger("helsevev.medication")


async def sign(
    table: Table,
    decided: Sequence[tuple[Row, Decision]],
    signing: Signing,
    key: str,
    answers: Mapping[str, str],
    told: Sequence[Receiver],
    nobody: tuple[str, str],
) -> None:
    """Write what was decided, the record of it, and the tasks for those who are told.

    Raises NotPrescribable or Unanswered without having written anything, and what a transaction
    raises; two presses with one `key` write once.
    """
    outcomes = [carry_out(row, decision, signing) for row, decision in decided]
    written = [each for outcome in outcomes for each in outcome.written]
    ordered = {key for outcome in outcomes for key in outcome.orders}
    orders = [each for each in written if _key(each) in ordered]
    says = await _checked(table, signing, written, orders)
    whole = Checked([card for each in says for card in each.cards])
    if unanswered(whole, answers):
        raise Unanswered(_once(whole))
    marked = {
        _key(order): with_answers(order, each, answers)
        for order, each in zip(orders, says, strict=True)
    }
    rows = _told(decided, outcomes, written, signing)
    record_url = f"urn:uuid:{uuid4()}"
    listed = {**record(rows, table.said, signing, key, nobody), "id": record_url}
    tasks = [tell(each, rows, signing, record_url) for each in told]
    orders_to_take_over = [take_over(r, signing) for r in told if r.known_by == "chosen"]
    resources = [
        *(marked.get(_key(each), each) for each in written), listed, *orders_to_take_over, *tasks,
    ]  # fmt: skip
    await table.services.bundles.transact(
        table.actor, transaction(map(kept, resources)), idempotency_key=key
    )
    for each, order in zip(says, orders, strict=True):
        await answered(table.services, table.permit, each, answers, order)


def _told(
    decided: Sequence[tuple[Row, Decision]],
    outcomes: Sequence[Outcome],
    written: Sequence[Resource],
    signing: Signing,
) -> list[Told]:
    after = {**signing.resources, **{_key(each): each for each in written}}
    return [
        Told(row, decision, outcome.item,
             in_words(row, decision, _line(after, outcome.item).dose_text))
        for (row, decision), outcome in zip(decided, outcomes, strict=True)
    ]  # fmt: skip


def _line(resources: Mapping[str, Resource], key: str) -> Medicine:
    return medicine_of(resources[key])


async def _checked(
    table: Table, signing: Signing, written: Sequence[Resource], orders: Sequence[Resource]
) -> list[Checked]:
    """What decision support says of each order, beside what is in use once it is signed (G23)."""
    if not orders:
        return []
    chart = await table.services.gate.open_slices(table.permit, SLICES, interaction="check-order")
    try:
        advice = await check_orders(
            table.services, table.permit, orders, chart=_afterwards(chart, table, signing, written)
        )
    except Refused:
        raise
    except Exception:
        log.exception("Decision support failed on a reconciliation.")
        return [Checked(unchecked=_("Decision support did not answer.")) for _each in orders]
    return [Checked(each.cards, each.banner, each) for each in advice]


def _afterwards(
    chart: Chart, table: Table, signing: Signing, written: Sequence[Resource]
) -> Chart:  # fmt: skip
    """The chart as it is when this is signed: the list that goes on, without what is written anew.

    What is given on the ward and what stands on the list at home is one treatment told twice.
    """
    anew = {_key(each) for each in written}
    goes_on = {line.key for row in table.rows for line in row.lines if line.list == signing.target}
    kinds = ("MedicationRequest", "MedicationStatement")
    return {
        kind: [each for each in listed if _key(each) in goes_on - anew]
        if kind in kinds else listed
        for kind, listed in chart.items()
    }  # fmt: skip


def _once(says: Checked) -> Checked:
    """Each warning once, though it is about two of the orders."""
    cards: dict[str, Card] = {}
    for card in says.cards:
        cards.setdefault(card.key or card.id, card)
    return Checked(list(cards.values()), says.unchecked, says.advice)


def _key(resource: Resource) -> str:
    key = text(resource.get("id"))
    return key if key.startswith("urn:") else f"{resource['resourceType']}/{key}"
