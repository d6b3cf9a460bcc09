"""What becomes of an infusion: the next version of its MedicationAdministration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from helsevev.content import loading
from helsevev.fhir.reading import mapping, objects
from helsevev.locale import gettext as _
from helsevev.medication import administration
from helsevev.medication.administration import REASONS, Refusal, Signer
from helsevev.medication.infusion_flow import as_extension, rates_of

Resource = Mapping[str, Any]


def started(
    order: Resource,
    dosage: Resource,
    quantity: Resource,
    by: Signer,
    at: datetime,
    *,
    due: str = "",
    not_scanned: str = "",
) -> dict[str, Any]:
    """An infusion that runs from `at` on at a rate (a Quantity such as 40 mL/h)."""
    made = administration.given(order, dosage, by, at, due=due, not_scanned=not_scanned)
    del made["effectiveDateTime"]
    made["effectivePeriod"] = {"start": _written(at)}
    made["status"] = "in-progress"
    # What runs is what was set, be it less than what was ordered.
    kept = {k: v for k, v in mapping(made.get("dosage")).items() if not k.startswith("rate")}
    made["dosage"] = {**kept, "rateQuantity": dict(quantity)}
    return _with_rate(made, quantity, by, at)


def changed(running: Resource, quantity: Resource, by: Signer, at: datetime) -> dict[str, Any]:
    """At another rate from `at` on; what was paused runs again. Raises `Refusal`."""
    _must_run(running, at)
    made = {**running, "status": "in-progress"}
    made["dosage"] = {**mapping(running.get("dosage")), "rateQuantity": dict(quantity)}
    made["dosage"].pop("rateRatio", None)
    return _with_rate(made, quantity, by, at)


def paused(running: Resource, by: Signer, at: datetime) -> dict[str, Any]:
    """Nothing runs from `at` on. Raises `Refusal`."""
    _must_run(running, at)
    if running.get("status") == "on-hold":
        raise Refusal(_("The infusion is paused already."))
    nothing = {**rates_of(running)[-1].quantity, "value": Decimal(0)}
    return _with_rate({**running, "status": "on-hold"}, nothing, by, at)


def resumed(running: Resource, by: Signer, at: datetime) -> dict[str, Any]:
    """At the rate it had before the pause. Raises `Refusal`."""
    if running.get("status") != "on-hold":
        raise Refusal(_("The infusion is not paused."))
    before = [each for each in rates_of(running) if each.rate.an_hour > 0]
    if not before:
        raise Refusal(_("Say at which rate."))
    return changed(running, before[-1].quantity, by, at)


def ended(running: Resource, by: Signer, at: datetime, reason: str = "") -> dict[str, Any]:
    """Over at `at`: finished, or stopped before that for a reason of the content."""
    _must_run(running, at)
    period = {**mapping(running.get("effectivePeriod")), "end": _written(at)}
    nothing = {**rates_of(running)[-1].quantity, "value": Decimal(0)}
    made = _with_rate(
        {**running, "effectivePeriod": period, "status": "completed"}, nothing, by, at
    )
    if not reason:
        return made
    chosen = next((each for each in loading.rounds().stopped if each.code == reason), None)
    if chosen is None:
        raise Refusal(_("Choose why it was stopped."))
    coding = {"system": REASONS, "code": chosen.code, "display": chosen.label}
    return made | {
        "status": "stopped", "statusReason": [{"coding": [coding], "text": chosen.label}],
    }  # fmt: skip


def second_signed(running: Resource, by: Signer) -> dict[str, Any]:
    """Checked by somebody else than who started it; it goes on running. Raises `Refusal`."""
    if by.id in administration.performers(running):
        raise Refusal(_("Somebody else has to sign as the second."))
    performer = [*objects(running.get("performer")), by.as_performer("verifier")]
    return {**running, "performer": performer}


def _must_run(running: Resource, at: datetime) -> None:
    rates = rates_of(running)
    if running.get("status") not in ("in-progress", "on-hold") or not rates:
        raise Refusal(_("The infusion does not run."))
    if at < rates[-1].at:
        raise Refusal(_("Something has been written of it at a later time."))


def _with_rate(made: Resource, quantity: Resource, by: Signer, at: datetime) -> dict[str, Any]:
    rate = as_extension(_written(at), quantity, {"reference": by.id, "display": by.name})
    return {**made, "extension": [*objects(made.get("extension")), rate]}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
