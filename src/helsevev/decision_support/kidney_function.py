"""Kidney function estimated from creatinine: as eGFR, and as clearance for doses of medicines."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_ADULT_MONTHS: Final = 18 * 12
_UMOL_PER_MG_DL: Final = 88.4
_FACTOR: Final = {"female": Decimal("1.04"), "male": Decimal("1.23")}


def egfr_of(creatinine: Decimal, months: int | None, sex: str) -> Decimal | None:
    """eGFR in ml/min/1,73 m² from creatinine in µmol/l by CKD-EPI 2009; None below 18 years.

    Levey and others, Ann Intern Med 2009;150:604, without the coefficient for ethnicity.
    """
    if months is None or months < _ADULT_MONTHS or sex not in ("female", "male") or creatinine <= 0:
        return None
    is_woman = sex == "female"
    ratio = float(creatinine) / _UMOL_PER_MG_DL / (0.7 if is_woman else 0.9)
    exponent = -0.329 if is_woman else -0.411
    found = 141 * min(ratio, 1) ** exponent * max(ratio, 1) ** -1.209 * 0.993 ** (months / 12)
    return Decimal(round(found * (1.018 if is_woman else 1)))


def clearance_of(
    creatinine: Decimal, months: int | None, sex: str, weight: Decimal | None
) -> Decimal | None:
    """Creatinine clearance in ml/min from creatinine in µmol/l and weight in kg; of adults alone.

    Cockcroft and Gault, Nephron 1976;16:31, in µmol/l. None where something is not known.
    """
    if months is None or months < _ADULT_MONTHS or weight is None or creatinine <= 0:
        return None
    factor = _FACTOR.get(sex)
    if factor is None:
        return None
    years = months // 12
    return Decimal(round(max(140 - years, 1) * weight * factor / creatinine))
