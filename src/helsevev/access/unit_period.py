"""What an organisation or a unit says of itself: its number, and until when it is there.

For the time R4 has no element: http://hl7.org/fhir/R4/extension-organization-period.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from helsevev.fhir import dates, identifiers

PERIOD: Final = "http://hl7.org/fhir/StructureDefinition/organization-period"
NUMBERS: Final = (identifiers.ORGANISASJONSNUMMER, identifiers.RESH_ID)
"""Systems of the numbers that a unit goes by."""


def end_text(unit: Mapping[str, Any]) -> str:
    """When an Organization closes, as it is written; "" when nobody has said so."""
    found = (each for each in unit.get("extension", ()) if each.get("url") == PERIOD)
    return str(next((each.get("valuePeriod", {}).get("end", "") for each in found), ""))


def end_of(unit: Mapping[str, Any]) -> int:
    """When an Organization closes, in microseconds since 1970; `dates.MAX` when it does not."""
    found = dates.bounds(end_text(unit))
    return dates.MAX if found is None else found[1]


def is_open(unit: Mapping[str, Any], at: int) -> bool:
    """Whether an Organization is there at a time (microseconds since 1970)."""
    return bool(unit.get("active", True)) and at < end_of(unit)


def ending(unit: Mapping[str, Any], end: str) -> dict[str, Any]:
    """The Organization, closing at a date or moment; "" for one that goes on."""
    kept = [each for each in unit.get("extension", ()) if each.get("url") != PERIOD]
    before: Mapping[str, Any] = next(
        (e for e in unit.get("extension", ()) if e.get("url") == PERIOD), {}
    )
    period = {k: v for k, v in before.get("valuePeriod", {}).items() if k != "end"}
    period |= {"end": end} if end else {}
    kept += [{"url": PERIOD, "valuePeriod": period}] if period else []
    rest = {name: value for name, value in unit.items() if name != "extension"}
    return rest | ({"extension": kept} if kept else {})


def number_of(unit: Mapping[str, Any]) -> str:
    """The organisation number, or the RESH id; "" when there is neither."""
    known = (i for i in unit.get("identifier", ()) if i.get("system") in NUMBERS)
    return str(next((each.get("value", "") for each in known), ""))
