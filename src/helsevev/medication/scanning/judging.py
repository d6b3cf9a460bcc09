"""What a scan at the bedside means for one patient's round: give this dose, or stop. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct, structs

from helsevev.medication.administration import ANSWERS
from helsevev.medication.catalogue.product import Product
from helsevev.medication.round import AsNeeded, Round, Row
from helsevev.medication.scanning.codes import Pack, Recipient
from helsevev.medication.scanning.fitting import (
    WRONG_FORM,
    WRONG_MEDICINE,
    WRONG_STRENGTH,
    Fit,
    Ordered,
    fit,
)
from helsevev.medication.scanning.own_codes import Prepared, Wristband

DOSE: Final = "dose"
AS_NEEDED: Final = "as-needed"
PATIENT: Final = "patient"
UNKNOWN: Final = "unknown"
UNREADABLE: Final = "unreadable"
NO_PATIENT: Final = "no-patient"
WRONG_PATIENT: Final = "wrong-patient"
EXPIRED: Final = "expired"
STOPPED: Final = "stopped"
PAUSED: Final = "paused"
NOT_DUE: Final = "not-due"
SIGNED: Final = "signed"
STOPS: Final = (
    WRONG_PATIENT, WRONG_MEDICINE, WRONG_STRENGTH, WRONG_FORM, EXPIRED, STOPPED, PAUSED, NOT_DUE,
    SIGNED,
)  # fmt: skip
"""What stops a scan: codes of the stored fact, and outcomes in the counts."""
_ENDED: Final = {"stopped": STOPPED, "on-hold": PAUSED}


class Verdict(Struct, frozen=True, kw_only=True):
    """What a scan means. `kind` is dose, as-needed, patient, a stop, unknown or unreadable.

    `rows` are the planned doses that it may be, the one it most likely is first; `fit` how the
    product meets them. `expected` are the orders that something else was expected by.
    """

    kind: str
    product: Product | None = None
    pack: Pack | None = None
    rows: tuple[Row, ...] = ()
    needed: AsNeeded | None = None
    fit: Fit | None = None
    expected: tuple[Mapping[str, Any], ...] = ()
    expires: date | None = None

    @property
    def is_stop(self) -> bool:
        """Whether it must not be given."""
        return self.kind in STOPS


def patient_scanned(said: Wristband | Recipient, patient: Mapping[str, Any]) -> Verdict:
    """Whether a wristband is this patient's, by its id or by a number that is registered of them.

    Whose else it may be is nobody's business here.
    """
    if isinstance(said, Wristband):
        is_right = said.patient_id == patient.get("id")
    else:
        numbers = {each.get("value") for each in patient.get("identifier", ())}
        is_right = said.number in numbers
    return Verdict(kind=PATIENT if is_right else WRONG_PATIENT)


def prepared_scanned(said: Prepared, round_: Round, now: datetime) -> Verdict:
    """What a label of ours is on: a dose of this round, one that is no longer, or another's."""
    row = next((each for each in round_.rows if each.key == said.key), None)
    expires = said.expires.date()
    if row is None:
        return Verdict(kind=WRONG_PATIENT)
    if row.signed is not None and row.signed.get("status") in ANSWERS - {"in-progress"}:
        return Verdict(kind=SIGNED, rows=(row,), expected=(row.order,))
    if not row.is_open:
        return Verdict(kind=NOT_DUE, rows=(row,), expected=(row.order,))
    if said.expires < now:
        return Verdict(kind=EXPIRED, rows=(row,), expected=(row.order,), expires=expires)
    return Verdict(kind=DOSE, rows=(row,), fit=Fit("", "same"), expires=expires)


def pack_scanned(
    product: Product,
    pack: Pack,
    round_: Round,
    orders: Sequence[tuple[Mapping[str, Any], Ordered]],
    now: datetime,
    today: date,
) -> Verdict:
    """What a package means: `orders` are those that govern now, and those that were stopped."""
    by_id = {str(order.get("id")): ordered for order, ordered in orders}
    judged = [
        (row, fit(product, by_id[str(row.order.get("id"))], row.dosage))
        for row in round_.rows
        if str(row.order.get("id")) in by_id
    ]
    fitting = [(row, found) for row, found in judged if not found.problem]
    if now_due := [(row, found) for row, found in fitting if row.is_open]:
        return _dose(product, pack, now_due, now, today)
    frame = Verdict(kind=UNKNOWN, product=product, pack=pack, expires=pack.expires)
    if ended := _ended(product, orders):
        return structs.replace(frame, kind=ended[0], expected=(ended[1],))
    needed = _needed(product, round_, by_id)
    if needed is not None:
        if _is_expired(pack, today):
            return structs.replace(frame, kind=EXPIRED, expected=(needed[0].order,))
        return structs.replace(frame, kind=AS_NEEDED, needed=needed[0], fit=needed[1])
    if fitting:
        signed = [row for row, _ in fitting if row.state in ("given", "withheld")]
        upcoming = [row for row, _ in fitting if row.state == "upcoming"]
        rows = (signed[-1:] or upcoming[:1]) if not upcoming else upcoming[:1]
        if signed and (not upcoming or _is_nearer(signed[-1], upcoming[0], now)):
            rows = signed[-1:]
        kind = SIGNED if rows[0].state != "upcoming" else NOT_DUE
        return structs.replace(frame, kind=kind, rows=tuple(rows), expected=(rows[0].order,))
    return _nothing_fits(frame, judged, round_)


def _dose(
    product: Product, pack: Pack, found: Sequence[tuple[Row, Fit]], now: datetime, today: date
) -> Verdict:
    """The dose nearest to its time first, and of those the one that is what was ordered."""
    nearest = sorted(
        found, key=lambda each: (not each[1].is_sure, abs(each[0].at - now), each[0].key)
    )
    rows = tuple(row for row, same in nearest if same == nearest[0][1])
    kind = EXPIRED if _is_expired(pack, today) else DOSE
    return Verdict(
        kind=kind, product=product, pack=pack, rows=rows, fit=nearest[0][1], expires=pack.expires,
        expected=tuple(_orders(rows)) if kind == EXPIRED else (),
    )  # fmt: skip


def _nothing_fits(frame: Verdict, judged: Sequence[tuple[Row, Fit]], round_: Round) -> Verdict:
    """The strength or the form is wrong, or the medicine is."""
    for problem in (WRONG_STRENGTH, WRONG_FORM):
        near = [row for row, found in judged if found.problem == problem]
        if near:
            rows = tuple(row for row in near if row.is_open) or tuple(near)
            return structs.replace(frame, kind=problem, rows=rows, expected=tuple(_orders(rows)))
    return structs.replace(frame, kind=WRONG_MEDICINE, expected=tuple(_orders(round_.open_rows)))


def _ended(
    product: Product, orders: Sequence[tuple[Mapping[str, Any], Ordered]]
) -> tuple[str, Mapping[str, Any]] | None:
    """The order that was stopped or paused and would have been of this, the last one first."""
    found = [
        (_ENDED[str(order.get("status"))], order)
        for order, ordered in orders
        if order.get("status") in _ENDED
        and fit(product, ordered, {}).problem in ("", WRONG_STRENGTH)
    ]
    found.sort(key=lambda each: str(each[1].get("meta", {}).get("lastUpdated", "")))
    return found[-1] if found else None


def _needed(
    product: Product, round_: Round, by_id: Mapping[str, Ordered]
) -> tuple[AsNeeded, Fit] | None:
    for each in round_.as_needed:
        ordered = by_id.get(str(each.order.get("id")))
        found = fit(product, ordered, each.dosage) if ordered else None
        if found is not None and not found.problem:
            return each, found
    return None


def _is_nearer(one: Row, other: Row, now: datetime) -> bool:
    apart: timedelta = abs(one.at - now)
    return apart <= abs(other.at - now)


def _is_expired(pack: Pack, today: date) -> bool:
    return pack.expires is not None and pack.expires < today


def _orders(rows: Iterable[Row]) -> list[Mapping[str, Any]]:
    """The orders of some doses, each once."""
    return list({str(row.order.get("id")): row.order for row in rows}.values())
