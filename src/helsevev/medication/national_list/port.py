"""The door to the national medication service: what is asked of it, and how it can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from helsevev.fhir.reading import concept_text, mapping, objects, text
from helsevev.medication.national_list.codes import ERROR_CODE

Failure = Literal["not-set-up", "unreachable", "refused", "conflict", "unknown"]
"""Why there is no answer. "unknown": it may have been carried out, nobody knows."""


class ServiceFailed(Exception):
    """The service did not do what was asked; `problems` are its own words, if it had any."""

    def __init__(self, failure: Failure, problems: Sequence[str] = ()) -> None:
        super().__init__(f"{failure}: {'; '.join(problems)}")
        self.failure: Failure = failure
        self.problems = tuple(problems)


class Receipt(Struct, frozen=True):
    """What the service says of a list it has taken: so many recalled, so many prescribed.

    `refused` is (number of the prescription, why) for what it did not accept.
    """

    recalled: int
    prescribed: int
    refused: tuple[tuple[str, str], ...]


class NationalService(Protocol):
    """The service as this chapter uses it: SFM Basis API's two operations on a patient."""

    @property
    def is_set_up(self) -> bool:
        """Whether there is an address to ask."""

    async def get_medication(self, patient: Mapping[str, Any]) -> bytes:
        """The answer of `$getMedication`, a Parameters as JSON. Raises `ServiceFailed`."""

    async def send_medication(self, parameters: Mapping[str, Any]) -> Receipt:
        """Send a list by `$sendMedication`. Raises `ServiceFailed`, "unknown" when no answer came.

        The same message may be sent again: its number says that it is the same.
        """


def receipt_of(answer: Mapping[str, Any]) -> Receipt:
    """A receipt from the answer of `$sendMedication`. Raises `ServiceFailed` when it is none."""
    given = objects(answer.get("parameter"))
    counts: dict[str, int] = {
        text(each.get("name")): each["valueInteger"]
        for each in given if isinstance(each.get("valueInteger"), int)
    }  # fmt: skip
    if answer.get("resourceType") != "Parameters" or "prescriptionCount" not in counts:
        raise ServiceFailed("unknown")
    refused = []
    for each in given:
        if each.get("name") == "prescriptionOperationResult":
            parts = {text(p.get("name")): p for p in objects(each.get("part"))}
            coding = mapping(parts.get("resultCode", {}).get("valueCoding"))
            if coding.get("system") != ERROR_CODE or coding.get("code") != "0":
                number = text(parts.get("reseptID", {}).get("valueString"))
                refused.append((number, concept_text(coding)))
    return Receipt(counts.get("recallCount", 0), counts["prescriptionCount"], tuple(refused))


def problems_of(outcome: Mapping[str, Any]) -> list[str]:
    """What an OperationOutcome says, the serious first."""
    issues = objects(outcome.get("issue"))
    serious = [each for each in issues if each.get("severity") in ("fatal", "error")]
    return [said for each in serious or issues
            if (said := text(each.get("diagnostics")) or concept_text(each.get("details")))
            ]  # fmt: skip
