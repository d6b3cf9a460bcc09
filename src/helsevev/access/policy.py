"""Who may see and write what: the rules asked about facts handed in, and the answer in words.

The rules themselves are text, in content/access/policies; here facts become a request to them and
their ruling becomes a decision. The same facts give the same decision, so it is worked out once.
Reasons are English source texts; screens show them in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal

from helsevev.access.actor import Actor
from helsevev.access.policy_rules import Rule, rule_book
from helsevev.content.loading import professions

Action = Literal[
    "read", "write", "break-glass", "state-relation", "read-address", "merge-persons",
    "administer", "oversee", "register-apps", "follow-up", "keep-blocks", "answer-alarms",
    "give-representation", "end-representation", "keep-stock", "settle-stock", "set-unit-times",
    "see-figures", "author-content",
]  # fmt: skip
Basis = Literal[
    "relation", "stated", "emergency", "own", "representation", "system", "on-request",
    "follow-up", "reference", "none",
]  # fmt: skip
Closeness = Literal["none", "stated", "organisation", "unit", "personal"]
"""How near somebody stands who treats: named themselves, by unit, or by what it is part of."""

Subject = Literal["inhabitant", "reference", "unassigned"]

CLINICIANS: Final = frozenset(professions().group["clinician"])
"""Professions that document health care, and may open a record in an emergency."""

ASSISTING: Final = frozenset(professions().group["assisting"])
"""Professions that document what they do for those whom their unit treats."""

AGE_UNKNOWN: Final = 200
"""Where nobody wrote when somebody was born, they count as grown."""

REFUSED_NO_RELATION: Final = "You have no treatment relation to this person."
REFUSED_NOT_OWN: Final = "You can only open your own record."
REFUSED_READ_ONLY: Final = "Inhabitants cannot write in the clinical record."
REFUSED_REFERENCE: Final = (
    "Shared reference data is maintained by systems, not from a personal role."
)
REFUSED_UNASSIGNED: Final = "This entry names no inhabitant of the record."
REFUSED_TOO_YOUNG: Final = "Those who are younger than 13 do not sign in themselves."

_PREFERRED: Final = (
    "own", "representation", "relation", "stated", "emergency", "system", "on-request",
    "follow-up", "reference",
)  # fmt: skip
"""Which of several grounds is told: the one that asks least of the inhabitant first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision rests on besides the actor: whose record it is, and the ties to it.

    `related` means that a treatment relation holds now, `closeness` how near it is, `relation`
    where it is written (`CareTeam/x`). `stated_until` is the end of a relation that the actor
    stated, `represents` as whom an inhabitant acts for this one and `scope` how far, `blocked`
    whom the inhabitant's blocks that meet the actor are aimed at, `labels` what the record is
    marked with, `age` the inhabitant's in whole years. `hidden` means that the address of one who
    acts for the inhabitant is protected.
    """

    subject: Subject
    own: bool = False
    related: bool = False
    relation: str = ""
    emergency_until: datetime | None = None
    closeness: Closeness = "unit"
    stated_until: datetime | None = None
    represents: str = ""
    scope: str = ""
    blocked: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    age: int = AGE_UNKNOWN
    hidden: bool = False

    @property
    def is_tied(self) -> bool:
        """Whether anything ties the actor to the inhabitant, whatever the rules make of it."""
        ends = self.emergency_until or self.stated_until
        return self.own or self.related or ends is not None or bool(self.represents)

    @property
    def nearest(self) -> Closeness:
        """The nearest relation that holds."""
        if self.related:
            return self.closeness
        return "none" if self.stated_until is None else "stated"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer and why.

    `may_break_glass` tells whether a stated emergency would change it, `may_state_relation`
    whether a stated relation would. `rule` and `law` name what it rests on, `to_patient` is the
    reason in a sentence for the inhabitant.
    """

    allowed: bool
    basis: Basis
    reason: str
    may_break_glass: bool = False
    may_state_relation: bool = False
    rule: str = ""
    law: str = ""
    to_patient: str = ""


@dataclass(frozen=True, slots=True)
class EntryRuling:
    """Whether an entry is shown, by which rule not, and whether staff may know that it is there."""

    shown: bool
    rule: Rule | None = None

    @property
    def told(self) -> bool:
        """Whether the one who asks is told that something is withheld."""
        return self.rule is not None and self.rule.tells == "staff"


def decide(actor: Actor, action: Action, facts: Facts, resource_type: str = "") -> Decision:
    """Whether `actor` may do `action`, for the facts given; what no rule allows is refused."""
    return _decide(*_who(actor), action, *_known(facts), resource_type)


def rules_on_entry(
    actor: Actor,
    facts: Facts,
    resource_type: str,
    labels: frozenset[str],
    *,
    blocked: frozenset[str] = frozenset(),
    author: bool = False,
) -> EntryRuling:
    """Whether an entry of a record that the actor may read is shown to them."""
    known = _known(replace(facts, blocked=blocked))
    return _entry(*_who(actor), *known, resource_type, labels, author)


def may_write(profession: str, resource_type: str) -> bool:
    """Whether a profession writes this type of entry at all, in records it may open."""
    facts = Facts("inhabitant", related=True, closeness="personal")
    return _decide("practitioner", profession, "", "write", *_known(facts), resource_type).allowed


def may_treat(actor: Actor) -> bool:
    """Whether a tie opens any record at all to the actor: not to staff whose role treats nobody."""
    nearest = Facts("inhabitant", related=True, closeness="personal")
    return actor.kind != "practitioner" or decide(actor, "read", nearest).allowed


def may_follow_up(actor: Actor) -> bool:
    """Whether the actor may see anybody's audit trail, and judge unusual reads."""
    return decide(actor, "follow-up", Facts("reference")).allowed


def may_register_blocks(actor: Actor) -> bool:
    """Whether the actor registers the blocks that any inhabitant asks for."""
    return decide(actor, "keep-blocks", Facts("inhabitant"), "Consent").allowed


def may_merge(actor: Actor) -> bool:
    """Whether the actor may make two persons' records one: a system, or who keeps the register."""
    return decide(actor, "merge-persons", Facts("inhabitant")).allowed


def group_of(profession: str) -> str:
    """What a profession does in the record: clinician, assisting, secretary or other."""
    if profession in CLINICIANS:
        return "clinician"
    if profession in ASSISTING:
        return "assisting"
    return "secretary" if profession == "secretary" else "other"


_Who = tuple[str, str, str]
_Known = tuple[Subject, frozenset[str], bool, str, bool, str, str, frozenset[str], int, bool]


def _who(actor: Actor) -> _Who:
    return actor.kind, actor.profession, actor.role


def _known(facts: Facts) -> _Known:
    """All that a rule can look at: no times and no names, so that few decisions differ."""
    return (
        facts.subject, facts.labels, facts.own, facts.nearest, facts.emergency_until is not None,
        facts.represents, facts.scope, facts.blocked, min(facts.age, AGE_UNKNOWN),
        facts.hidden,
    )  # fmt: skip


@lru_cache(maxsize=50_000)
def _decide(
    kind: str,
    profession: str,
    role: str,
    action: Action,
    subject: Subject,
    labels: frozenset[str],
    own: bool,
    relation: str,
    emergency: bool,
    represents: str,
    scope: str,
    blocked: frozenset[str],
    age: int,
    hidden: bool,
    resource_type: str,
) -> Decision:
    who = (kind, profession, role)
    known = (subject, labels, own, relation, emergency, represents, scope, blocked, age, hidden)
    ruling = rule_book().rule(*_request(who, action, known, resource_type))
    if ruling.allowed:
        rule = min(ruling.rules, key=lambda each: _PREFERRED.index(each.basis))
        basis: Basis = rule.basis  # type: ignore[assignment]
        return Decision(
            True, basis, rule.reason, rule=rule.id, law=rule.law, to_patient=rule.patient
        )
    closed = action in ("read", "write")
    breaks = closed and _would(who, "break-glass", action, known, resource_type)
    states = closed and _would(who, "state-relation", action, known, resource_type)
    if ruling.rules:
        rule = min(ruling.rules, key=lambda each: each.id)
        return Decision(False, "none", rule.reason, breaks, states, rule.id, rule.law, rule.patient)
    return Decision(False, "none", _unpermitted(kind, action, known), breaks, states)


def _would(who: _Who, way: Action, action: Action, known: _Known, resource_type: str) -> bool:
    """Whether the actor may go a way that would open what is closed now."""
    subject, labels, own, relation, emergency, represents, scope, blocked, age, hidden = known
    breaks = way == "break-glass"
    if emergency if breaks else relation != "none":
        return False
    then = (
        subject, labels, own, relation if breaks else "stated", emergency or breaks, represents,
        scope, blocked, age, hidden,
    )  # fmt: skip
    book = rule_book()
    return (
        book.rule(*_request(who, way, known, resource_type)).allowed
        and book.rule(*_request(who, action, then, resource_type)).allowed
    )


def _unpermitted(kind: str, action: Action, known: _Known) -> str:
    """What to say where no rule permits and none forbids."""
    subject, own, age = known[0], known[2], known[8]
    if subject == "unassigned":
        return REFUSED_UNASSIGNED
    if subject == "reference":
        return REFUSED_REFERENCE
    if kind == "inhabitant":
        if not own:
            return REFUSED_NOT_OWN
        return REFUSED_READ_ONLY if action == "write" or age >= _SIGNS_IN else REFUSED_TOO_YOUNG
    return REFUSED_NO_RELATION


_SIGNS_IN: Final = 13


@lru_cache(maxsize=50_000)
def _entry(
    kind: str,
    profession: str,
    role: str,
    subject: Subject,
    record_labels: frozenset[str],
    own: bool,
    relation: str,
    emergency: bool,
    represents: str,
    scope: str,
    blocked: frozenset[str],
    age: int,
    hidden: bool,
    resource_type: str,
    labels: frozenset[str],
    author: bool,
) -> EntryRuling:
    known = (
        subject, record_labels, own, relation, emergency, represents, scope, blocked, age, hidden,
    )  # fmt: skip
    request, entities = _request((kind, profession, role), "read-entry", known, resource_type)
    request["context"]["author"] = author
    request["resource"] = {"type": "Entry", "id": "entry"}
    entry = {"type": resource_type, "labels": sorted(labels)}
    entities[1] = {"uid": request["resource"], "attrs": entry, "parents": []}
    ruling = rule_book().rule(request, entities)
    if ruling.allowed:
        return EntryRuling(True)
    # Who must not even know goes before who may.
    first = min(ruling.rules, key=lambda each: (each.tells == "staff", each.id), default=None)
    return EntryRuling(False, first)


def _request(
    who: _Who, action: str, known: _Known, resource_type: str
) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    kind, profession, role = who
    subject, labels, own, relation, emergency, represents, scope, blocked, age, hidden = known
    principal = {"type": "Actor", "id": "actor"}
    resource = {"type": "Record", "id": "record"}
    person = {
        "kind": kind, "profession": profession, "group": group_of(profession), "role": role,
    }  # fmt: skip
    record = {"subject": subject, "labels": sorted(labels)}
    context = {
        "relation": relation, "emergency": emergency, "own": own, "represents": represents,
        "scope": scope, "blocked": sorted(blocked), "age": age, "hidden": hidden,
        "type": resource_type, "author": False,
    }  # fmt: skip
    request = {
        "principal": principal,
        "action": {"type": "Action", "id": action},
        "resource": resource,
        "context": context,
    }
    return request, [
        {"uid": principal, "attrs": person, "parents": []},
        {"uid": resource, "attrs": record, "parents": []},
    ]
