"""Who may see and write what: decided from facts handed in, refused unless a rule allows.

Reasons are English source texts; screens show them in the reader's language. Legal ground:
pasientjournalloven § 16 (no reading without need), § 19 and § 22 (access by need, logged),
helsepersonelloven § 21 (secrecy), § 25 and § 45 (sharing with those who treat).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from helsevev.access.actor import Actor

Action = Literal["read", "write"]
Basis = Literal["relation", "emergency", "own", "system", "reference", "none"]

CLINICIANS: Final = frozenset(
    {"physician", "nurse", "public-health-nurse", "midwife", "paramedic", "psychologist",
     "physiotherapist"}
)  # fmt: skip
"""Professions that document health care, and may open a record in an emergency."""

ASSISTING: Final = frozenset(
    {"assistant-nurse", "social-educator", "occupational-therapist", "biomedical-scientist",
     "radiographer"}
)  # fmt: skip
"""Professions that document what they do for those whom their unit treats."""

SECRETARIES_WRITE: Final = frozenset(
    {"Appointment", "AppointmentResponse", "Encounter", "DocumentReference", "Task",
     "Communication", "Composition", "Slot", "Schedule", "RelatedPerson", "Patient", "Coverage"}
)  # fmt: skip

REGISTER_KEEPERS: Final = frozenset({"person-register-keeper"})
"""Roles that may merge and part the records of persons."""

REFUSED_NO_RELATION: Final = "You have no treatment relation to this person."
REFUSED_NOT_OWN: Final = "You can only open your own record."
REFUSED_PROFESSION: Final = "Your role cannot write this kind of entry."
REFUSED_READ_ONLY: Final = "Inhabitants cannot write in the clinical record."
REFUSED_REFERENCE: Final = (
    "Shared reference data is maintained by systems, not from a personal role."
)
REFUSED_UNASSIGNED: Final = "This entry names no inhabitant of the record."


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision rests on besides the actor: whose record it is, and the ties to it."""

    subject: Literal["inhabitant", "reference", "unassigned"]
    own: bool = False
    related: bool = False
    emergency_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer and why; `may_break_glass` tells whether a stated emergency would change it."""

    allowed: bool
    basis: Basis
    reason: str
    may_break_glass: bool = False


def decide(actor: Actor, action: Action, facts: Facts, resource_type: str = "") -> Decision:
    """Whether `actor` may do `action`, for the facts given; what no rule allows is refused."""
    if actor.kind == "system":
        return Decision(True, "system", "A system with a token for the whole record.")
    if facts.subject == "unassigned":
        return Decision(False, "none", REFUSED_UNASSIGNED)
    if facts.subject == "reference":
        if action == "read":
            return Decision(True, "reference", "Reference data is open to everyone signed in.")
        return Decision(False, "none", REFUSED_REFERENCE)
    if actor.kind == "inhabitant":
        return _decide_inhabitant(action, facts)
    return _decide_practitioner(actor, action, facts, resource_type)


def _decide_inhabitant(action: Action, facts: Facts) -> Decision:
    if not facts.own:
        return Decision(False, "none", REFUSED_NOT_OWN)
    if action == "write":
        return Decision(False, "none", REFUSED_READ_ONLY)
    return Decision(True, "own", "Your own record.")


def _decide_practitioner(
    actor: Actor, action: Action, facts: Facts, resource_type: str
) -> Decision:
    if action == "write" and not may_write(actor.profession, resource_type):
        return Decision(False, "none", REFUSED_PROFESSION)
    if facts.related:
        return Decision(True, "relation", "Your unit treats this person.")
    if facts.emergency_until is not None:
        return Decision(True, "emergency", "Opened with a stated ground, for a limited time.")
    return Decision(False, "none", REFUSED_NO_RELATION, actor.profession in CLINICIANS)


def may_write(profession: str, resource_type: str) -> bool:
    """Whether a profession writes this type of entry at all, in records it may open."""
    if profession in CLINICIANS or profession in ASSISTING:
        return resource_type not in ("AuditEvent", "Consent")
    return profession == "secretary" and resource_type in SECRETARIES_WRITE


def may_merge(actor: Actor) -> bool:
    """Whether the actor may make two persons' records one: a system, or who keeps the register."""
    return actor.kind == "system" or (
        actor.kind == "practitioner" and actor.role in REGISTER_KEEPERS
    )
