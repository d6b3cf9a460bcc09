"""http://hl7.org/fhir/R4/patient-operation-match.html: which registered inhabitant somebody is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from helsevev.access.person_matching import MOST, Match
from helsevev.fhir import serialization
from helsevev.fhir.validation import validate
from helsevev.fhir_api.answer import Answer, of_issues
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

GRADE: Final = "http://hl7.org/fhir/StructureDefinition/match-grade"
_KNOWN: Final = ("resource", "onlyCertainMatches", "count")


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset, most likely first, each with a score and a match-grade.

    400 for what is no Patient, 403 for inhabitants.
    """
    asked = await given(request, _KNOWN)
    described = asked.element("resource")
    if described is None or described.get("resourceType") != "Patient":
        raise bad_request("The parameter resource is a Patient.", "required", "resource")
    issues = [issue for issue in validate(described) if issue.is_error]
    if issues:
        return of_issues(400, issues)
    count = asked.whole("count")
    found = await doors.services.person_matcher.match(
        request.actor,
        described,
        certain_only=asked.flag("onlyCertainMatches"),
        count=MOST if count is None else count,
    )
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if found:
        bundle["entry"] = [_entry(request.base, match) for match in found]
    return Answer(200, serialization.encode(bundle))


def _entry(base: str, match: Match) -> dict[str, Any]:
    return {
        "fullUrl": f"{base}/Patient/{match.resource['id']}",
        "resource": match.resource,
        "search": {
            "extension": [{"url": GRADE, "valueCode": match.likeness.grade}],
            "mode": "match",
            "score": Decimal(str(match.likeness.score)),
        },
    }


OPERATION: Final = Operation(
    name="match",
    definition="http://hl7.org/fhir/OperationDefinition/Patient-match",
    answer=answer,
    types=("Patient",),
)
