"""The rules of access, written in Cedar in content/access/policies: parsed once, then asked.

https://docs.cedarpolicy.com. Refused unless a rule permits, and whatever a rule forbids. Every
rule says in annotations what it is called, which law it rests on, and why, in one sentence for
the one who asks and one for the inhabitant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import cedarpy

FOLDER: Final = files("helsevev.content").joinpath("access/policies")
_SCHEMA: Final = "schema.cedarschema"
_REQUIRED: Final = frozenset({"id", "law", "reason", "patient"})


class RuleError(ValueError):
    """The rules cannot be used; the message says which rule and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, its file, and what it says of itself. `basis` is "" for one that forbids.

    `tells` says whom it concerns to know that something is withheld: "staff" or "nobody".
    """

    id: str
    file: str
    permits: bool
    law: str
    reason: str
    patient: str
    basis: str = ""
    tells: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer, and the rules that it follows from; none when nothing permits."""

    allowed: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, parsed, with what each says of itself."""

    parsed: cedarpy.PolicySet
    schema: str
    rules: Mapping[str, Rule]

    def rule(self, request: Mapping[str, Any], entities: Iterable[Mapping[str, Any]]) -> Ruling:
        """What the rules say of one request. A rule that cannot be worked out is an error."""
        answer = cedarpy.is_authorized(
            dict(request), self.parsed, [dict(each) for each in entities]
        )
        if answer.diagnostics.errors:
            raise RuleError("; ".join(str(each) for each in answer.diagnostics.errors))
        return Ruling(
            answer.allowed, tuple(self.rules[name] for name in answer.diagnostics.reasons)
        )


@cache
def rule_book() -> RuleBook:
    """The rules that come as content. Raises `RuleError` for what does not fit the schema."""
    schema = FOLDER.joinpath(_SCHEMA).read_text(encoding="utf-8")
    texts = {
        file.name: file.read_text(encoding="utf-8")
        for file in sorted(FOLDER.iterdir(), key=lambda each: each.name)
        if file.name.endswith(".cedar")
    }
    return read_rules(texts, schema)


def read_rules(texts: Mapping[str, str], schema: str) -> RuleBook:
    """Rules from the text of files by name. Raises `RuleError` that names the file and the rule."""
    names: list[Rule] = []
    for name, text in texts.items():
        try:
            parsed = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        except ValueError as problem:
            raise RuleError(f"{name}: {problem}") from problem
        # Policies are numbered in the order in which they stand.
        names += [_rule(name, parsed[key]) for key in sorted(parsed, key=lambda key: int(key[6:]))]
    whole = "\n".join(texts.values())
    checked = cedarpy.validate_policies(whole, schema)
    if not checked.validation_passed:
        raise RuleError("; ".join(_placed(each, names) for each in checked.errors))
    ids = [rule.id for rule in names]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise RuleError(f"Two rules are called {', '.join(twice)}.")
    rules = {f"policy{number}": rule for number, rule in enumerate(names)}
    return RuleBook(cedarpy.PolicySet.from_str(whole), schema, rules)


def _rule(file: str, policy: Mapping[str, Any]) -> Rule:
    said = {name: text or "" for name, text in policy.get("annotations", {}).items()}
    if missing := sorted(name for name in _REQUIRED if not said.get(name)):
        name = said.get("id", "a rule without @id")
        raise RuleError(f"{file}: {name} lacks {', '.join('@' + each for each in missing)}.")
    permits = policy["effect"] == "permit"
    if permits != bool(said.get("basis")):
        raise RuleError(f"{file}: {said['id']}: a rule has a @basis when it permits, only then.")
    return Rule(
        said["id"], file, permits, said["law"], said["reason"], said["patient"],
        said.get("basis", ""), said.get("tells", ""),
    )  # fmt: skip


def _placed(problem: cedarpy.ValidationError, names: list[Rule]) -> str:
    number = problem.policy_id.removeprefix("policy")
    rule = names[int(number)] if number.isdigit() and int(number) < len(names) else None
    return f"{rule.file}: {rule.id}: {problem.error}" if rule else str(problem)


__all__ = ["Rule", "RuleBook", "RuleError", "Ruling", "read_rules", "rule_book"]
