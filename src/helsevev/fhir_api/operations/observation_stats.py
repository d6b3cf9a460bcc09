"""http://hl7.org/fhir/R4/observation-operation-stats.html: statistics of what was measured."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.observation_summary import Figures
from helsevev.fhir import serialization
from helsevev.fhir.observation_statistics import KINDS, STATISTICS
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_KNOWN: Final = ("subject", "code", "system", "coding", "duration", "period", "statistic")


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with Parameters: an Observation for each code and unit, a component for each statistic.

    400 for what is missing or not offered, 403 as a search.
    """
    asked = await given(request, _KNOWN)
    subject = asked.needed("subject")
    kinds = [name for text in asked.all("statistic") for name in str(text).split(",")]
    if unknown := sorted(set(kinds) - KINDS.keys()):
        text = f"{', '.join(unknown)[:100]} is not offered; offered: {', '.join(KINDS)}."
        raise bad_request(text, "not-supported", "statistic")
    if not kinds:
        raise bad_request("Name a statistic.", "required", "statistic")
    wanted = _wanted(asked)
    search = [("subject", subject), ("combo-code", ",".join(_token(each) for each in wanted))]
    period = asked.element("period")
    if period is not None:
        search += [
            ("date", f"{prefix}{period[end]}")
            for prefix, end in (("ge", "start"), ("le", "end"))
            if end in period
        ]
    if asked.one("duration") is not None:
        raise bad_request("Give a period in place of a duration.", "not-supported", "duration")
    found = await doors.services.summaries.statistics(
        request.actor, search, wanted, list(dict.fromkeys(kinds))
    )
    parameters = [
        {"name": "statistics", "resource": _observation(figures, subject, period)}
        for figures in found
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    if not parameters:
        del body["parameter"]
    return Answer(200, serialization.encode(body))


def _wanted(asked: Given) -> list[tuple[str, str]]:
    system = asked.text("system")
    found = [(system, code) for text in asked.all("code") for code in str(text).split(",") if code]
    for coding in asked.all("coding"):
        if not isinstance(coding, dict) or "code" not in coding:
            raise bad_request("The parameter coding is a Coding.", "value", "coding")
        found.append((coding.get("system", ""), coding["code"]))
    if not found:
        raise bad_request("Name a code.", "required", "code")
    return found


def _token(kind: tuple[str, str]) -> str:
    system, code = (
        part.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|") for part in kind
    )
    return f"{system}|{code}" if system else code


def _observation(figures: Figures, subject: str, period: dict[str, Any] | None) -> dict[str, Any]:
    reference = subject if "/" in subject else f"Patient/{subject}"
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": figures.codes},
        "subject": {"reference": reference},
    }
    if period is not None:
        made["effectivePeriod"] = period
    made["component"] = [
        _component(kind, value, figures.unit) for kind, value in figures.values.items()
    ]
    return made


def _component(kind: str, value: Any, unit: dict[str, Any]) -> dict[str, Any]:
    coding = {"system": STATISTICS, "code": kind}
    made: dict[str, Any] = {"code": {"coding": [coding]}}
    if value is None:
        unknown = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                   "code": "not-applicable"}  # fmt: skip
        return made | {"dataAbsentReason": {"coding": [unknown]}}
    number = serialization.number(format(value, "f"))
    counts = kind in ("count", "total-count")
    return made | {"valueQuantity": {"value": number, **({} if counts else unit)}}


OPERATION: Final = Operation(
    name="stats",
    definition="http://hl7.org/fhir/OperationDefinition/Observation-stats",
    answer=answer,
    types=("Observation",),
)
