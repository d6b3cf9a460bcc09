"""Everything about an inhabitant that is settled before their life is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import exp

from .calendar import YEAR
from .catalogue import Municipality, Unit, catalogue
from .chance import Chance
from .facts import facts
from .households import Household, Member
from .numbers import Register


@dataclass(slots=True)
class Relative:
    """A member of the same household, as the inhabitant's record names them."""

    relation: str
    name: tuple[str, str]
    woman: bool
    born: int
    number: str | None
    phone: str


@dataclass(slots=True)
class Person:
    """One inhabitant: who they are, where they live, who serves them, when they die."""

    id: str
    seed: int
    household: int
    born: int
    woman: bool
    role: str
    weeks: int
    given: str
    family: str
    number: str | None
    d_number: bool
    phone: str
    municipality: Municipality
    quarter: bool
    """Whether they live where the demo's own units serve people."""
    street: str
    protected: bool
    language: tuple[str, str] | None
    foreign: bool
    dies: int | None
    """The day of death in the period, None for those who live on."""
    births: list[tuple[int, int, int]] = field(default_factory=list)
    """Day, completed weeks and order of the births of a mother's children at home."""
    relatives: list[Relative] = field(default_factory=list)
    partnered: bool = False

    @property
    def sex(self) -> str:
        """FHIR's administrative gender."""
        return "female" if self.woman else "male"

    def age(self, day: int) -> float:
        """Age in years on a day."""
        return (day - self.born) / YEAR

    def unit(self, kind: str) -> Unit:
        """The unit of this kind that serves the inhabitant, always the same one."""
        units = self.municipality.units[kind]
        if self.quarter:
            return next((each for each in units if each.in_demo), units[0])
        household = (
            self.household if kind != "nursing-home-ward" else self.household * 7 + self.born
        )
        return units[household % len(units)]

    def department(self, kind: str) -> Unit:
        """The department of this kind at the inhabitant's hospital, or where that one sends."""
        found = catalogue()
        if self.quarter:
            kind = facts("population")["quarter"]["wards"].get(kind, kind)
        return found.units[found.hospitals[self.municipality.hospital][kind]]


@cache
def _municipalities() -> list[tuple[Municipality, float]]:
    return [(each, float(each.population)) for each in catalogue().municipalities]


def people(seed: int, home: Household, numbers: list[str | None], since: int, until: int
           ) -> list[Person]:  # fmt: skip
    """Those of one household; `numbers` are their national numbers in the members' order."""
    chance = Chance(seed, "home", home.number)
    content = facts("population")
    municipality = chance.weighted(_municipalities())
    quarter = _in_quarter(seed, home.number)
    if quarter:
        code = content["quarter"]["municipality"]
        municipality = next(each for each, _ in _municipalities() if each.code == code)
    street = _street(chance)
    protected = chance.happens(content["address"]["protected"])
    foreign = _language(chance, content["language"]["interpreter"])
    families = facts("names")["foreign" if foreign else "family"]
    family = chance.among(families["family"] if foreign else families)
    found = []
    for member, number in zip(home.members, numbers, strict=True):
        own = Chance(seed, "person", home.number, member.letter)
        guest = _is_guest(number)
        found.append(
            Person(
                id=f"r{seed}-{home.number:06d}{member.letter}",
                seed=seed, household=home.number, born=member.born, woman=member.woman,
                role=member.role, weeks=member.weeks, given=_given(own, member, foreign),
                family=family, number=number, d_number=guest,
                phone=f"+4710{own.whole(100000, 999999)}", municipality=municipality,
                quarter=quarter, street=street, protected=protected, language=foreign,
                foreign=bool(foreign), dies=_death(own, member.born, member.woman, since, until),
            )
        )  # fmt: skip
    _relate(home, found)
    return found


def _in_quarter(seed: int, household: int) -> bool:
    """Whether a household lives in the quarter of the demo's units, as most of the first ones do.

    A small region would otherwise be spread over so many units that each has hardly a patient.
    """
    quarter = facts("population")["quarter"]
    first = household < quarter["households"]
    return first and Chance(seed, "quarter", household).happens(quarter["share"])


def numbers_for(seed: int, home: Household, register: Register) -> list[str | None]:
    """National numbers of a household's members; a few have a D-number and a few none at all."""
    content = facts("population")["numbers"]
    chance = Chance(seed, "numbers", home.number)
    guests = chance.happens(content["d_number"])
    found: list[str | None] = []
    for member in home.members:
        new_rules = chance.happens(content["rules_of_2032"])
        if chance.happens(content["none"]):
            found.append(None)
            continue
        found.append(
            register.give(member.born, member.woman, d_number=guests, rules_of_2032=new_rules)
        )
    return found


def _is_guest(number: str | None) -> bool:
    return number is not None and int(number[:2]) > 40


def _street(chance: Chance) -> str:
    words = facts("names")["street"]
    return f"{chance.among(words['first'])}{chance.among(words['last'])} {chance.whole(1, 98)}"


def _language(chance: Chance, rows: list[list[str | float]]) -> tuple[str, str] | None:
    draw = chance.draw()
    for code, name, share in rows:
        draw -= float(share)
        if draw < 0:
            return str(code), str(name)
    return None


def _given(chance: Chance, member: Member, foreign: tuple[str, str] | None) -> str:
    names = facts("names")
    sex = "female" if member.woman else "male"
    if foreign is not None:
        listed: list[str] = names["foreign"][sex]
        return chance.among(listed)
    year = date.fromordinal(member.born).year
    generation = [each for each in names["generation"] if each["from"] <= year][-1]
    among: list[str] = generation[sex]
    return chance.among(among)


def yearly_mortality(age: float, woman: bool) -> float:
    """The probability of dying within a year at an age, from the fitted life table."""
    fitted = facts("population")["mortality"]
    rate = fitted["at_70"] * exp(fitted["growth_per_year"] * (age - 70))
    return float(min(0.6, rate * (0.85 if woman else 1.18)))


def _death(chance: Chance, born: int, woman: bool, since: int, until: int) -> int | None:
    day = max(since, born + 1)
    while day < until:
        if chance.happens(yearly_mortality((day - born) / YEAR, woman)):
            dies = day + chance.whole(0, 364)
            return dies if dies < until else None
        day += 365
    return None


def _relate(home: Household, found: list[Person]) -> None:
    mother = home.mother()
    adults = [each for each in found if each.role != "child"]
    for person in adults:
        person.partnered = len(adults) == 2
    for order, child in enumerate(home.children(), start=1):
        for person, member in zip(found, home.members, strict=True):
            if member is mother:
                person.births.append((child.born, child.weeks, order))
    for person in found:
        for other in found:
            relation = _relation(person, other)
            if relation is not None:
                person.relatives.append(
                    Relative(relation, (other.given, other.family), other.woman, other.born,
                             None if other.d_number else other.number, other.phone)
                )  # fmt: skip


def _relation(person: Person, other: Person) -> str | None:
    if person is other:
        return None
    if person.role == "child" and other.role != "child":
        return "mor" if other.woman else "far"
    if person.role != "child" and other.role != "child":
        return "ektefelle"
    return None
