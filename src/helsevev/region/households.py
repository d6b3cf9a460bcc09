"""Who lives together: households drawn so that the whole follows the published age pyramid.

A household is told from its own stream alone, so it is the same whatever the region's size, and a
smaller region is the beginning of a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .chance import Chance, step
from .facts import facts


@dataclass(slots=True)
class Member:
    """One who lives in a household: when they were born and how they are related to the rest."""

    letter: str
    born: int
    """Day of birth."""
    woman: bool
    role: str
    """`adult`, `partner` or `child`."""
    weeks: int = 40
    """Completed weeks of the pregnancy they were born from."""


@dataclass(slots=True)
class Household:
    """Those who live together; `number` counts households from 0."""

    number: int
    members: list[Member]

    def mother(self) -> Member | None:
        """The woman whose children live here, the eldest adult woman; None when there is none."""
        women = [each for each in self.members if each.woman and each.role != "child"]
        return women[0] if women else None

    def children(self) -> list[Member]:
        """The children, eldest first."""
        return [each for each in self.members if each.role == "child"]


@cache
def _adult_bands() -> list[tuple[int, float]]:
    """Five-year bands from 20 with the weight of households whose first adult is in them."""
    content = facts("population")
    bands: list[tuple[int, float]] = []
    for first, share in content["bands"]:
        if first >= 20:
            bands.append((first, share / (1 + step(content["partnered"], first + 2))))
    return bands


def household(seed: int, number: int, until: int) -> Household:
    """The household as it is on the day `until`."""
    chance = Chance(seed, "household", number)
    content = facts("population")
    band = chance.weighted(_adult_bands())
    age = _age_in(chance, band)
    born = until - int(age * 365.25) - 1
    coupled = chance.happens(step(content["partnered"], age))
    woman = chance.happens(0.5 if coupled else step(content["women"], age))
    members = [Member("a", born, woman, "adult")]
    if coupled:
        apart = chance.around(2.0, 3.0) * (1 if woman else -1)
        other = min(born - int(apart * 365.25), until - int(19 * 365.25))
        same_sex = chance.happens(0.015)
        members.append(Member("b", other, woman if same_sex else not woman, "partner"))
    _children(chance, members, until, coupled)
    return Household(number, members)


def _age_in(chance: Chance, band: int) -> float:
    if band < 90:
        return band + chance.between(0, 5)
    return min(90 + chance.wait(0.38) / 365.25, 105.0)


def _children(chance: Chance, members: list[Member], until: int, coupled: bool) -> None:
    """Those under 20 live at home; the timing follows the mother, or a father's partner's age."""
    content = facts("population")
    women = [each for each in members if each.woman]
    parent = women[0] if women else members[0]
    factor = 1.0 if coupled else content["single_parent_factor"]
    count = int(chance.weighted([(n, share) for n, share in content["children"]]))
    mean, deviation = content["first_birth_age"]
    age = max(17.0, chance.around(mean, deviation)) + (0 if parent.woman else 2.5)
    for _ in range(count):
        born = parent.born + int(age * 365.25)
        age += max(1.3, chance.around(2.9, 1.1))
        years = (until - born) / 365.25
        weeks = _weeks(chance, content["birth"])
        woman = chance.happens(0.487)
        kept = chance.happens(step(content["kept"], years) * factor) if years >= 0 else False
        if kept and years < 20 and age < 48:
            letter = "cdefghij"[sum(each.role == "child" for each in members)]
            members.append(Member(letter, born, woman, "child", weeks))


def _weeks(chance: Chance, birth: dict[str, float]) -> int:
    draw = chance.draw()
    if draw < birth["very_preterm"]:
        return chance.whole(26, 31)
    if draw < birth["preterm"]:
        return chance.whole(32, 36)
    return min(42, max(37, round(chance.around(39.6, 1.2))))
