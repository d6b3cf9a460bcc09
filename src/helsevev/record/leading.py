"""The one date and the one code by which resources of a type are ordered and found fastest.

Both are columns of the row itself: (inhabitant, type, date) draws a chart, (type, code, date)
answers "all measurements of this kind". Other dates and codes are search rows like the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from helsevev.fhir.extraction import PARAMETERS

_DATES: Final = (
    "date", "effective", "effective-time", "authoredon", "authored", "authored-on", "onset-date",
    "whenhandedover", "sent", "started", "created", "recorded", "start-date", "period", "birthdate",
)  # fmt: skip
_CODES: Final = ("code", "vaccine-code", "type", "category")

# MedicationRequest.date is about the planned doses; the order itself is dated by authoredOn.
_DATE_OF: Final = {"MedicationRequest": "authoredon"}


@cache
def date_parameter(resource_type: str) -> str | None:
    """The search parameter that is the type's leading date, or None."""
    return _DATE_OF.get(resource_type) or _first(resource_type, _DATES, "date")


@cache
def code_parameter(resource_type: str) -> str | None:
    """The search parameter that is the type's leading code, or None."""
    return _first(resource_type, _CODES, "token")


def _first(resource_type: str, names: tuple[str, ...], kind: str) -> str | None:
    parameters = PARAMETERS[resource_type]
    return next((n for n in names if n in parameters and parameters[n].kind == kind), None)
