"""A form as it is worked with: its items with what they ask, compiled once for any answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from helsevev.fhir.questionnaire.expressions import Expression


@dataclass(frozen=True, slots=True)
class Lost:
    """Something of a form that is not done: where (linkId, "" the form), what asks, what is lost.

    `url` is the extension's address, or the name of what could not be read.
    """

    link_id: str
    url: str
    what: str


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen; `value` has one key as in R4: {"valueCoding": {…}}."""

    value: Mapping[str, Any]
    label: str
    weight: Decimal | int | None = None
    exclusive: bool = False
    initial: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: an answer of another question, compared by an operator of R4."""

    question: str
    operator: str
    answer: Any


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule that answers must hold to; `severity` is error or warning, `human` what to say."""

    key: str
    severity: str
    human: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Band:
    """What a score from `low` to `high` (both included, None open) means and asks for.

    `severity` is none, low, medium or high: how much it should stand out.
    """

    low: Decimal | int | None
    high: Decimal | int | None
    label: str
    action: str
    severity: str

    def holds(self, value: Decimal | int) -> bool:
        """Whether a score lies in it."""
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an answer: numbers, dates (as their text), or quantities, as the form has them."""

    low: Any = None
    high: Any = None
    decimals: int | None = None
    shortest: int | None = None
    longest: int | None = None
    pattern: str = ""
    fewest: int | None = None
    most: int | None = None
    max_size: Decimal | int | None = None
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """How an item is shown: the control it asks for, helping texts, hidden or not."""

    control: str = ""
    help: str = ""
    hint: str = ""
    short: str = ""
    hidden: bool = False
    orientation: str = ""
    slider_step: int | None = None
    open_label: str = ""
    disabled: str = "hidden"


@dataclass(frozen=True, slots=True)
class Rules:
    """What of an item is worked out: by which conditions and expressions."""

    conditions: tuple[Condition, ...] = ()
    any_condition: bool = False
    enable: Expression | None = None
    calculated: Expression | None = None
    initial: Expression | None = None
    context: Expression | None = None
    answers: Expression | None = None
    constraints: tuple[Constraint, ...] = ()
    variables: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One question, group or text, as R4 has it; `raw` is the Questionnaire.item itself."""

    link_id: str
    text: str
    type: str
    raw: Mapping[str, Any]
    prefix: str = ""
    definition: str = ""
    codes: tuple[Mapping[str, Any], ...] = ()
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    options: tuple[Option, ...] = ()
    value_set: str = ""
    initial: tuple[Mapping[str, Any], ...] = ()
    units: tuple[Mapping[str, Any], ...] = ()
    targets: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    look: Look = field(default_factory=Look)
    rules: Rules = field(default_factory=Rules)
    bands: tuple[Band, ...] = ()
    items: tuple[Item, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it takes an answer: it is neither a group nor a text."""
        return self.type not in ("group", "display")

    @property
    def is_calculated(self) -> bool:
        """Whether its answer is worked out from others."""
        return self.rules.calculated is not None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A form, ready for answers. `unsupported` names what of it is not done.

    `reads` says which items' answers each calculation rests on, None when that cannot be told.
    """

    url: str
    version: str
    title: str
    questionnaire: Mapping[str, Any]
    items: tuple[Item, ...]
    by_link: Mapping[str, Item]
    variables: tuple[Expression, ...]
    constraints: tuple[Constraint, ...]
    launch: tuple[str, ...]
    weights: Mapping[str, Mapping[tuple[str, str], Decimal | int]]
    unsupported: tuple[Lost, ...]
    reads: Mapping[str, frozenset[str] | None]

    @property
    def canonical(self) -> str:
        """How an answer names it: its address and version."""
        return f"{self.url}|{self.version}" if self.version else self.url
