"""The short form in which professionals write forms and scores: questions, points, sums, bands.

[[item]]
key = "alertness"
text = "Årvåkenhet"
options = [[0, "Normal"], [4, "Klart unormal"]]     # points and text

[[total]]
text = "Samlet skår"
code = "loinc:00000-0 Name of the score"
bands = [[0, "Lite sannsynlig", "Ingen tiltak"], [4, "Mulig delirium", "Finn årsaken", "high"]]
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from helsevev.content.packs.item import Change
from helsevev.content.shapes import Document, Shape, unique

VITAL_SIGNS: Final = frozenset({
    "8867-4", "9279-1", "8310-5", "2708-6", "59408-5", "85354-9", "8480-6", "8462-4", "29463-7",
    "8302-2", "39156-5", "9843-4",
})  # fmt: skip
"""LOINC codes that R4 calls vital signs (http://hl7.org/fhir/R4/observation-vitalsigns.html)."""

KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
TYPES: Final = frozenset({
    "group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string",
    "text", "url", "choice", "open-choice", "attachment", "reference", "quantity",
})  # fmt: skip
SEVERITIES: Final = ("none", "low", "medium", "high")
OPERATORS: Final = {
    "is": "=", "is_not": "!=", "above": ">", "below": "<", "at_least": ">=", "at_most": "<=",
}  # fmt: skip


class Choice(Shape, frozen=True, kw_only=True):
    """One answer that can be chosen. `code` is "system:code display", "" makes its own."""

    text: str
    points: Decimal | None = None
    code: str = ""
    alone: bool = False

    @classmethod
    def read(cls, said: Any) -> Choice:
        """From "text", [points, "text"], [points, "text", "code"] or a table."""
        if isinstance(said, str):
            return cls(text=said)
        if isinstance(said, list) and 2 <= len(said) <= 3 and isinstance(said[1], str):
            points = said[0]
            if type(points) is int or isinstance(points, Decimal):
                code = str(said[2]) if len(said) > 2 else ""
                return cls(text=said[1], points=Decimal(points), code=code)
        if isinstance(said, dict) and isinstance(said.get("text"), str):
            unknown = set(said) - {"text", "points", "code", "alone"}
            if not unknown:
                points = said.get("points")
                return cls(
                    text=said["text"],
                    points=None if points is None else Decimal(points),
                    code=str(said.get("code", "")),
                    alone=said.get("alone") is True,
                )
        raise ValueError(f"an option is [points, text], text or a table, not {said!r}")


class When(Shape, frozen=True, kw_only=True):
    """When a question is asked: another one's answer. Options are said by their code or text."""

    item: str
    answered: bool | None = None
    is_: Any = msgspec.field(default=None, name="is")
    is_not: Any = None
    above: Decimal | None = None
    below: Decimal | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a condition that says nothing, or two things."""
        if len(self.said()) != 1:
            raise ValueError(f"when {self.item}: say one of answered, {', '.join(OPERATORS)}")

    def said(self) -> list[tuple[str, Any]]:
        """The operator of FHIR and what it compares with."""
        found: list[tuple[str, Any]] = []
        if self.answered is not None:
            found.append(("exists", self.answered))
        for name, operator in OPERATORS.items():
            value = getattr(self, "is_" if name == "is" else name)
            if value is not None:
                found.append((operator, value))
        return found


class Question(Shape, frozen=True, kw_only=True):
    """One question, group or text. What is not said is left out of the form.

    `steps` give points for a number: [[8, 3], [11, 1], [0]] is 3 up to 8, 1 up to 11, else 0.
    `calculate` is FHIRPath in which `%other_key` is another question's answer.
    """

    key: str
    text: str = ""
    type: str = ""
    help: str = ""
    hint: str = ""
    short: str = ""
    options: tuple[Any, ...] = ()
    scale: str = ""
    code: str = ""
    unit: str = ""
    # A number, or a date as its text.
    low: Any = None
    high: Any = None
    decimals: int | None = None
    longest: int | None = None
    steps: tuple[tuple[Decimal, ...], ...] = ()
    required: bool | None = None
    repeats: bool = False
    hidden: bool = False
    control: str = ""
    when: tuple[When, ...] = ()
    when_any: bool = False
    when_true: str = ""
    calculate: str = ""
    points: bool | None = None
    prefill: str = ""
    prefill_within: str = ""
    initial: Any = None
    store: bool | None = None
    # The stored Observation has the points as its number, not the answer as its code.
    store_points: bool = False
    category: str = ""
    to: tuple[str, ...] = ()
    rule: str = ""
    rule_text: str = ""
    warn: bool = False
    item: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        """Refuse keys that expressions cannot name, unknown types, and steps that do not rise."""
        if not KEY.fullmatch(self.key):
            raise ValueError(f"{self.key}: a key is small letters, digits and _")
        if self.type and self.type not in TYPES:
            raise ValueError(f"{self.key}: {self.type} is none of {', '.join(sorted(TYPES))}")
        ends = [step[0] for step in self.steps[:-1]]
        if self.steps and (
            ends != sorted(set(ends))
            or any(len(step) != 2 for step in self.steps[:-1])
            or len(self.steps[-1]) != 1
        ):
            raise ValueError(f"{self.key}: steps rise, and the last is the points above them")
        for each in self.options:
            Choice.read(each)

    @property
    def kind(self) -> str:
        """Its type: what is not said follows from what it has."""
        if self.type:
            return self.type
        if self.item:
            return "group"
        if self.options or self.scale:
            return "choice"
        return "quantity" if self.unit else "display" if not self.calculate else "decimal"


class Band(Shape, frozen=True, kw_only=True):
    """What a sum from `low` to `high` means, and what to do."""

    low: Decimal | None = None
    high: Decimal | None = None
    label: str
    do: str = ""
    severity: str = "none"


class Total(Shape, frozen=True, kw_only=True):
    """A sum of points, or a FHIRPath of its own.

    `of` are the questions that count ("" all with points); it is told when all of them that are
    asked are answered, or `at_least` so many. `bands` are [from, label, do, severity], rising,
    each until the next.
    """

    key: str = "total"
    text: str = "Sum"
    help: str = ""
    code: str = ""
    unit: str = "{score}"
    of: tuple[str, ...] = ()
    at_least: int | None = None
    calculate: str = ""
    decimals: int | None = None
    bands: tuple[tuple[Any, ...], ...] = ()
    store: bool = True

    def read_bands(self) -> tuple[Band, ...]:
        """The bands with both their ends; a band ends before the next begins.

        ValueError when they do not rise, or are not as they should be written.
        """
        step = Decimal(1).scaleb(-(self.decimals or 0))
        found: list[Band] = []
        for place, said in enumerate(self.bands):
            low, label, *rest = said
            do, severity = [*rest, "", "none"][:2] if len(rest) < 2 else rest[:2]
            if len(rest) == 1:
                severity = "none"
            if severity not in SEVERITIES:
                raise ValueError(f"{self.key}: {severity!r} is none of {', '.join(SEVERITIES)}")
            after = self.bands[place + 1][0] if place + 1 < len(self.bands) else None
            if after is not None and Decimal(after) <= Decimal(low):
                raise ValueError(f"{self.key}: bands rise")
            high = None if after is None else Decimal(after) - step
            found.append(
                Band(low=Decimal(low), high=high, label=str(label), do=str(do), severity=severity)
            )
        return tuple(found)


class FormCase(Shape, frozen=True, kw_only=True):
    """One worked example: answers by key (an option by its points, code or text), what follows.

    `expect` are values by key, `unanswered` what has none; `bands` are the labels of bands by
    key, `band` that of `total`; `hidden` is what is not asked. `known` is what the record knows:
    `age`, `months`, `patient`.
    """

    name: str
    answers: dict[str, Any]
    expect: dict[str, Any] = msgspec.field(default_factory=dict)
    unanswered: tuple[str, ...] = ()
    band: str = ""
    bands: dict[str, str] = msgspec.field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    known: dict[str, Any] = msgspec.field(default_factory=dict)
    source: str = ""

    def as_tried(self) -> dict[str, Any]:
        """It as `helsevev.fhir.questionnaire.trying.try_case` takes it, but for the answers."""
        total = {"total": self.band} if self.band else {}
        return {
            "expect": {**self.expect, **dict.fromkeys(self.unanswered)},
            "bands": {**total, **self.bands},
            "hidden": self.hidden,
            "known": self.known,
        }


class ShortForm(Document, frozen=True, kw_only=True):
    """A form or score as it is written; it becomes a Questionnaire."""

    owner: str = ""
    status: str = "draft"
    effective_from: date | None = None
    effective_to: date | None = None
    changelog: tuple[Change, ...] = ()
    about: str = ""
    professions: tuple[str, ...] = ()
    code: str = ""
    scales: dict[str, tuple[Any, ...]] = msgspec.field(default_factory=dict)
    item: tuple[Question, ...]
    total: tuple[Total, ...] = ()
    case: tuple[FormCase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse keys that occur twice, scales and keys that are not there, and odd bands."""
        super().__post_init__()
        questions = list(self.questions())
        keys = [each.key for each in questions] + [each.key for each in self.total]
        unique("key", keys)
        for each in questions:
            if each.scale and each.scale not in self.scales:
                raise ValueError(f"{each.key}: there is no scale {each.scale!r}")
            for when in each.when:
                if when.item not in keys:
                    raise ValueError(f"{each.key}: depends on {when.item!r}, which is not there")
        for total in self.total:
            total.read_bands()
            if missing := set(total.of) - set(keys):
                raise ValueError(f"{total.key}: sums {', '.join(sorted(missing))}: not there")

    def questions(self) -> list[Question]:
        """All its questions, those in groups too, in order."""
        found: list[Question] = []
        waiting = list(self.item)
        while waiting:
            each = waiting.pop(0)
            found.append(each)
            waiting[:0] = each.item
        return found

    def choices(self, question: Question) -> tuple[Choice, ...]:
        """The options of a question, its own or its scale's."""
        said = question.options or self.scales.get(question.scale, ())
        return tuple(Choice.read(each) for each in said)
