"""What each kind of content must contain; a file that does not fit its shape is refused at load."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec


class ContentError(ValueError):
    """A content file is not what it should be; the message says which file, where and why."""


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every piece of content: unknown fields are refused, so a misspelled one is found."""


class Document(Shape, frozen=True, kw_only=True):
    """A file of content: whose it is, which edition, where it comes from, whether it is approved.

    `status` is `draft` until a professional group has approved it.
    """

    title: str
    owner: str
    version: str
    status: str
    source: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse an unknown status and content without a source."""
        if self.status not in ("draft", "approved"):
            raise ValueError(f"status must be draft or approved, not {self.status!r}")
        if not self.source:
            raise ValueError("content must name its source")


class NormalRange(Shape, frozen=True, kw_only=True):
    """What is normal from an age up to (not including) another, in months, for one `sex` or all."""

    from_months: int = 0
    to_months: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    sex: str = ""

    def holds_at(self, months: int, sex: str = "") -> bool:
        """Whether the range is for somebody of this age and sex."""
        to_months = months + 1 if self.to_months is None else self.to_months
        return self.from_months <= months < to_months and self.sex in ("", sex)


class Measured(Shape, frozen=True, kw_only=True):
    """One number that can be read off: its code, its unit, and how far it can go.

    A value outside `lowest`–`highest` is refused: it is a mistake of typing, not a finding.
    """

    key: str
    loinc: str
    display: str
    label: str
    short: str
    unit: str
    ucum: str
    decimals: int
    lowest: Decimal
    highest: Decimal
    refused: str
    normal: tuple[NormalRange, ...] = ()

    def __post_init__(self) -> None:
        """Refuse limits the wrong way round, and normal ranges outside them or overlapping."""
        if self.lowest >= self.highest:
            raise ValueError(f"{self.key}: lowest must be under highest")
        covered: dict[str, int] = {}
        for each in self.normal:
            if each.from_months < max(covered.get(each.sex, 0), covered.get("", 0)):
                raise ValueError(f"{self.key}: normal ranges overlap at {each.from_months} months")
            covered[each.sex] = each.to_months if each.to_months is not None else 10_000
            for limit in (each.low, each.high):
                if limit is not None and not self.lowest <= limit <= self.highest:
                    raise ValueError(f"{self.key}: normal limit {limit} is not plausible")

    def is_plausible(self, value: Decimal) -> bool:
        """Whether the value can be true of a living person."""
        return self.lowest <= value <= self.highest

    def normal_at(self, months: int, sex: str = "") -> NormalRange | None:
        """The normal range at an age in months, None when the content has none for who it is."""
        return next((each for each in self.normal if each.holds_at(months, sex)), None)


class VitalSign(Shape, frozen=True, kw_only=True):
    """One row of the form: a single measurement, or a panel (`loinc`) of several."""

    key: str
    label: str
    short: str
    parts: tuple[Measured, ...]
    loinc: str | None = None
    display: str | None = None

    def __post_init__(self) -> None:
        """Refuse a row without a measurement, and a panel of several without its own code."""
        if not self.parts or (len(self.parts) > 1 and self.loinc is None):
            raise ValueError(f"{self.key}: needs one measurement, or a panel code and several")


class VitalSigns(Document, frozen=True, kw_only=True):
    """The vital signs that the form offers, in the order they are shown."""

    sign: tuple[VitalSign, ...]

    def __post_init__(self) -> None:
        """Refuse a key or a code that occurs twice."""
        super().__post_init__()
        unique("sign", (each.key for each in self.sign))
        unique("part", (part.key for each in self.sign for part in each.parts))
        unique("loinc", (part.loinc for each in self.sign for part in each.parts))

    def part(self, loinc: str) -> Measured | None:
        """The measurement with this LOINC code, None when the form does not offer it."""
        found = (part for each in self.sign for part in each.parts if part.loinc == loinc)
        return next(found, None)


class Result(Shape, frozen=True, kw_only=True):
    """One analysis as the chart names it, and every code it can arrive with."""

    label: str
    nlk: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    unit: str = ""


class ResultGroup(Shape, frozen=True, kw_only=True):
    """Analyses that are read together, in order."""

    key: str
    label: str
    result: tuple[Result, ...]


class Results(Document, frozen=True, kw_only=True):
    """Laboratory analyses, grouped."""

    group: tuple[ResultGroup, ...]

    def __post_init__(self) -> None:
        """Refuse a code that stands in two places."""
        super().__post_init__()
        every = [each for group in self.group for each in group.result]
        unique("group", (group.key for group in self.group))
        unique("nlk", (code for each in every for code in each.nlk))
        unique("loinc", (code for each in every for code in each.loinc))


class NoteType(Shape, frozen=True, kw_only=True):
    """One type of note: its code in Volven 9602, who writes it, and the headings it opens with."""

    key: str
    label: str
    code: str
    display: str
    professions: tuple[str, ...]
    sections: tuple[str, ...] = ()
    loinc: str | None = None


class NoteTypes(Document, frozen=True, kw_only=True):
    """The types of note; what people in the roles `cosigned` write holds when another signs too."""

    system: str
    cosigned: tuple[str, ...] = ()
    type: tuple[NoteType, ...]

    def __post_init__(self) -> None:
        """Refuse a key that occurs twice."""
        super().__post_init__()
        unique("type", (each.key for each in self.type))

    def for_profession(self, profession: str) -> tuple[NoteType, ...]:
        """The types this profession writes, in order."""
        return tuple(each for each in self.type if profession in each.professions)


class Ground(Shape, frozen=True, kw_only=True):
    """One reason to open a record; `text_required` asks for the reader's own words as well.

    `relation` says that somebody treats the person now, which opens the record as such.
    """

    code: str
    label: str
    explanation: str
    purpose: str
    text_required: bool
    emergency: bool = False
    relation: bool = False


class Grounds(Document, frozen=True, kw_only=True):
    """Grounds that a reader may choose when no treatment relation opens the record."""

    system: str
    ground: tuple[Ground, ...]

    def __post_init__(self) -> None:
        """Refuse a code that occurs twice."""
        super().__post_init__()
        unique("ground", (each.code for each in self.ground))


class Professions(Document, frozen=True, kw_only=True):
    """What a member of staff works as: by the code of the approval, or by the role's own name.

    `leaders` are the roles of those who lead a unit.
    """

    system: str
    leaders: tuple[str, ...]
    approval: dict[str, str]
    role: dict[str, str]
    group: dict[str, tuple[str, ...]]
    position: dict[str, str]


class LabelSet(Shape, frozen=True, kw_only=True):
    """Bokmål for the codes of one system."""

    name: str
    system: str
    label: dict[str, str]


class DisplayLabels(Document, frozen=True, kw_only=True):
    """Bokmål for the codes that screens show."""

    set: tuple[LabelSet, ...]

    def __post_init__(self) -> None:
        """Refuse a system that occurs twice."""
        super().__post_init__()
        unique("set", (each.name for each in self.set))
        unique("system", (each.system for each in self.set))

    def label(self, system: str, code: str) -> str | None:
        """What a code is called, None when the content does not say."""
        for each in self.set:
            if each.system == system:
                return each.label.get(code)
        return None


class TopicTrigger(Shape, frozen=True, kw_only=True):
    """A change that is an event: searches that the versions before and after it fit."""

    resource: str
    verbs: tuple[str, ...]
    previous: str = ""
    current: str = ""

    def __post_init__(self) -> None:
        """Refuse a verb that is none."""
        if unknown := set(self.verbs) - {"create", "update", "delete"}:
            raise ValueError(f"{', '.join(sorted(unknown))} is no verb of a change")


class SubscriptionTopic(Shape, frozen=True, kw_only=True):
    """What can be subscribed to, and by which search parameters it can be narrowed."""

    code: str
    title: str
    trigger: tuple[TopicTrigger, ...]
    filter: dict[str, tuple[str, ...]]


class SubscriptionTopics(Document, frozen=True, kw_only=True):
    """Every topic that systems can subscribe to."""

    topic: tuple[SubscriptionTopic, ...]

    def __post_init__(self) -> None:
        """Refuse a topic that occurs twice."""
        super().__post_init__()
        unique("topic", (each.code for each in self.topic))


class PersonMatching(Document, frozen=True, kw_only=True):
    """What likeness and difference count for, and which sums mean what."""

    zero: float
    certain: float
    probable: float
    possible: float
    same: dict[str, float]
    near: dict[str, float]
    different: dict[str, float]


def unique(what: str, values: Iterable[str]) -> None:
    """Refuse a value that occurs twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value!r} occurs twice")
        seen.add(value)
