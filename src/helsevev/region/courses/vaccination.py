"""Vaccines: the children's programme at the health station and school, influenza and covid-19."""

from __future__ import annotations

from datetime import date

from ..calendar import age_on, clock
from ..course import Course, Next, rates
from ..life import Tale
from ..notation import words
from ..telling.contacts import contact
from ..telling.problems import vaccine

_ARM, _THIGH = words("Overarm"), words("Lår")
# Age in days, text, ATC, SYSVAK's product, number of the dose.
_INFANT = (
    (44, "Rotavirusvaksine", "J07BH01", ("ROT01_001", "Rotarix"), 1),
    (93, "Difteri, stivkrampe, kikhoste, polio, Hib og hepatitt B", "J07CA09",
     ("KOM09_001", "Infanrix Hexa"), 1),
    (93, "Pneumokokkvaksine", "J07AL02", ("PNE13_001", "Prevenar 13"), 1),
    (93, "Rotavirusvaksine", "J07BH01", ("ROT01_001", "Rotarix"), 2),
    (154, "Difteri, stivkrampe, kikhoste, polio, Hib og hepatitt B", "J07CA09",
     ("KOM09_001", "Infanrix Hexa"), 2),
    (154, "Pneumokokkvaksine", "J07AL02", ("PNE13_001", "Prevenar 13"), 2),
    (367, "Difteri, stivkrampe, kikhoste, polio, Hib og hepatitt B", "J07CA09",
     ("KOM09_001", "Infanrix Hexa"), 3),
    (367, "Pneumokokkvaksine", "J07AL02", ("PNE13_001", "Prevenar 13"), 3),
    (458, "Meslinger, kusma og røde hunder", "J07BD52", None, 1),
)  # fmt: skip
# School year's age, text, ATC, number of the dose.
_SCHOOL = (
    (7, "Difteri, stivkrampe, kikhoste og polio", "J07CA02", 4),
    (11, "Meslinger, kusma og røde hunder", "J07BD52", 2),
    (12, "Humant papillomavirus (HPV)", "J07BM03", 1),
    (15, "Difteri, stivkrampe, kikhoste og polio", "J07CA02", 5),
)


def _begins(t: Tale) -> Next:
    t.memory["wants"] = t.chance.happens(rates("vaccination")["children"])
    t.memory["yearly"] = t.chance.happens(rates("vaccination")["over_65"])
    t.memory["next"] = 0
    age = t.age(t.life.until)
    if age < 4 and t.memory["wants"]:
        while _infant_day(t) < t.life.since and t.memory["next"] < len(_INFANT) - 1:
            t.memory["next"] += 1
        return "infant", _infant_day(t)
    if 6 < age < 18 and t.memory["wants"]:
        return "school", t.life.since
    if age >= 65 and t.memory["yearly"]:
        year = date.fromordinal(t.life.since).year
        return "autumn", date(year, 10, 5).toordinal() + t.chance.whole(0, 50)
    return None


def _infant_day(t: Tale) -> int:
    days: int = _INFANT[t.memory["next"]][0]
    return t.person.born + days


def _infant(t: Tale, day: int) -> Next:
    """All doses of one age at one contact."""
    unit = t.person.unit("health-station")
    seen = contact(t, clock(day, 11, t.chance.whole(0, 50)), "ambulatory", "Vaksinasjon", unit,
                   "public-health-nurse", minutes=10)  # fmt: skip
    age = _INFANT[t.memory["next"]][0]
    while t.memory["next"] < len(_INFANT) and _INFANT[t.memory["next"]][0] == age:
        _, text, atc, product, dose = _INFANT[t.memory["next"]]
        vaccine(t, seen, text, atc, product, dose, None if atc == "J07BH01" else _THIGH)
        t.memory["next"] += 1
    if t.memory["next"] == len(_INFANT):
        return None
    return "infant", max(day + 1, _infant_day(t))


def _school(t: Tale, _: int) -> Next:
    """The doses that fall in the school years of the window."""
    unit = t.person.unit("school")
    for age, text, atc, dose in _SCHOOL:
        when = age_on(t.person.born, age) + 120
        seen = contact(
            t,
            clock(when, 10, t.chance.whole(0, 50)),
            "ambulatory",
            "Vaksinasjon på skolen",
            unit,
            "public-health-nurse",
            minutes=10,
        )
        vaccine(t, seen, text, atc, None, dose, _ARM)
    return None


def _autumn(t: Tale, day: int) -> Next:
    """Influenza every autumn, covid-19 at the same time for many."""
    if not t.life.in_hospital(clock(day, 10)):
        seen = contact(
            t,
            clock(day, t.chance.whole(9, 14), t.chance.whole(0, 50)),
            "ambulatory",
            "Vaksinasjon",
            t.person.unit("general-practice"),
            "nurse",
            minutes=10,
        )
        vaccine(t, seen, "Influensavaksine", "J07BB02", None, 1, _ARM)
        if t.chance.happens(0.7):
            vaccine(t, seen, "Vaksine mot covid-19", "J07BN01", None, 1, _ARM)
    return "autumn", day + 365


COURSE = Course("vaccination", _begins, {"infant": _infant, "school": _school, "autumn": _autumn})
