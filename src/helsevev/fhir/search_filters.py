"""What a search asks of a resource: conditions on its values, on what it names, on what names it.

The grammar is http://hl7.org/fhir/R4/search.html#modifiers, #chaining and #has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from helsevev.fhir import search_terms
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_parameters import PARAMETERS, Parameter, implied_systems
from helsevev.fhir.search_terms import CompositeTerm, Term, TermError, TokenTerm

MOST_ALTERNATIVES = 1000
MOST_STEPS = 6
"""From resource to resource, in one chain; each is a search of its own."""

MOST_TARGETS = 12
"""Types that one step of a chain may lead to, when it does not say which."""

Parameters = Mapping[str, Mapping[str, Parameter]]
"""Resource type -> name -> parameter."""

MODIFIERS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"missing", "exact", "contains"}),
    "token": frozenset({"missing", "not", "text", "in", "not-in", "above", "below", "of-type"}),
    "reference": frozenset({"missing", "identifier", "above", "below"}),
    "uri": frozenset({"missing", "above", "below"}),
    "special": frozenset(),
}
_ONLY_MISSING = frozenset({"missing"})
_OF_R4 = frozenset({"text", "of-type", "identifier"})
_FULL_TEXT = ("_text", "_content")


_IN_DOUBT = ("verification-status:not", "refuted,entered-in-error")
_ALLERGIES = (("clinical-status", "active"), _IN_DOUBT)
CURRENT_LISTS: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "$current-problems": {
        "Condition": (("clinical-status", "active,recurrence,relapse"), _IN_DOUBT),
    },
    "$current-medications": {
        "MedicationStatement": (("status", "active"),),
        "MedicationRequest": (("status", "active"), ("intent:not", "proposal,plan,option")),
    },
    "$current-allergies": {"AllergyIntolerance": _ALLERGIES},
    "$current-drug-allergies": {"AllergyIntolerance": (*_ALLERGIES, ("category", "medication"))},
}
"""R4's lists of what is so now: by name and type, what an entry on them fulfils."""


class UnknownParameter(ValueError):
    """A parameter that the type does not have."""


class Unsupported(ValueError):
    """Something of FHIR's that is not understood here."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter of the query; a resource matches when any of `terms` does.

    `name` is the name in the extracted rows: the parameter's, `<name>:identifier` or
    `<name>:of-type`. `kind` is R4's word for how its rows are read ("token" for those two).
    `modifier` is None or one of "exact", "contains", "not", "missing", "text", "above", "below",
    "in", "not-in"; in a `_filter` also "equal", "unequal" and "ends", for texts. With "not" and
    "not-in" a resource matches when none of `terms` does, also when it has no value. With
    "missing" there are no terms, and `missing` says which.
    """

    name: str
    kind: str
    parameter: Parameter
    terms: tuple[Term, ...]
    modifier: str | None = None
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A resource matches when it names, by `parameter`, one that fits.

    `within` are the types it may name, each with what is asked of that type.
    """

    parameter: Parameter
    within: tuple[tuple[str, Filter], ...]


@dataclass(frozen=True, slots=True)
class Has:
    """A resource matches when one of type `source` that fits `asked` names it by `parameter`."""

    source: str
    parameter: Parameter
    asked: Filter


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A resource matches when one of the conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """What `_filter` says: all parts hold ("and"), one of them does ("or"), the only does not."""

    joined: Literal["and", "or", "not"]
    parts: tuple[Filter, ...]


Filter = Condition | Chain | Has | AnyOf | Formula


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reading of a query depends on: the server's address, the time, the parameters."""

    base: str = ""
    now: int | None = None
    parameters: Parameters = field(default_factory=lambda: PARAMETERS)
    pending: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Words about parameters (type, name) that cannot be searched yet."""

    def filter(self, resource_type: str, name: str, value: str, steps: int = 0) -> Filter:
        """What `name=value` asks of a resource type.

        Raises `UnknownParameter`, `Unsupported` or `TermError`.
        """
        if steps > MOST_STEPS:
            raise Unsupported(f"a chain has at most {MOST_STEPS} steps; search in two turns")
        if name.startswith("_has:"):
            return self._has(resource_type, name, value, steps)
        if name == "_list":
            return self._list(resource_type, value, steps)
        head, dot, rest = name.partition(".")
        plain, _, modifier = head.partition(":")
        parameter = self.parameters[resource_type].get(plain)
        if parameter is None and (resource_type, plain) in self.pending:
            raise Unsupported(self.pending[resource_type, plain])
        if parameter is None:
            raise UnknownParameter(f"{resource_type} has no search parameter {plain}")
        if dot:
            return self._chain(parameter, modifier, rest, value, steps)
        return self._condition(resource_type, parameter, modifier, value)

    def _has(self, resource_type: str, name: str, value: str, steps: int) -> Has:
        parts = name.split(":", 3)
        if len(parts) < 4 or not parts[3]:
            raise TermError("reverse chaining is _has:Type:reference:parameter")
        _, source, reference, rest = parts
        if source not in RESOURCE_TYPES:
            raise TermError(f"R4 has no resource type {source}")
        parameter = self.parameters[source].get(reference)
        if parameter is None or parameter.kind != "reference":
            raise UnknownParameter(f"{source} has no reference parameter {reference}")
        if parameter.targets and resource_type not in parameter.targets:
            raise TermError(f"{source}:{reference} does not refer to {resource_type}")
        return Has(source, parameter, self.filter(source, rest, value, steps + 1))

    def _list(self, resource_type: str, value: str, steps: int) -> Has | Formula:
        if value.startswith("$"):
            return self._current(resource_type, value)
        item = self.parameters["List"]["item"]
        return Has("List", item, self.filter("List", "_id", value, steps + 1))

    def _current(self, resource_type: str, name: str) -> Formula:
        """One of the lists that nobody keeps: what is so now.

        (http://hl7.org/fhir/R4/lifecycle.html#current)
        """
        of_types = CURRENT_LISTS.get(name)
        if of_types is None:
            raise TermError(f"the lists that are worked out are {', '.join(CURRENT_LISTS)}")
        asked = of_types.get(resource_type)
        if asked is None:
            raise Unsupported(f"{name} is a list of {', '.join(of_types)}, not of {resource_type}")
        parts = (self.filter(resource_type, *each) for each in asked)
        return Formula("and", tuple(parts))

    def targets(self, parameter: Parameter, target: str, rest: str) -> tuple[str, ...]:
        """The types that a step of a chain leads to, when it says `target` ("" for none).

        `rest` is what follows, for words about it. Raises `TermError`.
        """
        if parameter.kind != "reference":
            raise TermError(f"{parameter.name} is no reference, and leads to no resource")
        if target and target not in (parameter.targets or RESOURCE_TYPES):
            raise TermError(f"the parameter refers to {', '.join(parameter.targets)}")
        targets = (target,) if target else parameter.targets
        if not 0 < len(targets) <= MOST_TARGETS:
            raise TermError(f"say of which type it is: {parameter.name}:Patient{rest}")
        return targets

    def _chain(
        self, parameter: Parameter, modifier: str, rest: str, value: str, steps: int
    ) -> Chain:
        targets = self.targets(parameter, modifier, f".{rest}")
        within: list[tuple[str, Filter]] = []
        problems: list[UnknownParameter] = []
        for target in targets:
            try:
                within.append((target, self.filter(target, rest, value, steps + 1)))
            except UnknownParameter as problem:
                problems.append(problem)
        if not within:
            raise problems[0]
        return Chain(parameter, tuple(within))

    def _condition(
        self, query_type: str, parameter: Parameter, modifier: str, value: str
    ) -> Condition:
        name, kind = parameter.name, parameter.kind
        if kind == "reference" and modifier in RESOURCE_TYPES:
            if parameter.targets and modifier not in parameter.targets:
                raise TermError(f"the parameter refers to {', '.join(parameter.targets)}")
            found = [
                search_terms.reference(part, (modifier,), self.base)
                for part in _alternatives(value)
            ]
            named = tuple(search_terms.typed(term, modifier) for term in found)
            return Condition(name, kind, parameter, named)
        allowed = MODIFIERS.get(kind, _ONLY_MISSING) if name not in _FULL_TEXT else frozenset()
        if name not in PARAMETERS[query_type] and modifier in _OF_R4:
            raise Unsupported(f"{name} was added here; :{modifier} is for R4's own parameters")
        if modifier and modifier not in allowed:
            raise Unsupported(f"{name}: the modifier :{modifier} is not supported")
        if modifier == "missing":
            if value not in ("true", "false"):
                raise TermError(":missing is true or false")
            return Condition(name, kind, parameter, (), "missing", value == "true")
        if kind == "token" and modifier:
            return self._modified_token(query_type, parameter, modifier, value)
        if modifier == "identifier":
            named_by = tuple(search_terms.token(part) for part in _alternatives(value))
            return Condition(f"{name}:identifier", "token", parameter, named_by)
        terms = tuple(self._term(query_type, parameter, kind, t) for t in _alternatives(value))
        return Condition(name, kind, parameter, terms, modifier or None)

    def _modified_token(
        self, query_type: str, parameter: Parameter, modifier: str, value: str
    ) -> Condition:
        name, parts = parameter.name, _alternatives(value)
        terms: list[Term]
        if modifier == "text":
            terms = [search_terms.string(part) for part in parts]
        elif modifier in ("in", "not-in"):
            terms = [search_terms.uri(part) for part in parts]
        elif modifier == "of-type":
            terms = [search_terms.typed_identifier(part) for part in parts]
            return Condition(f"{name}:of-type", "token", parameter, tuple(terms))
        else:
            terms = [self._token(query_type, name, part) for part in parts]
        if modifier in ("above", "below"):
            for term in terms:
                if not isinstance(term, TokenTerm) or not term.system or not term.code:
                    raise TermError(f":{modifier} needs the code with its system: system|code")
        return Condition(name, "token", parameter, tuple(terms), modifier)

    def _token(self, query_type: str, name: str, text: str) -> TokenTerm:
        term = search_terms.token(text)
        if term.code and term.system:
            known = PARAMETERS[query_type].get(name)
            if known and term.system in implied_systems(query_type, name):
                return TokenTerm(None, term.code)
        return term

    def _term(self, query_type: str, parameter: Parameter, kind: str, text: str) -> Term:
        match kind:
            case "composite":
                return self._composite(query_type, parameter, text)
            case "reference":
                return search_terms.reference(text, parameter.targets, self.base)
            case "date":
                return search_terms.date(text, self.now)
            case "token":
                return self._token(query_type, parameter.name, text)
            case "number":
                return search_terms.number(text)
            case "quantity":
                return search_terms.quantity(text)
            case "uri":
                return search_terms.uri(text)
            case "special":
                return search_terms.near(text)
        return search_terms.string(text)

    def _composite(self, query_type: str, parameter: Parameter, text: str) -> CompositeTerm:
        parts = search_terms.split(text, "$")
        if len(parts) != len(parameter.components):
            names = "$".join(component.parameter for component in parameter.components)
            raise TermError(f"a value is {names}")
        known = self.parameters[query_type]
        return CompositeTerm(
            tuple(
                self._term(query_type, known[component.parameter], component.kind, part)
                for component, part in zip(parameter.components, parts, strict=True)
            )
        )


def _alternatives(value: str) -> list[str]:
    parts = [part for part in search_terms.split(value, ",") if part.strip()]
    if not parts:
        raise TermError("a value is missing")
    if len(parts) > MOST_ALTERNATIVES:
        raise TermError(f"at most {MOST_ALTERNATIVES} alternatives are answered at once")
    return parts
