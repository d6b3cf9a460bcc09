"""A usual dose reckoned from weight or kidney function, with its reckoning: a proposal, no more."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from helsevev.content.dose_shapes import ByKidney, ByWeight, DoseAdvice, DoseHelp
from helsevev.decision_support.amounts import plain
from helsevev.decision_support.measured import Basis, Measured
from helsevev.locale import gettext as _


class Proposal(Struct, frozen=True):
    """A dose that content proposes for somebody: `amount` in `unit` each time, None where not.

    `reckoning` shows how it was found, line by line; `wants` says what is missing or too old.
    """

    id: str
    title: str
    source: str
    unit: str
    amount: Decimal | None
    often: int
    hours: int
    reckoning: tuple[str, ...]
    wants: str = ""
    most: Decimal | None = None


def proposals(codes: tuple[str, ...], basis: Basis, content: DoseHelp) -> tuple[Proposal, ...]:
    """What content has to say of the dose of a medicine (its ATC codes) for somebody. Pure."""
    months = basis.months
    by_weight = [
        _by_weight(each, basis)
        for each in content.by_weight
        if months is not None and each.is_for(codes, months)
    ]
    by_kidney = [
        _by_kidney(each, basis)
        for each in content.by_kidney
        if months is not None and months >= 18 * 12
        and any(code.startswith(each.atc) for code in codes)
    ]  # fmt: skip
    return (*by_weight, *by_kidney)


def _by_weight(rule: ByWeight, basis: Basis) -> Proposal:
    found, lines, wants = _amount(rule.dose, basis)
    return _proposal(rule, rule.dose, found, lines, wants)


def _by_kidney(rule: ByKidney, basis: Basis) -> Proposal:
    if rule.by == "egfr":
        value = basis.egfr.value if basis.egfr and not basis.egfr.is_too_old else None
        lines = [f"eGFR {plain(value)} ml/min/1,73 m\u00b2"] if value is not None else []
        missing = _missing("egfr", basis.egfr)
    else:
        value = basis.clearance
        lines = [_cockcroft(basis, value)] if value is not None else []
        missing = " ".join(
            part for part in (_missing("weight", basis.weight),
                              _missing("creatinine", basis.creatinine)) if part
        ) or _("Sex or age is not known: clearance cannot be reckoned.")  # fmt: skip
    if value is None:
        return _proposal(rule, DoseAdvice(text="-"), None, [], missing)
    band = rule.of(value)
    found, more, wants = _amount(band, basis)
    return _proposal(rule, band, found, [*lines, *more], wants)


def _proposal(
    rule: ByWeight | ByKidney, dose: DoseAdvice, amount: Decimal | None, lines: list[str],
    wants: str,
) -> Proposal:  # fmt: skip
    said = [*lines, dose.text] if dose.text not in ("", "-") else lines
    return Proposal(
        rule.id, rule.title, rule.source, dose.unit, amount, dose.often, dose.hours, tuple(said),
        wants, dose.most,
    )  # fmt: skip


def _amount(dose: DoseAdvice, basis: Basis) -> tuple[Decimal | None, list[str], str]:
    """(amount each time, its reckoning, what is missing)."""
    unit = _word(dose.unit)
    if dose.per_kg is None:
        said = [_("usual dose %(dose)s %(unit)s") % {"dose": plain(dose.amount), "unit": unit}
                ] if dose.amount is not None else []  # fmt: skip
        return dose.amount, said, ""
    weight = basis.weight
    if weight is None or weight.is_too_old:
        return None, [], _missing("weight", weight)
    found = dose.per_kg * weight.value
    line = f"{plain(dose.per_kg)} {unit}/kg \u00d7 {plain(weight.value)} kg = {plain(found)} {unit}"
    lines = [line]
    if dose.most is not None and found > dose.most:
        found = dose.most
        lines.append(_("at most %(dose)s %(unit)s") % {"dose": plain(found), "unit": unit})
    return found, lines, ""


def _cockcroft(basis: Basis, found: Decimal) -> str:
    weight, creatinine = basis.weight, basis.creatinine
    years = (basis.months or 0) // 12
    factor = "1,04" if basis.sex == "female" else "1,23"
    kg = plain(weight.value) if weight else ""
    umol = plain(creatinine.value) if creatinine else ""
    said = f"(140 \u2212 {years}) \u00d7 {kg} kg \u00d7 {factor} / {umol} \u00b5mol/l"
    reckoning = f"{said} = {plain(found)} ml/min"
    return _("Clearance (Cockcroft–Gault): %(reckoning)s") % {"reckoning": reckoning}


def _missing(what: str, found: Measured | None) -> str:
    if found is None:
        return {
            "weight": _("No weight is recorded."), "creatinine": _("No creatinine is recorded."),
            "egfr": _("No kidney function is recorded."),
        }[what]  # fmt: skip
    if not found.is_too_old:
        return ""
    said = {
        "weight": _("The weight is %(days)s days old: too old to reckon with."),
        "creatinine": _("The creatinine is %(days)s days old: too old to reckon with."),
        "egfr": _("The kidney function is %(days)s days old: too old to reckon with."),
    }[what]
    return said % {"days": found.days}


def _word(unit: str) -> str:
    return "IE" if unit == "IU" else unit
