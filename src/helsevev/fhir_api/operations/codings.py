"""Which code an operation is about: a code with its system, a Coding, or a CodeableConcept."""

from __future__ import annotations

from typing import Any

from helsevev.access.terminology import Coded
from helsevev.fhir_api.operations.parameters import Given
from helsevev.fhir_api.problem import bad_request


def asked_codes(
    asked: Given, *, system: str = "system", version: str = "version", needs_system: bool = True
) -> list[Coded]:
    """The codes asked about: one, or all of a CodeableConcept's.

    `system` and `version` name the parameters that go with `code`. Raises `Problem` 400 unless
    there is exactly one of code, coding and codeableConcept, each with what it needs.
    """
    ways = [name for name in ("code", "coding", "codeableConcept") if asked.all(name)]
    if len(ways) != 1:
        text = "Ask with one of code (and its system), coding or codeableConcept."
        raise bad_request(text, "required" if not ways else "invalid")
    if ways == ["code"]:
        display = asked.text("display")
        found = Coded(asked.text(system), asked.needed("code"), asked.text(version), display)
        codes = [found]
    elif ways == ["coding"]:
        codes = [coded(asked.element("coding") or {}, "coding")]
    else:
        concept = asked.element("codeableConcept") or {}
        codings = concept.get("coding", [])
        if not isinstance(codings, list) or not codings:
            raise bad_request("The codeableConcept has no coding.", "required", "codeableConcept")
        codes = [coded(each, "codeableConcept.coding") for each in codings]
    if needs_system and not all(each.system for each in codes):
        raise bad_request("A code means something in its system: name it.", "required", system)
    return codes


def coded(coding: Any, place: str) -> Coded:
    """A Coding as the service takes it. Raises `Problem` 400 when it has no code."""
    if not isinstance(coding, dict):
        raise bad_request("A Coding has a system and a code.", "structure", place)
    texts = [coding.get(name, "") for name in ("system", "code", "version", "display")]
    if not all(isinstance(text, str) for text in texts) or not texts[1]:
        raise bad_request("A Coding has a system and a code.", "required", f"{place}.code")
    return Coded(*texts)
