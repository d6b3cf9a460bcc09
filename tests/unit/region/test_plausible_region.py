"""A generated region resembles a real one: ages, contacts, doses, readmissions, growth."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from helsevev.region import growth
from helsevev.region.catalogue import catalogue
from helsevev.region.chance import Chance
from helsevev.region.course import live
from helsevev.region.courses import COURSES
from helsevev.region.courses.child_programme import COURSE as CHILD_PROGRAMME
from helsevev.region.facts import facts
from helsevev.region.generate import Plan, bundles
from helsevev.region.households import Household, household
from helsevev.region.life import Life, Tale
from helsevev.region.notation import link, narrative_of, number, words
from helsevev.region.numbers import Register
from helsevev.region.person import Person, numbers_for, people
from helsevev.region.volumes import Volumes
from helsevev.region.workforce import workforce

PLAN = Plan(scale=0.003, years=0.5)


@cache
def homes() -> tuple[Household, ...]:
    return tuple(household(1, number, PLAN.last) for number in range(8000))


@cache
def some_people() -> tuple[Person, ...]:
    return tuple(
        person
        for home in homes()[:1500]
        for person in people(1, home, [None] * len(home.members), PLAN.first, PLAN.last)
    )


@cache
def volumes() -> Volumes:
    found = Volumes(PLAN)
    for told in bundles(PLAN):
        found.add(told.json)
    return found


def test_ages_follow_the_published_pyramid() -> None:
    ages = Counter(
        min(90, int((PLAN.last - each.born) / 365.25)) // 5 * 5
        for home in homes()
        for each in home.members
    )
    everyone = ages.total()
    for first, share in facts("population")["bands"]:
        generated = 100 * ages[first] / everyone
        assert generated == pytest.approx(share, rel=0.16, abs=0.12), first


def test_women_and_men_are_as_many_as_they_should_be() -> None:
    women = [each.woman for home in homes() for each in home.members]
    assert sum(women) / len(women) == pytest.approx(0.497, abs=0.012)


def test_children_live_with_a_parent_of_a_fitting_age() -> None:
    for home in homes():
        for child in home.children():
            parent = home.mother() or home.members[0]
            assert 15 <= (child.born - parent.born) / 365.25 <= 51


def test_national_numbers_are_given_once_in_a_larger_region() -> None:
    register = Register()
    given = [
        each for home in homes() for each in numbers_for(1, home, register) if each is not None
    ]
    assert len(given) == len(set(given))
    everyone = sum(len(home.members) for home in homes())
    assert 0 < everyone - len(given) < 0.01 * everyone


def test_some_have_a_d_number_an_interpreter_or_a_protected_address() -> None:
    register = Register()
    given = [each for home in homes() for each in numbers_for(1, home, register)]
    assert 0.005 < sum(each is not None and each[0] in "4567" for each in given) / len(given) < 0.03
    assert any(each.protected for each in some_people())
    assert len({each.language for each in some_people()}) > 4


@pytest.mark.parametrize("place", range(8), ids=lambda place: f"figure {place + 1}")
def test_volumes_are_those_that_are_stated(place: int) -> None:
    figure = volumes().figures()[place]
    # Three thousand inhabitants are few: a handful of nursing-home residents is a tenth of doses.
    tolerance = {"%": 0.25, "": 0.3}[figure.unit]
    assert figure.generated == pytest.approx(figure.stated, rel=tolerance), figure.name


def test_contacts_are_spread_over_the_units_that_have_them() -> None:
    kinds = volumes().contacts
    assert kinds["home-care"] > kinds["nursing-home-ward"] > kinds["health-station"] > 0
    assert {"out-of-hours", "ambulance", "emergency", "school", "therapy", "mental-health",
            "mental-clinic", "general-practice", "assisted-living"} <= set(kinds)  # fmt: skip


def test_every_course_has_people_in_it() -> None:
    begun: Counter[str] = Counter()
    for person in some_people():
        life = Life(person, PLAN.first, PLAN.last)
        for course in COURSES:
            if course.begins(Tale(life, Chance(1, course.key, person.id))) is not None:
                begun[course.key] += 1
    assert set(begun) == {course.key for course in COURSES}
    assert len(COURSES) >= 15


def test_a_course_names_only_states_it_has() -> None:
    for person in some_people()[:400]:
        for course in COURSES:
            life = Life(person, PLAN.first, PLAN.last)
            live(course, life)


def test_growth_tables_say_what_who_published() -> None:
    # WHO Child Growth Standards: medians and one standard deviation.
    assert growth.value("weight", 12, 0, girl=True) == pytest.approx(8.95, abs=0.02)
    assert growth.value("weight", 12, 0, girl=False) == pytest.approx(9.65, abs=0.02)
    assert growth.value("length", 24, 0, girl=False) == pytest.approx(87.8, abs=0.9)
    assert growth.value("length", 120, 1, girl=True) == pytest.approx(145.0, abs=0.5)
    assert growth.z_score("weight", 12, growth.value("weight", 12, 1.3, girl=True), girl=True) == (
        pytest.approx(1.3)
    )


def test_children_keep_to_a_percentile_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = 0
    for person in some_people():
        if person.role != "child" or person.weeks < 37 or person.age(PLAN.last) > 4:
            continue
        curve: list[float] = []

        def kept(
            t: Tale, what: str, value: float, seen: object, curve: list[float] = curve
        ) -> None:
            if what == "baby-weight" and seen is not None:
                days = seen.start // 1440 - t.person.born  # type: ignore[attr-defined]
                curve.append(growth.z_score("weight", days / 30.4375, value, girl=t.person.woman))

        monkeypatch.setattr("helsevev.region.courses.child_programme.measured", kept)
        live(CHILD_PROGRAMME, Life(person, PLAN.first, PLAN.last))
        assert all(abs(z) < 3.6 for z in curve)
        assert all(abs(right - left) < 1.0 for left, right in pairwise(curve))
        followed += len(curve) > 3
    assert followed > 12


def test_units_have_parents_staff_and_ids_of_their_own() -> None:
    units = catalogue().units
    assert len(catalogue().municipalities) == 34
    for unit in units.values():
        assert unit.part_of is None or unit.part_of in units
        for profession, count in unit.staff.items():
            assert len(workforce()[unit.id][profession]) >= count
    everyone = [
        worker.id for here in workforce().values() for some in here.values() for worker in some
    ]
    assert len(everyone) == len(set(everyone))


def test_numbers_are_written_as_they_were_read() -> None:
    assert bytes(number("72.50")) == b"72.50"


def test_what_is_remembered_does_not_grow_with_the_region() -> None:
    # Parts that are encoded once are organisations, staff, codes and phrases: not inhabitants.
    for known in (link, words, narrative_of):
        known.cache_clear()
    for told in bundles(Plan(scale=0.0003, years=0.2)):
        assert told.json
    before = link.cache_info().currsize
    assert before < len(catalogue().units) * 2
    assert words.cache_info().currsize < 400
    assert narrative_of.cache_info().currsize < 3000


def test_the_page_on_scale_shows_every_figure_as_it_is_stated() -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "scale.md").read_text("utf-8")
    for figure in volumes().figures():
        row = next(line for line in page.splitlines() if line.startswith(f"| {figure.name} |"))
        stated, generated = (
            float(cell.strip().rstrip(" %").replace(",", "")) for cell in row.split("|")[2:4]
        )
        assert stated == figure.stated
        assert generated == pytest.approx(figure.stated, rel=0.12), figure.name


@cache
def treated_of_late() -> dict[str, set[str]]:
    """Unit -> those with a contact in the last month of a region of the demo's size."""
    plan = Plan(scale=0.002, years=0.3, dose_days=0)
    since = date.fromordinal(plan.last - 30).isoformat()
    found: dict[str, set[str]] = defaultdict(set)
    for told in bundles(plan):
        for entry in msgspec.json.decode(told.json)["entry"]:
            each = entry["resource"]
            if each["resourceType"] == "Encounter" and each["period"].get("end", "9") > since:
                unit = each["serviceProvider"]["reference"].removeprefix("Organization/")
                found[unit].add(each["subject"]["reference"])
    return found


@pytest.mark.parametrize(
    ("unit", "fewest", "most"),
    [
        ("trondheim-hjemmetjeneste-ost", 30, 90), ("st-olavs-lunge", 5, 30),
        ("trondheim-helsestasjon-ost", 12, 60), ("trondheim-legevakt", 30, 120),
        ("nidaro-dps", 5, 40),
    ],
)  # fmt: skip
def test_each_persona_of_the_demo_has_as_many_patients_as_a_team_has(
    unit: str, fewest: int, most: int
) -> None:
    generated = [each for each in treated_of_late()[unit] if each.startswith("Patient/r")]
    assert fewest <= len(generated) <= most


def test_a_large_region_does_not_crowd_one_quarter() -> None:
    quarter = [each.household for each in some_people() if each.quarter]
    assert quarter
    assert max(quarter) < facts("population")["quarter"]["households"]
    assert len({each.municipality.name for each in some_people() if not each.quarter}) > 25
