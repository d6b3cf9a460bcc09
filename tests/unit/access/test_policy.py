"""Who may see and write what: every kind of actor against every tie, and nothing beyond."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from helsevev.access import policy
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.policy import ASSISTING, CLINICIANS, Facts, decide, may_write
from helsevev.access.policy_rules import rule_book
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.locale import HERE as LOCALE
from helsevev.locale import read_room

LATER = datetime(2030, 1, 1, tzinfo=UTC)
SECRETARIES_WRITE = frozenset(
    {"Appointment", "AppointmentResponse", "Encounter", "DocumentReference", "Task",
     "Communication", "Composition", "Slot", "Schedule", "RelatedPerson", "Patient", "Coverage"}
)  # fmt: skip
PROFESSION = "Your role cannot write this kind of entry."
AT_WORK = "At work you do not open your own record; sign in as an inhabitant."
PRESCRIBING = "Your profession does not prescribe medicines."
TREATS_NOBODY = "Your role does not take part in treatment, so it opens no records."
PROFESSIONS = (*sorted(CLINICIANS), "secretary", "cleaner", "")
RELATED = Facts("inhabitant", related=True)
EMERGENCY = Facts("inhabitant", emergency_until=LATER)
STRANGER = Facts("inhabitant")
OWN = Facts("inhabitant", own=True)
REFERENCE = Facts("reference")
UNASSIGNED = Facts("unassigned")


def practitioner(profession: str) -> Actor:
    return Actor("practitioner", "Practitioner/x", "X", profession, "role", "Organization/u")


INHABITANT = Actor("inhabitant", "Patient/p", "P", "", "inhabitant", patient="Patient/p")

ALLOWED = [
    # actor, action, facts, type, basis
    (practitioner("nurse"), "read", RELATED, "", "relation"),
    (practitioner("secretary"), "read", RELATED, "", "relation"),
    (practitioner("nurse"), "read", EMERGENCY, "", "emergency"),
    (practitioner("nurse"), "read", REFERENCE, "", "reference"),
    (practitioner("nurse"), "write", RELATED, "Observation", "relation"),
    (practitioner("physician"), "write", EMERGENCY, "MedicationRequest", "emergency"),
    (practitioner("secretary"), "write", RELATED, "Appointment", "relation"),
    (INHABITANT, "read", OWN, "", "own"),
    (INHABITANT, "read", REFERENCE, "", "reference"),
    (SYSTEM, "write", UNASSIGNED, "Observation", "system"),
    (SYSTEM, "write", REFERENCE, "Organization", "system"),
    (SYSTEM, "read", STRANGER, "", "system"),
]
REFUSED = [
    # actor, action, facts, type, reason, may break the glass
    (practitioner("nurse"), "read", STRANGER, "", policy.REFUSED_NO_RELATION, True),
    (practitioner("secretary"), "read", STRANGER, "", policy.REFUSED_NO_RELATION, False),
    (practitioner("nurse"), "read", OWN, "", AT_WORK, False),
    (practitioner("nurse"), "read", UNASSIGNED, "", policy.REFUSED_UNASSIGNED, False),
    (practitioner("nurse"), "write", REFERENCE, "Organization", policy.REFUSED_REFERENCE, False),
    (practitioner("secretary"), "write", RELATED, "Observation", PROFESSION, False),
    (practitioner("cleaner"), "write", RELATED, "Appointment", PROFESSION, False),
    (practitioner("cleaner"), "read", RELATED, "", TREATS_NOBODY, False),
    (practitioner("system-administrator"), "read", RELATED, "", TREATS_NOBODY, False),
    (practitioner("privacy-officer"), "read", STRANGER, "", TREATS_NOBODY, False),
    (practitioner(""), "read", EMERGENCY, "", TREATS_NOBODY, False),
    (practitioner("nurse"), "write", RELATED, "AuditEvent", PROFESSION, False),
    (practitioner("nurse"), "write", RELATED, "MedicationRequest", PRESCRIBING, False),
    (practitioner("midwife"), "write", EMERGENCY, "MedicationRequest", PRESCRIBING, False),
    (practitioner("nurse"), "write", RELATED, "Consent", PROFESSION, False),
    (practitioner("nurse"), "write", STRANGER, "Observation", policy.REFUSED_NO_RELATION, True),
    (INHABITANT, "read", STRANGER, "", policy.REFUSED_NOT_OWN, False),
    (INHABITANT, "read", RELATED, "", policy.REFUSED_NOT_OWN, False),
    (INHABITANT, "read", EMERGENCY, "", policy.REFUSED_NOT_OWN, False),
    (INHABITANT, "write", OWN, "Observation", policy.REFUSED_READ_ONLY, False),
    (INHABITANT, "write", REFERENCE, "Organization", policy.REFUSED_REFERENCE, False),
    (INHABITANT, "read", UNASSIGNED, "", policy.REFUSED_UNASSIGNED, False),
]


@pytest.mark.parametrize(("actor", "action", "facts", "kind", "basis"), ALLOWED)
def test_who_has_a_right_is_let_in_on_that_ground(
    actor: Any, action: Any, facts: Any, kind: Any, basis: Any
) -> None:
    decision = decide(actor, action, facts, kind)
    assert (decision.allowed, decision.basis) == (True, basis)
    assert decision.reason


@pytest.mark.parametrize(("actor", "action", "facts", "kind", "reason", "glass"), REFUSED)
def test_who_has_no_right_is_refused_with_the_reason(
    actor: Any, action: Any, facts: Any, kind: Any, reason: Any, glass: Any
) -> None:
    decision = decide(actor, action, facts, kind)
    assert (decision.allowed, decision.basis) == (False, "none")
    assert (decision.reason, decision.may_break_glass) == (reason, glass)


def expected(actor: Actor, action: str, facts: Facts, kind: str) -> bool:
    """The whole rule once more, in other words."""
    if actor.kind == "system":
        return True
    if facts.subject == "reference":
        return action == "read"
    if facts.subject == "unassigned":
        return False
    if actor.kind == "practitioner" and facts.own:
        return False
    if actor.kind == "inhabitant":
        return facts.own and (action == "read" or kind == "Consent")
    if actor.profession not in {*CLINICIANS, *ASSISTING, "secretary"}:
        return False
    tied = facts.related or facts.emergency_until is not None
    if action == "read":
        return tied
    if actor.profession == "secretary":
        return tied and kind in SECRETARIES_WRITE
    return tied and actor.profession in CLINICIANS and kind not in ("AuditEvent", "Consent")


def test_nothing_is_allowed_that_no_rule_allows() -> None:
    actors = [SYSTEM, INHABITANT, *map(practitioner, PROFESSIONS)]
    every_fact = [
        Facts(subject, own, related, "", until)  # type: ignore[arg-type]
        for subject, own, related, until in product(
            ("inhabitant", "reference", "unassigned"), (False, True), (False, True), (None, LATER)
        )
    ]
    kinds = sorted({*SECRETARIES_WRITE, "AuditEvent", "Consent", "Observation", "Condition"})
    for actor, facts, kind in product(actors, every_fact, kinds):
        for action in ("read", "write"):
            decision = decide(actor, action, facts, kind)
            assert decision.allowed == expected(actor, action, facts, kind), (actor, action, facts)
            assert decision.allowed == (decision.basis != "none")
            assert not (decision.allowed and decision.may_break_glass)


@pytest.mark.parametrize("profession", PROFESSIONS)
def test_each_profession_writes_what_it_documents(profession: str) -> None:
    written = {kind for kind in RESOURCE_TYPES if may_write(profession, kind)}
    if profession in CLINICIANS:
        orders = set() if profession == "physician" else {"MedicationRequest"}
        assert written == RESOURCE_TYPES - {"AuditEvent", "Consent"} - orders
    else:
        assert written == (SECRETARIES_WRITE if profession == "secretary" else set())


def test_what_secretaries_write_are_types_of_r4() -> None:
    assert SECRETARIES_WRITE <= RESOURCE_TYPES


def test_every_reason_of_a_refusal_is_said_in_norwegian() -> None:
    said = {message.id for message in read_room(LOCALE / "nb" / "access.po") if message.string}
    reasons = {text for name, text in vars(policy).items() if name.startswith("REFUSED_")}
    assert reasons <= said
    for rule in rule_book().rules.values():
        assert {rule.reason, rule.patient} <= said, rule.id
