"""The rules as text: each fits the schema, names its law, and is said to both sides."""

from __future__ import annotations

import re
import time

import pytest

from helsevev.access.actor import Actor
from helsevev.access.policy import Facts, decide, rules_on_entry
from helsevev.access.policy_rules import FOLDER, RuleError, read_rules, rule_book

NURSE = Actor("practitioner", "Practitioner/x", "X", "nurse", "nurse", "Organization/u")
SCHEMA = FOLDER.joinpath("schema.cedarschema").read_text(encoding="utf-8")
SAID = '@id("a") @law("l") @reason("r") @patient("p")'
PERMIT = f'{SAID} @basis("own") permit (principal, action == Action::"read", resource)'


def test_every_rule_has_its_legal_source_in_words_before_it() -> None:
    for file in FOLDER.iterdir():
        if file.name.endswith(".cedar"):
            text = file.read_text(encoding="utf-8")
            lines = text.splitlines()
            for number, line in enumerate(lines):
                if line.startswith("@id"):
                    assert lines[number - 1].startswith("// "), f"{file.name}: {line}"
    for rule in rule_book().rules.values():
        assert re.search(r"(§|kap\.) ?\S", rule.law), rule.id


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{PERMIT} when {{ context.mood }};", "a.cedar: a: "),
        (f"{PERMIT} when {{ principal.kind == 3 }};", "a.cedar: a: "),
        (f"{PERMIT};{PERMIT};", "Two rules are called a"),
        (PERMIT.replace('@law("l")', "") + ";", "a lacks @law"),
        (PERMIT.replace('@basis("own")', "") + ";", "when it permits"),
        ("permit (", "a.cedar: "),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_by_name(text: str, fault: str) -> None:
    with pytest.raises(RuleError, match=re.escape(fault)):
        read_rules({"a.cedar": text}, SCHEMA)


def test_without_rules_nothing_is_allowed() -> None:
    ruling = read_rules({}, SCHEMA).rule(
        {
            "principal": 'Actor::"a"', "action": 'Action::"read"', "resource": 'Record::"r"',
            "context": {},
        },
        [],
    )  # fmt: skip
    assert (ruling.allowed, ruling.rules) == (False, ())


def test_a_decision_says_its_rule_its_law_and_both_reasons() -> None:
    decision = decide(NURSE, "read", Facts("inhabitant", related=True))
    assert (decision.rule, decision.allowed) == ("treatment-read", True)
    assert "helsepersonelloven § 25" in decision.law
    assert decision.reason == "Your unit treats this person."
    assert decision.to_patient == "The unit takes part in your treatment."


def test_a_decision_takes_a_tenth_of_a_millisecond_at_most() -> None:
    facts = [Facts("inhabitant", related=True, age=age) for age in range(10)]
    for each in facts:
        decide(NURSE, "read", each)
    taken = []
    for number in range(2000):
        begun = time.process_time_ns()
        decide(NURSE, "read", facts[number % 10])
        rules_on_entry(NURSE, facts[number % 10], "Condition", frozenset({"psychiatry"}))
        taken.append(time.process_time_ns() - begun)
    assert sorted(taken)[1900] < 100_000
