"""What is below a concept by its numbers is what a walk through the hierarchy finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.terminology.hierarchy import number
from helsevev.terminology.intervals import Intervals
from helsevev.terminology.shapes import BadDistribution

_NUMBERS = st.sets(st.integers(0, 60))


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[str, tuple[str, ...]]]:
    """Concepts whose parents come before them in some order, shuffled."""
    size = draw(st.integers(1, 40))
    found = []
    for n in range(size):
        parents = draw(st.sets(st.integers(0, n - 1), max_size=4)) if n else set()
        found.append((f"c{n}", tuple(f"c{p}" for p in sorted(parents))))
    return draw(st.permutations(found))


def below(graph: list[tuple[str, tuple[str, ...]]], code: str) -> set[str]:
    """The concept and all that has it above, by walking."""
    reached = {code}
    waiting = [code]
    while waiting:
        parent = waiting.pop()
        for child, parents in graph:
            if parent in parents and child not in reached:
                reached.add(child)
                waiting.append(child)
    return reached


@given(graphs())
def test_numbers_say_what_a_walk_finds(graph: list[tuple[str, tuple[str, ...]]]) -> None:
    hierarchy = number(graph)
    code_of = {n: code for code, n in hierarchy.numbers.items()}
    assert sorted(code_of) == list(range(len(graph)))
    for code, parents in graph:
        assert {code_of[n] for n in hierarchy.of(code)} == below(graph, code)
        own = hierarchy.parents[hierarchy.numbers[code]]
        assert {code_of[n] for n in own} == set(parents)


def test_everything_below_a_concept_of_a_tree_is_one_run() -> None:
    hierarchy = number([("a", ()), ("b", ("a",)), ("c", ("a",)), ("d", ("b",)), ("e", ("b",))])
    assert all(len(bounds) == 2 for bounds in hierarchy.below.values())


def test_parents_that_are_no_concepts_are_left_out() -> None:
    assert list(number([("a", ("missing",))]).parents[0]) == []


@pytest.mark.parametrize(
    "graph",
    [
        [("a", ("a",))],
        [("a", ("b",)), ("b", ("a",))],
        [("r", ()), ("a", ("c", "r")), ("b", ("a",)), ("c", ("b",))],
    ],
)
def test_a_concept_below_itself_is_refused(graph: list[tuple[str, tuple[str, ...]]]) -> None:
    with pytest.raises(BadDistribution, match="below themselves"):
        number(graph)


def test_a_code_that_occurs_twice_is_refused() -> None:
    with pytest.raises(BadDistribution, match="'a' occurs twice"):
        number([("a", ()), ("a", ())])


@given(_NUMBERS, _NUMBERS)
def test_sets_of_numbers_combine_as_sets_do(one: set[int], other: set[int]) -> None:
    a, b = Intervals.of_numbers(one), Intervals.of_numbers(other)
    assert set(a) == one
    assert len(a) == len(one)
    assert set(a | b) == one | other
    assert set(a & b) == one & other
    assert set(a - b) == one - other
    assert all((n in a) == (n in one) for n in range(-1, 62))
    assert Intervals.flat(a.flattened) == a


@given(_NUMBERS, st.integers(0, 70), st.integers(1, 20))
def test_a_page_is_a_slice_of_the_numbers_in_order(
    numbers: set[int], offset: int, count: int
) -> None:
    found = Intervals.of_numbers(numbers).page(offset, count)
    assert found == sorted(numbers)[offset : offset + count]
