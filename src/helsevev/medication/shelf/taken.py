"""What was taken from a unit's stock for somebody, said in the dose or the dispense itself.

The record is the only place where it is written: the unit's book reads it (`PROJECTION`), so a dose
and its line can never be two truths, whichever door or device it came through. A dose that is taken
back stays in the book, with a line that puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir import dates
from helsevev.fhir.reading import (
    first,
    mapping,
    notes,
    number,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.kit.projection import Projection
from helsevev.medication.administration import moment_given
from helsevev.medication.shelf.book import GIVEN, TAKEN_BACK, Kept

FROM_STOCK: Final = "http://helsevev.no/fhir/StructureDefinition/from-stock"
"""On a MedicationAdministration or MedicationDispense: unit, product, batch, expires, amount."""
FILLED: Final = "filled"
_COUNTS: Final = frozenset({"completed", "in-progress", "stopped", "on-hold", "entered-in-error"})


def from_stock(
    unit: str, product: str, kept: Kept, batch: str, expires: date | None, amount: Decimal | None
) -> dict[str, Any]:
    """The extension that says where something was taken from; no amount where nobody can tell."""
    inner: list[dict[str, Any]] = [
        {"url": "unit", "valueReference": {"reference": unit}},
        {"url": "product", "valueString": product},
    ]
    if batch:
        inner.append({"url": "batch", "valueString": batch})
    if expires is not None:
        inner.append({"url": "expires", "valueDate": expires.isoformat()})
    if amount is not None:
        inner.append({"url": "amount", "valueQuantity": {"value": amount, "unit": kept.unit}})
    return {"url": FROM_STOCK, "extension": inner}


def rows(resource: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The lines of the book that a dose or a dispense is: out, and in again when it is undone."""
    if resource.get("status") not in _COUNTS:
        return
    extensions = [e for e in objects(resource.get("extension")) if e.get("url") == FROM_STOCK]
    at = moment_given(resource) or _moment(resource.get("whenPrepared"))
    changed = _moment(mapping(resource.get("meta")).get("lastUpdated"))
    if not extensions or (at is None and changed is None):
        return
    by = mapping(first(resource.get("performer")).get("actor"))
    who = reference_key(by), reference_text(by)
    kind = FILLED if resource.get("resourceType") == "MedicationDispense" else GIVEN
    place = 0
    for extension in extensions:
        said = {text(e.get("url")): e for e in objects(extension.get("extension"))}
        unit = reference_key(mapping(said.get("unit")).get("valueReference"))
        product = text(mapping(said.get("product")).get("valueString"))
        if not unit or not product:
            continue
        batch = text(mapping(said.get("batch")).get("valueString"))
        expires = _day(mapping(said.get("expires")).get("valueDate"))
        amount = number(mapping(mapping(said.get("amount")).get("valueQuantity")).get("value"))
        where = unit, product, batch, expires
        out = None if amount is None else -amount
        yield *where, kind, out, at or changed, *who, "", place
        place += 1
        if resource.get("status") == "entered-in-error" and amount is not None:
            why = "; ".join(notes(resource.get("note")))
            yield *where, TAKEN_BACK, amount, changed or at, *who, why, place
            place += 1


PROJECTION: Final = Projection(
    table="stock_taken",
    sources=frozenset({"MedicationAdministration", "MedicationDispense"}),
    columns={
        "unit": "text", "product": "text", "batch": "text", "expires": "date", "kind": "text",
        "amount": "numeric", "at": "timestamptz", "actor": "text", "actor_name": "text",
        "reason": "text", "place": "smallint",
    },
    rows=rows,
)  # fmt: skip


def _moment(value: object) -> datetime | None:
    found = dates.bounds(text(value))
    return dates.moment(found[0]) if found else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(text(value))
    except ValueError:
        return None
