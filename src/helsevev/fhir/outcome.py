"""What is wrong with a request or a resource, said as FHIR's OperationOutcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to tell: how grave, of which kind, in words, and where.

    `severity` and `code` are FHIR's own codes (http://hl7.org/fhir/R4/valueset-issue-type.html);
    `expression` is the FHIRPath of the element, "" when the issue is about no single element.
    """

    severity: str
    code: str
    diagnostics: str
    expression: str = ""

    @property
    def is_error(self) -> bool:
        """True when the issue stops the request."""
        return self.severity in ("error", "fatal")

    def as_element(self) -> dict[str, Any]:
        """The issue as an OperationOutcome.issue element."""
        element: dict[str, Any] = {"severity": self.severity, "code": self.code}
        if self.diagnostics:
            element["diagnostics"] = self.diagnostics
        if self.expression:
            element["expression"] = [self.expression]
        return element


def error(code: str, diagnostics: str, expression: str = "") -> Issue:
    """An issue of severity error."""
    return Issue("error", code, diagnostics, expression)


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The issues as an OperationOutcome resource; with no issues it says that all is well."""
    elements = [issue.as_element() for issue in issues]
    if not elements:
        elements = [Issue("information", "informational", "All OK").as_element()]
    return {"resourceType": "OperationOutcome", "issue": elements}
