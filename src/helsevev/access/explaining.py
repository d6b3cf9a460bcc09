"""Why somebody may or may not: the decision with its rule, its law and the ties it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.access.permit import Known
from helsevev.access.policy import Action, Decision, decide, rules_on_entry
from helsevev.access.sight import ADDRESSES
from helsevev.access.withholding import Masked, sift
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.labels import labels_of
from helsevev.record.statements import load

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
_SQL: Final = load("access")


@dataclass(frozen=True, slots=True)
class Tie:
    """A treatment relation, past or present: whom it names, and where it is written."""

    grantee: str
    source: str
    start: int
    end: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, the facts it was made from, the relations there are, and what is withheld."""

    actor: Actor
    action: Action
    decision: Decision
    known: Known
    ties: tuple[Tie, ...]
    entry: str = ""

    def lines(self) -> Iterator[str]:
        """The explanation, a line each, in English."""
        answer = "allowed" if self.decision.allowed else "refused"
        yield f"{self.actor.name} ({self.actor.role or self.actor.kind}), {self.action}: {answer}."
        yield f"  Why: {self.decision.reason}"
        if self.decision.rule:
            yield f"  Rule: {self.decision.rule}"
            yield f"  Law: {self.decision.law}"
            yield f"  To the patient: {self.decision.to_patient}"
        else:
            yield "  Rule: none permits it, and what no rule permits is refused."
        if self.decision.may_state_relation:
            yield "  Stating a treatment relation would open it."
        if self.decision.may_break_glass:
            yield "  Breaking the glass would open it."
        yield from self._facts()
        for tie in self.ties:
            state = "holds" if tie.holds else "does not hold now"
            span = f"{_time(tie.start)}-{_time(tie.end)}"
            yield f"  {tie.source} names {tie.grantee}, {span}: {state}"
        if self.entry:
            yield f"  {self.entry}"

    def _facts(self) -> Iterator[str]:
        facts, sight = self.known.facts, self.known.sight
        yield f"  Relation: {facts.nearest}{f' ({facts.relation})' if facts.relation else ''}"
        if facts.emergency_until:
            yield f"  Glass broken until {facts.emergency_until:%Y-%m-%d %H:%M} UTC"
        if facts.stated_until:
            yield f"  Relation stated until {facts.stated_until:%Y-%m-%d %H:%M} UTC"
        if facts.represents:
            yield f"  Acts as {facts.represents} ({facts.scope})"
        if facts.blocked:
            yield f"  Blocked: {', '.join(sorted(facts.blocked))}"
        if facts.labels:
            yield f"  The record is marked: {', '.join(sorted(facts.labels))}"
        if self.decision.allowed and sight.labels:
            yield f"  Withheld: entries labelled {', '.join(sorted(sight.labels))}"
        if self.decision.allowed and sight.entries:
            yield f"  Withheld: {', '.join('/'.join(each) for each in sorted(sight.entries))}"
        if self.decision.allowed and sight.hides_address:
            yield "  Withheld: the address"


async def explain(
    gate: Gate,
    actor: Actor,
    patient_id: str,
    action: Action,
    resource_type: str = "",
    entry: tuple[str, str] | None = None,
) -> Explanation:
    """What would be decided about an inhabitant's record now, and why; nothing is opened.

    `entry` is the type and id of one entry, whose own ruling is told besides.
    """
    patient = keys.patient_key(patient_id)
    now = clock.now()
    known = (await gate.permits.known(actor, [patient], now))[patient]
    decision = decide(actor, action, known.facts, resource_type)
    rows = await gate.store.database.fetch(_SQL["relations_of"], patient, list(actor.grantees))
    at = dates.microseconds(now)
    ties = tuple(
        Tie(
            row["grantee"], f"{row['source_type']}/{row['source_id']}", row["start_at"],
            row["end_at"], row["start_at"] <= at < row["end_at"],
        )
        for row in rows
    )  # fmt: skip
    told = "" if entry is None else await _entry(gate, actor, known, *entry)
    return Explanation(actor, action, decision, known, ties, told)


async def _entry(gate: Gate, actor: Actor, known: Known, kind: str, name: str) -> str:
    stored = await gate.store.read(kind, name)
    if stored is None or stored.deleted:
        return f"{kind}/{name} is not in the record."
    labels = labels_of(stored.resource)
    said = f"labelled {', '.join(sorted(labels))}" if labels else "without labels"
    seen, _ = await sift(gate.store, [stored], {stored.patient: known.sight})
    if seen:
        what = "shown without the address" if isinstance(seen[0], Masked) else "shown"
        return f"{kind}/{name}, {said}: {what}."
    rules = {
        rule
        for label in sorted(labels - ADDRESSES)
        if (rule := rules_on_entry(actor, known.facts, kind, frozenset({label})).rule) is not None
    }
    why = "; ".join(f"{rule.reason} ({rule.id}, {rule.law})" for rule in rules)
    return f"{kind}/{name}, {said}: withheld. {why or 'The patient has blocked it.'}"


def _time(at: int) -> str:
    return "" if at in (dates.MIN, dates.MAX) else f"{dates.moment(at):%Y-%m-%d %H:%M}"
