"""The shape of the rules that find unusual reads, with their cases."""

from __future__ import annotations

from .shapes import Document, Shape, unique


class ReadFacts(Shape, frozen=True, kw_only=True):
    """What is known of one person's reads in one record on one day; "" and 0 are unknown.

    Addresses are `street number, postal code`; hours are those of the day, 0 to 23.
    """

    reader_number: str = ""
    patient_number: str = ""
    reader_family: str = ""
    patient_family: str = ""
    reader_address: str = ""
    patient_address: str = ""
    is_colleague: bool = False
    is_well_known: bool = False
    is_emergency: bool = False
    days_without_relation: int = 0
    days_unconfirmed: int = 0
    days_since_end: int = 0
    records_today: int = 0
    records_usual: float = 0
    hour: int = 12
    usual_hours: tuple[int, ...] = ()
    days_known: int = 0


class RuleCase(Shape, frozen=True, kw_only=True):
    """Facts, and whether the rule is to find them unusual."""

    name: str
    facts: ReadFacts
    found: bool


class UnusualRule(Shape, frozen=True, kw_only=True):
    """What counts as unusual: its words, the number it measures against, days to settle it."""

    code: str
    title: str
    words: str
    due_days: int
    threshold: float = 0
    case: tuple[RuleCase, ...]


class UnusualReads(Document, frozen=True, kw_only=True):
    """Every published rule, and the family names (lower case) that so many share."""

    common_names: tuple[str, ...]
    rule: tuple[UnusualRule, ...]

    def __post_init__(self) -> None:
        """Refuse a rule that occurs twice, and one without cases of both kinds."""
        super().__post_init__()
        unique("rule", (each.code for each in self.rule))
        for each in self.rule:
            if {case.found for case in each.case} != {True, False}:
                raise ValueError(f"rule {each.code!r} needs a case that is found and one not")
