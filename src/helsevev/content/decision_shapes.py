"""What the content of decision support must contain: rules of each check, with level and source."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from .shapes import Document, Shape, unique

Level = Literal["stop", "interrupt", "quiet"]
Atc = tuple[str, ...]


class CheckRule(Shape, frozen=True, kw_only=True):
    """One rule: for which medicines (ATC codes or their beginnings), how loud, what it says, why.

    `unless` are beginnings of codes that the rule leaves out.
    """

    id: str
    atc: Atc
    level: Level
    title: str
    text: str
    source: str
    unless: Atc = ()

    def __post_init__(self) -> None:
        """Refuse a rule for no medicine, and one without a source."""
        if not self.atc or not self.source:
            raise ValueError(f"{self.id}: needs medicines and a source")

    def is_about(self, codes: Sequence[str]) -> bool:
        """Whether one of the codes is what the rule is for, or below it."""
        return any(code.startswith(self.atc) and not code.startswith(self.unless or ("-",))
                   for code in codes)  # fmt: skip


class AgedRule(CheckRule, frozen=True, kw_only=True):
    """A rule for those from an age and up to (not including) another, in months of life."""

    from_months: int = 0
    to_months: int | None = None

    def holds_at(self, months: int) -> bool:
        """Whether the rule is for somebody of this age."""
        return self.from_months <= months and (self.to_months is None or months < self.to_months)


class DoseRule(AgedRule, frozen=True, kw_only=True):
    """The highest dose: in `unit` each time and in 24 hours, or for each kilogram.

    From `stop_at` times the highest the order is stopped. Below `lowest_daily` it is told quietly.
    """

    unit: Literal["mg", "IU"] = "mg"
    single: Decimal | None = None
    daily: Decimal | None = None
    single_per_kg: Decimal | None = None
    daily_per_kg: Decimal | None = None
    lowest_daily: Decimal | None = None
    stop_at: Decimal = Decimal(2)

    def __post_init__(self) -> None:
        """Refuse a rule without any limit."""
        super().__post_init__()
        limits = (self.single, self.daily, self.single_per_kg, self.daily_per_kg)
        if all(limit is None for limit in limits):
            raise ValueError(f"{self.id}: needs a limit")

    @property
    def needs_weight(self) -> bool:
        """Whether a limit is for each kilogram."""
        return self.single_per_kg is not None or self.daily_per_kg is not None


class KidneyRule(CheckRule, frozen=True, kw_only=True):
    """What holds below a kidney function (eGFR, ml/min/1,73 m²): `daily` at most, or nothing."""

    below: Decimal
    daily: Decimal | None = None
    unit: Literal["mg", "IU"] = "mg"


class PregnancyRule(CheckRule, frozen=True, kw_only=True):
    """What not to give to whom is pregnant, from a week and up to (not including) another."""

    from_week: int = 0
    to_week: int = 45


class IntervalRule(CheckRule, frozen=True, kw_only=True):
    """The fewest hours between two doses of `from_single` to (not including) `below_single` mg."""

    hours: Decimal
    from_single: Decimal | None = None
    below_single: Decimal | None = None

    def is_for(self, single: Decimal | None) -> bool:
        """Whether the rule is for a dose of this size; for one of unknown size it is."""
        if single is None:
            return True
        return (self.from_single is None or single >= self.from_single) and (
            self.below_single is None or single < self.below_single
        )


class InteractionRule(Shape, frozen=True, kw_only=True):
    """Two groups of medicines that affect each other; `relevance` as in FEST: 1, 2 or 3.

    1: should be avoided; 2: precautions; 3: no measure. `level` stands in for that of the
    relevance.
    """

    id: str
    first: Atc
    second: Atc
    relevance: Literal[1, 2, 3]
    consequence: str
    handling: str
    source: str
    level: Level | None = None
    unless: Atc = ()


class ConditionRule(CheckRule, frozen=True, kw_only=True):
    """What not to give with a problem, by beginnings of its codes."""

    icd10: tuple[str, ...] = ()
    icpc2: tuple[str, ...] = ()


class DuplicateRule(CheckRule, frozen=True, kw_only=True):
    """A group of which one at a time is used; `but_together` are pairs that go together."""

    but_together: tuple[tuple[str, str], ...] = ()


class AllergyGroup(Shape, frozen=True, kw_only=True):
    """An allergy to a group of substances: how it is written, and what it holds for.

    `words` are beginnings of words in an allergy's text, `codes` its codes in other systems than
    ATC, `atc` its own medicines.
    """

    id: str
    name: str
    atc: Atc
    words: tuple[str, ...]
    codes: tuple[str, ...] = ()


class CrossAllergy(Shape, frozen=True, kw_only=True):
    """Medicines that who is allergic to a group may react to as well."""

    id: str
    group: str
    atc: Atc
    level: Level
    text: str
    source: str
    unless: Atc = ()


class Contains(Shape, frozen=True, kw_only=True):
    """What a product of several substances is made of, by the codes of each alone.

    `words` are what the name of each begins with, in the same order, where their amounts are told.
    """

    atc: str
    parts: Atc
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse words that are not one for each part."""
        if self.words and len(self.words) != len(self.parts):
            raise ValueError(f"{self.atc}: one word for each part")


class OverrideReason(Shape, frozen=True, kw_only=True):
    """Why somebody orders in spite of a card."""

    code: str
    label: str


class Facts(Document, frozen=True, kw_only=True):
    """Which measurements and codes tell about the patient, and for how long they are believed."""

    weight: tuple[str, ...]
    egfr: tuple[str, ...]
    creatinine: tuple[str, ...]
    pregnancy_status: tuple[str, ...]
    pregnant: tuple[str, ...]
    not_pregnant: tuple[str, ...]
    pregnancy_week: tuple[str, ...]
    breast_feeding_status: tuple[str, ...]
    breast_feeding: tuple[str, ...]
    not_breast_feeding: tuple[str, ...]
    pregnancy_icd10: tuple[str, ...]
    pregnancy_icpc2: tuple[str, ...]
    no_known_allergy: tuple[str, ...]
    kidney_days: int
    weight_days_adult: int
    weight_days_child: int
    pregnancy_days: int
    fertile_from_months: int
    fertile_to_months: int


class Levels(Document, frozen=True, kw_only=True):
    """How loud each relevance is, reasons to go on, and when a rule goes to review."""

    relevance_1: Level
    relevance_2: Level
    allergy_high: Level
    allergy_low: Level
    same_substance: Level
    same_substance_together: Atc
    as_needed_without_maximum: Level
    lowest_acceptance: Decimal
    review_days: int
    fewest_shown: int
    reason: tuple[OverrideReason, ...]


class Interactions(Document, frozen=True, kw_only=True):
    """Interactions between medicines."""

    interaction: tuple[InteractionRule, ...]

    def __post_init__(self) -> None:
        """Refuse one id for two."""
        super().__post_init__()
        unique("interaction", (each.id for each in self.interaction))


class Allergies(Document, frozen=True, kw_only=True):
    """Groups of allergies, and what crosses."""

    group: tuple[AllergyGroup, ...]
    cross: tuple[CrossAllergy, ...]

    def __post_init__(self) -> None:
        """Refuse one id for two, and a crossing from a group that is not there."""
        super().__post_init__()
        unique("group", (each.id for each in self.group))
        unique("cross", (each.id for each in self.cross))
        there = {each.id for each in self.group}
        for each in self.cross:
            if each.group not in there:
                raise ValueError(f"{each.id}: there is no group {each.group}")


class Duplicates(Document, frozen=True, kw_only=True):
    """Groups of which one at a time is used, and what products are made of."""

    duplicate: tuple[DuplicateRule, ...]
    contains: tuple[Contains, ...]


class Doses(Document, frozen=True, kw_only=True):
    """Highest doses, medicines not for an age, and doses by kidney function."""

    dose: tuple[DoseRule, ...]
    age: tuple[AgedRule, ...]
    kidney: tuple[KidneyRule, ...]


class Contraindications(Document, frozen=True, kw_only=True):
    """What not to give in pregnancy, while breast-feeding, and with some problems."""

    pregnancy: tuple[PregnancyRule, ...]
    breast_feeding: tuple[CheckRule, ...]
    condition: tuple[ConditionRule, ...]


class Intervals(Document, frozen=True, kw_only=True):
    """The fewest hours between doses."""

    interval: tuple[IntervalRule, ...]


FILES: dict[str, type[Document]] = {
    "decision_support/levels.toml": Levels,
    "decision_support/facts.toml": Facts,
    "decision_support/interactions.toml": Interactions,
    "decision_support/allergies.toml": Allergies,
    "decision_support/duplicates.toml": Duplicates,
    "decision_support/doses.toml": Doses,
    "decision_support/contraindications.toml": Contraindications,
    "decision_support/intervals.toml": Intervals,
}
"""The files, and the shape of each."""
