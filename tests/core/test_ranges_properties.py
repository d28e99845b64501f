"""Ranges behave as the sets of integers that they stand for."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pinwheel.core.ranges import Range, common, cut_at, numbers, size, together, without

SETS = st.sets(st.integers(0, 40))


def ranges(values: set[int]) -> list[Range]:
    return together(sorted(values))


@given(SETS, SETS)
def test_without_and_common_are_difference_and_intersection(one: set[int], other: set[int]) -> None:
    assert set(numbers(without(ranges(one), ranges(other)))) == one - other
    assert set(numbers(common(ranges(one), ranges(other)))) == one & other


@given(SETS, st.integers(0, 40), st.integers(0, 40))
def test_a_part_and_its_size(one: set[int], first: int, end: int) -> None:
    part = cut_at(ranges(one), first, end)
    assert set(numbers(part)) == {n for n in one if first <= n < end}
    assert size(part) == len(set(numbers(part)))


@given(st.lists(st.integers(0, 40)).map(sorted))
def test_numbers_become_ranges_that_do_not_touch(values: list[int]) -> None:
    found = together(values)
    assert list(numbers(found)) == sorted(set(values))
    assert all(one[1] < other[0] for one, other in pairwise(found))
