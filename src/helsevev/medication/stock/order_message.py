"""An order to the pharmacy as a FHIR message: http://hl7.org/fhir/R4/messaging.html.

There is no national message for a unit's order to its pharmacy, and no network to it here: the
message is given out as a file for the pharmacy's system, and the page says how it was handed over.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from helsevev.fhir import dates
from helsevev.medication.catalogue.product import system_of
from helsevev.medication.stock.ordering import Order, OrderLine

EVENT: Final = "http://helsevev.no/fhir/CodeSystem/message-event"
ORDER_NUMBER: Final = "http://helsevev.no/fhir/stock-order"
_REASON: Final = "http://terminology.hl7.org/CodeSystem/supplyrequest-reason"


def message(order: Order, unit: str, unit_name: str) -> dict[str, Any]:
    """The order as a message Bundle; the same order is the same message each time."""
    place = f"urn:uuid:{uuid5(NAMESPACE_URL, f'{unit}/{order.id}')}"
    at = dates.moment(dates.microseconds(order.sent.at if order.sent else order.at))
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    lines = [
        (f"urn:uuid:{uuid5(NAMESPACE_URL, f'{unit}/{order.id}/{n}')}", _line(order, n, line, unit,
         unit_name, stamp))
        for n, line in enumerate(order.lines, 1)
    ]  # fmt: skip
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": EVENT, "code": "stock-order", "display": "Order from a unit"},
        "sender": {"reference": unit, "display": unit_name},
        "source": {"name": "Helsevev", "endpoint": f"urn:helsevev:{unit.partition('/')[2]}"},
        "focus": [{"reference": url} for url, _line in lines],
    }
    entries = [{"fullUrl": place, "resource": header}]
    entries += [{"fullUrl": url, "resource": made} for url, made in lines]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": ORDER_NUMBER, "value": f"{unit.partition('/')[2]}/{order.id}"},
        "type": "message",
        "timestamp": stamp,
        "entry": entries,
    }


def _line(
    order: Order, place: int, line: OrderLine, unit: str, unit_name: str, stamp: str
) -> dict[str, Any]:
    item: dict[str, Any] = {"text": line.name}
    if line.product:
        coding = {"system": system_of(line.product), "code": line.product, "display": line.name}
        item["coding"] = [coding]
    return {
        "resourceType": "SupplyRequest",
        "identifier": [{"system": ORDER_NUMBER, "value": f"{order.id}/{place}"}],
        "status": "active" if order.sent else "draft",
        "itemCodeableConcept": item,
        "quantity": {"value": _exact(line.amount), "unit": line.unit},
        "authoredOn": stamp,
        "requester": {"reference": unit, "display": unit_name},
        "reasonCode": [{"coding": [{"system": _REASON, "code": "ward-stock"}]}],
        "deliverTo": {"reference": unit, "display": unit_name},
    }


def _exact(amount: Decimal) -> Decimal:
    return amount.normalize() + 0
