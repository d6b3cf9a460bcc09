"""A patient's infusions on the round: what runs, how much has been given, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir import dates
from helsevev.fhir.reading import first, mapping, reference_key, text
from helsevev.medication.administration import needs_two, performers
from helsevev.medication.dosage import dose_amount, plain
from helsevev.medication.infusion_flow import (
    RateSet,
    given_so_far,
    is_infusion,
    is_running,
    plain_amount,
    rate_of,
    rates_of,
)
from helsevev.medication.infusion_rules import ordered, same_unit
from helsevev.medication.timing import Standing, is_planned, starts_of

_AHEAD: Final = timedelta(hours=24)


class Infusion(Struct, frozen=True):
    """An infusion of an order: to be started (no `administration`), running or paused.

    `due` names the planned start ("" for a start that no plan names). `ordered` is the rate that
    the order has it run by now in words ("" when it is not to run), `differs` whether it runs at
    another, `change` when the order has another rate and which, and `given` how much so far.
    """

    name: str
    order: Mapping[str, Any]
    dosage: Mapping[str, Any]
    due: str
    state: str
    ordered: str
    administration: Mapping[str, Any] = {}
    rates: tuple[RateSet, ...] = ()
    given: str = ""
    differs: bool = False
    needs_second: bool = False
    change: tuple[datetime, str] | None = None

    @property
    def key(self) -> str:
        """What names it in a form: the administration, or the order that it is started by."""
        return text(self.administration.get("id")) or text(self.order.get("id"))

    @property
    def rate(self) -> str:
        """At which rate it runs, or ran before the pause, in words."""
        running = [each for each in self.rates if each.rate.an_hour > 0]
        return words_of(running[-1].quantity) if running else ""

    @property
    def since(self) -> datetime | None:
        """When it was started."""
        return self.rates[0].at if self.rates else None

    @property
    def quantity(self) -> Mapping[str, Any]:
        """The rate that the order says, as a Quantity; else the one that it runs at."""
        given = first(self.dosage.get("doseAndRate"))
        said = mapping(given.get("rateQuantity")) or mapping(
            mapping(given.get("rateRange")).get("low")
        )
        if not said and (rate := rate_of(given)) is not None:
            said = {"value": plain_amount(rate.an_hour), "unit": f"{rate.unit}/h"}
        return said or (self.rates[-1].quantity if self.rates else {})

    @property
    def amount(self) -> str:
        """The number of the ordered rate, to be put into a field."""
        return plain(self.quantity.get("value"))

    @property
    def unit(self) -> str:
        """The unit of its rate."""
        return text(self.quantity.get("unit")) or text(self.quantity.get("code"))


def infusions_of(
    histories: Iterable[Sequence[Standing]],
    administrations: Iterable[Mapping[str, Any]],
    to_start: Mapping[str, tuple[str, str]],
    name_of: Callable[[Mapping[str, Any]], str],
    now: datetime,
    zone: tzinfo,
) -> list[Infusion]:
    """What runs, and what may be started: of each order one, those that run first.

    `to_start` says of which planned start an order has an infusion that nobody has started.
    """
    runs = [each for each in administrations if is_running(each)]
    by_order = {reference_key(each.get("request")): each for each in runs}
    found = []
    for history in histories:
        order = history[-1].order
        running = by_order.pop(f"MedicationRequest/{text(order.get('id'))}", None)
        dosage = ordered(history, now)
        if running is not None:
            found.append(_running(history, running, dosage, name_of(order), now, zone))
        elif dosage is not None and is_planned(order):
            due, state = to_start.get(text(order.get("id")), ("", "startable"))
            if state == "upcoming":
                continue
            said = dose_amount(dosage)
            found.append(Infusion(name_of(order), order, dosage, due, state, said))
    # Those whose order is over, or is no longer shown to the reader, run all the same.
    found += [_running((), each, None, name_of(each), now, zone) for each in by_order.values()]
    found.sort(key=lambda each: (not each.administration, each.name.casefold()))
    return found


def version_of(administration: Mapping[str, Any]) -> str:
    """What tells whether an infusion is as it was; "" for one that has not been started."""
    return text(mapping(administration.get("meta")).get("versionId"))


def words_of(quantity: Mapping[str, Any]) -> str:
    """A rate in words."""
    return dose_amount({"doseAndRate": [{"rateQuantity": quantity}]})


def _running(
    history: Sequence[Standing],
    running: Mapping[str, Any],
    dosage: Mapping[str, Any] | None,
    name: str,
    now: datetime,
    zone: tzinfo,
) -> Infusion:
    rates = rates_of(running)
    set_now = rates[-1].rate
    asked = rate_of(first(dosage.get("doseAndRate"))) if dosage else None
    same = same_unit(set_now, asked) if asked else None
    is_paused = running.get("status") == "on-hold"
    amount = plain(plain_amount(given_so_far(running, now)))
    return Infusion(
        name=name,
        order=history[-1].order if history else {},
        dosage=dosage or {},
        due="",
        state="paused" if is_paused else "running",
        ordered=dose_amount(dosage) if dosage else "",
        administration=running,
        rates=tuple(rates),
        given=f"{amount} {set_now.unit}",
        differs=not is_paused and asked is not None and (
            same is None or same.an_hour != asked.an_hour
        ),
        needs_second=needs_two(running) and len(set(performers(running))) < 2,
        change=_next_change(history, now, zone),
    )  # fmt: skip


def _next_change(
    history: Sequence[Standing], now: datetime, zone: tzinfo
) -> tuple[datetime, str] | None:
    """When the order as it stands has another rate, within a day, and which."""
    if not history or not is_planned(history[-1].order):
        return None
    coming = [
        (at, dosage)
        for at, dosage in starts_of(history[-1], zone)
        if now < at <= now + _AHEAD and is_infusion(dosage)
    ]
    if not coming:
        return None
    at, dosage = min(coming, key=lambda each: dates.microseconds(each[0]))
    return at, dose_amount(dosage)
