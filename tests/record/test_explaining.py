"""Why somebody may or may not, in words: the rule, the law, the relation, and what is withheld."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.explaining import explain
from helsevev.access.services import Services

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_explanation_names_rule_law_and_relation(
    services: Services, patient: Any, stay: Any, nurse: Actor, stranger: Actor
) -> None:
    psychiatric = {
        "resourceType": "Condition",
        "id": "why-low",
        "subject": {"reference": "Patient/why"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-no", "code": "F32.1"}]},
    }
    for resource in (patient("why"), stay("why"), psychiatric):
        await services.writer.write(SYSTEM, resource)
    near = await explain(services.gate, nurse, "why", "read", entry=("Condition", "why-low"))
    said = "\n".join(near.lines())
    assert near.decision.allowed
    for part in (
        "read: allowed.", "Rule: treatment-read", "helsepersonelloven § 25", "Relation: unit",
        "Encounter/stay-why names Organization/ward", "holds", "labelled psychiatry: shown.",
    ):  # fmt: skip
        assert part in said, (part, said)
    told = await explain(services.gate, stranger, "why", "read", entry=("Condition", "why-low"))
    said = "\n".join(told.lines())
    for part in ("read: refused.", "no treatment relation", "Breaking the glass would open it."):
        assert part in said, (part, said)
    assert (await explain(services.gate, nurse, "why", "write", "AuditEvent")).decision.rule == (
        "documentation-by-profession"
    )
    rows = await services.gate.store.roles.owner.fetch(
        "SELECT FROM audit_event WHERE interaction = 'explain'"
    )
    assert not rows
