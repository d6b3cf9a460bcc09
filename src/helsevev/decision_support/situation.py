"""What the checks are handed: the patient's facts, the medicines in use and the order being made.

An adviser opens no record: whoever asks has read these, and says by None what nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct


class Dosing(Struct, frozen=True):
    """One way of dosing, in `unit` ("mg", "IU", …; "" when the amount is no known measure).

    `single` is the amount each time and `daily` the most in 24 hours as ordered; `hours` the
    fewest hours between two doses. Of what is taken as needed, `maximum` is the stated most in 24
    hours. None: the order does not say it. `counted`: in pieces, millilitres or drops of which the
    product does not say how much they hold.
    """

    unit: str = ""
    single: Decimal | None = None
    daily: Decimal | None = None
    hours: Decimal | None = None
    as_needed: bool = False
    maximum: Decimal | None = None
    has_maximum: bool = False
    step: str = ""
    counted: bool = False


class Ingredient(Struct, frozen=True):
    """One substance of a product of several, with how much of it each dosing is."""

    name: str
    atc: tuple[str, ...]
    dosings: tuple[Dosing, ...]


class Medicine(Struct, frozen=True):
    """A medicine in use or being ordered; `atc` are its codes, of each substance when several.

    `dosings` measure the whole; of a product of several substances, `ingredients` measure each.
    `is_meant_beside`: the prescriber has said why it is meant beside the same substance.
    """

    reference: str
    name: str
    atc: tuple[str, ...]
    dosings: tuple[Dosing, ...] = ()
    replaces: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    is_meant_beside: bool = False

    @property
    def is_as_needed(self) -> bool:
        """Whether nothing of it is taken regularly."""
        return bool(self.dosings) and all(each.as_needed for each in self.dosings)

    @property
    def hours(self) -> Decimal | None:
        """The fewest hours between two doses, when any dosing says it."""
        return min((d.hours for d in self.dosings if d.hours is not None), default=None)

    def single(self, unit: str) -> Decimal | None:
        """The largest amount at one time in a unit; None when not said in it."""
        return largest(self.dosings, unit)

    def daily(self, unit: str) -> Decimal | None:
        """The most in 24 hours in a unit; None when not said in it."""
        return most_in_a_day(self.dosings, unit)


def largest(dosings: Sequence[Dosing], unit: str) -> Decimal | None:
    """The largest amount at one time in a unit; None when none is said in it."""
    said = [d.single for d in dosings if d.unit == unit and d.single is not None]
    return max(said, default=None)


def most_in_a_day(dosings: Sequence[Dosing], unit: str) -> Decimal | None:
    """The most in 24 hours in a unit: steps of a course one by one, all else together."""
    totals: dict[str, Decimal] = {}
    for dosing in dosings:
        most = dosing.daily if not dosing.as_needed else dosing.maximum
        most = most if most is not None else dosing.daily
        if dosing.unit != unit or most is None:
            return None
        totals[dosing.step] = totals.get(dosing.step, Decimal(0)) + most
    always = totals.pop("", Decimal(0))
    if not dosings:
        return None
    return always + max(totals.values(), default=Decimal(0))


class Allergy(Struct, frozen=True):
    """A known allergy or intolerance: its words, and its codes in ATC and in other systems."""

    name: str
    atc: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    is_severe: bool = True


class Problem(Struct, frozen=True):
    """A problem or diagnosis by its codes."""

    name: str
    icd10: tuple[str, ...] = ()
    icpc2: tuple[str, ...] = ()


class Patient(Struct, frozen=True):
    """Facts of the patient; None is "not known", or known too long ago to be believed.

    `egfr` in ml/min/1,73 m², `weight` in kg. `has_asked_allergies` when there is an allergy, or the
    word that there is none. `notes` say which facts were left out for their age.
    """

    months: int | None = None
    sex: str = ""
    weight: Decimal | None = None
    egfr: Decimal | None = None
    is_pregnant: bool | None = None
    pregnancy_week: int | None = None
    is_breast_feeding: bool | None = None
    allergies: tuple[Allergy, ...] = ()
    has_asked_allergies: bool = False
    problems: tuple[Problem, ...] = ()
    told: tuple[tuple[str, str], ...] = ()

    def words(self, fact: str) -> str:
        """How a fact was told, with its date; "" when nothing is known of it."""
        return dict(self.told).get(fact, "")


class Situation(Struct, frozen=True):
    """One order for one patient, beside what is in use.

    `acknowledged` are keys of cards that were answered before and need not interrupt again.
    """

    patient: Patient
    order: Medicine
    in_use: tuple[Medicine, ...] = ()
    acknowledged: frozenset[str] = frozenset()

    @property
    def others(self) -> tuple[Medicine, ...]:
        """What is in use beside the order, without what it takes the place of."""
        own = {self.order.reference, *self.order.replaces} - {""}
        return tuple(each for each in self.in_use if each.reference not in own)


def below(codes: Sequence[str], groups: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the ATC codes that are one of `groups`, or below it in the hierarchy."""
    return tuple(code for code in codes if groups and code.startswith(groups))
