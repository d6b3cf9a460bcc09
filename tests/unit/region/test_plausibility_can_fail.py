"""Each test of plausibility refuses numbers that are not: it is run on a region that was spoilt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from . import test_plausible_region

Spoil = Callable[[pytest.MonkeyPatch], None]
tests: Any = test_plausible_region
ONE_UNIT = "trondheim-legevakt"


def homes_with(change: Callable[[Any], None]) -> Spoil:
    """Households in which everybody, or everything, was changed."""

    def spoil(patch: pytest.MonkeyPatch) -> None:
        changed = deepcopy(tests.homes()[:2000])
        for home in changed:
            change(home)
        patch.setattr(tests, "homes", lambda: changed)

    return spoil


def of_one_age(home: Any) -> None:
    for member in home.members:
        member.born = tests.PLAN.last - 40 * 365


def all_women(home: Any) -> None:
    for member in home.members:
        member.woman = True


def as_old_as_their_parents(home: Any) -> None:
    for child in home.children():
        child.born = (home.mother() or home.members[0]).born


def numbers_of(number: str | None) -> Spoil:
    """Everybody has the same number, or nobody has one."""

    def spoil(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(tests, "numbers_for", lambda _, home, __: [number] * len(home.members))

    return spoil


def figures_times(factor: float) -> Spoil:
    """Every volume so many times what it was generated as."""

    def spoil(patch: pytest.MonkeyPatch) -> None:
        figures = tests.volumes().figures()
        spoilt = [each._replace(generated=each.stated * factor) for each in figures]
        found = SimpleNamespace(figures=lambda: spoilt, contacts=tests.volumes().contacts)
        patch.setattr(tests, "volumes", lambda: found)

    return spoil


def stated_otherwise(patch: pytest.MonkeyPatch) -> None:
    figures = [each._replace(stated=each.stated + 1) for each in tests.volumes().figures()]
    patch.setattr(tests, "volumes", lambda: SimpleNamespace(figures=lambda: figures))


def contacts_elsewhere(patch: pytest.MonkeyPatch) -> None:
    kinds = Counter(dict.fromkeys(tests.volumes().contacts, 5))
    patch.setattr(tests, "volumes", lambda: SimpleNamespace(contacts=kinds))


def people_with(**changes: Any) -> Spoil:
    """Those who live in the region, each with the same of something."""

    def spoil(patch: pytest.MonkeyPatch) -> None:
        changed = deepcopy(tests.some_people()[:1500])
        for person in changed:
            for name, value in changes.items():
                object.__setattr__(person, name, value)
        patch.setattr(tests, "some_people", lambda: changed)

    return spoil


def nobody_begins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tests, "some_people", lambda: ())


def heavy_by_turns(patch: pytest.MonkeyPatch) -> None:
    true, turns = tests.growth.z_score, iter(range(10**9))

    def z_score(*given: Any, **more: Any) -> float:
        return float(true(*given, **more)) + 2 * (next(turns) % 2)

    patch.setattr(tests.growth, "z_score", z_score)


def taller_children(patch: pytest.MonkeyPatch) -> None:
    true = tests.growth.value
    patch.setattr(tests.growth, "value", lambda *a, **more: true(*a, **more) * 1.05)


def staff_twice(patch: pytest.MonkeyPatch) -> None:
    once = tests.workforce()
    unit = next(iter(once))
    patch.setattr(tests, "workforce", lambda: {**once, "again": once[unit]})


def links_of_inhabitants(patch: pytest.MonkeyPatch) -> None:
    true = tests.bundles

    def bundles(plan: Any) -> Any:
        for place, told in enumerate(true(plan)):
            for number in range(20):
                tests.link(f"Patient/{place}-{number}", "x")
            yield told

    patch.setattr(tests, "bundles", bundles)


def treated(*, how_many: int) -> Spoil:
    """Every unit has so many patients."""

    def spoil(patch: pytest.MonkeyPatch) -> None:
        everybody = {f"Patient/r{number}" for number in range(how_many)}
        patch.setattr(tests, "treated_of_late", lambda: {ONE_UNIT: everybody})

    return spoil


@pytest.mark.parametrize(
    ("test", "spoil", "arguments"),
    [
        (tests.test_ages_follow_the_published_pyramid, homes_with(of_one_age), ()),
        (tests.test_women_and_men_are_as_many_as_they_should_be, homes_with(all_women), ()),
        (tests.test_children_live_with_a_parent_of_a_fitting_age,
         homes_with(as_old_as_their_parents), ()),
        (tests.test_national_numbers_are_given_once_in_a_larger_region, numbers_of("01010112345"),
         ()),
        (tests.test_national_numbers_are_given_once_in_a_larger_region, numbers_of(None), ()),
        (tests.test_some_have_a_d_number_an_interpreter_or_a_protected_address,
         numbers_of("01010112345"), ()),
        (tests.test_some_have_a_d_number_an_interpreter_or_a_protected_address,
         people_with(protected=False), ()),
        (tests.test_some_have_a_d_number_an_interpreter_or_a_protected_address,
         people_with(language="nb"), ()),
        *[(tests.test_volumes_are_those_that_are_stated, figures_times(factor), (place,))
          for place in range(8) for factor in (0.65, 1.35)],
        (tests.test_contacts_are_spread_over_the_units_that_have_them, contacts_elsewhere, ()),
        (tests.test_every_course_has_people_in_it, nobody_begins, ()),
        (tests.test_the_page_on_scale_shows_every_figure_as_it_is_stated, stated_otherwise, ()),
        (tests.test_growth_tables_say_what_who_published, taller_children, ()),
        (tests.test_units_have_parents_staff_and_ids_of_their_own, staff_twice, ()),
        (tests.test_what_is_remembered_does_not_grow_with_the_region, links_of_inhabitants, ()),
        (tests.test_each_persona_of_the_demo_has_as_many_patients_as_a_team_has,
         treated(how_many=0), (ONE_UNIT, 30, 120)),
        (tests.test_each_persona_of_the_demo_has_as_many_patients_as_a_team_has,
         treated(how_many=500), (ONE_UNIT, 30, 120)),
        (tests.test_a_large_region_does_not_crowd_one_quarter, people_with(quarter=False), ()),
        (tests.test_a_large_region_does_not_crowd_one_quarter,
         people_with(quarter=True, household=10**9), ()),
    ],
)  # fmt: skip
def test_it_fails_on_a_region_that_was_spoilt(
    test: Callable[..., None],
    spoil: Spoil,
    arguments: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(monkeypatch)
    with pytest.raises(AssertionError):
        test(*arguments)


def test_children_by_turns_heavy_and_light_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    heavy_by_turns(monkeypatch)
    with pytest.raises(AssertionError):
        tests.test_children_keep_to_a_percentile_of_their_own(monkeypatch)


def test_a_course_that_leads_nowhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [course._replace(states={}) for course in tests.COURSES]
    monkeypatch.setattr(tests, "COURSES", lost)
    with pytest.raises(KeyError):
        tests.test_a_course_names_only_states_it_has()


def test_every_volume_has_its_test() -> None:
    assert len(tests.volumes().figures()) == 8
