"""Municipal services put together: one at a time, each day that one is needed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from helsevev.region.generate import Plan, inhabitant
from helsevev.region.life import Life, Service
from helsevev.region.services import settle

ORDER = ("nursing-home", "assisted-living", "short-stay", "home-care")
DAYS = 60


@cache
def somebody() -> Life:
    return inhabitant(Plan(scale=0.0005), 1, "a")


def service(kind: str, since: int, length: int | None) -> Service:
    until = None if length is None else since + length
    unit = somebody().person.unit("home-care")
    return Service(kind, since, until, unit, visits=3.0, medicines=False, reason="")


NEEDS = st.lists(
    st.builds(
        service,
        st.sampled_from(ORDER),
        st.integers(0, DAYS - 1),
        st.none() | st.integers(1, DAYS),
    ),
    max_size=7,
)


def given_on(day: int, services: list[Service]) -> list[str]:
    return [
        each.kind
        for each in services
        if each.since <= day and (each.until is None or day < each.until)
    ]


@given(NEEDS)
def test_nobody_is_cared_for_at_home_while_living_in_an_institution(needs: list[Service]) -> None:
    life = somebody()
    life.services = [replace(each) for each in needs]
    settle(life)
    for day in range(2 * DAYS):
        wanted = given_on(day, needs)
        first = [kind for kind in ORDER if kind in wanted][:1]
        assert given_on(day, life.services) == first
