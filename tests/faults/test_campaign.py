"""The campaign's own rules: what it plans, how it shrinks, what it prints."""

from collections import Counter

import pytest

from tests.support.campaign import BURST, PAUSABLE, Fault, fewest, plan, table
from tests.support.victims import ALL


def test_a_seed_is_a_plan() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60)[:20] == plan(7, 20), "a longer campaign begins like a shorter one"
    assert plan(7, 60) != plan(8, 60)


def test_every_kind_comes_before_one_comes_again() -> None:
    one_round = len(ALL) + len(PAUSABLE) + BURST
    found = Counter(fault.kind for fault in plan(1, 2 * one_round))
    assert found == {kind: 2 * count for kind, count in Counter(fault.kind for fault in plan(1, one_round)).items()}
    assert {"the broker hangs", "the broker dies", "all tasks die", "3 at once die"} <= set(found)
    assert len(found) == one_round - BURST + 1


@pytest.mark.parametrize("needed", [{0}, {3}, {19}, {2, 17}, {5, 6, 7}])
def test_shrinking_leaves_the_faults_that_matter(needed: set[int]) -> None:
    tries = list[int]()

    def fails(faults: list[Fault]) -> bool:
        tries.append(len(faults))
        return needed <= {fault.number for fault in faults}

    assert {fault.number for fault in fewest(plan(1, 20), fails)} == needed
    assert len(tries) < 80


def test_the_table_has_each_kind_and_all_of_them() -> None:
    told = table({"MariaDB dies": [3.0, 9.0, 6.0], "a task hangs": [20.0]}).splitlines()
    assert told[2:] == [
        "| MariaDB dies | 3 | 6 s | 9 s |",
        "| a task hangs | 1 | 20 s | 20 s |",
        "| all | 4 | 8 s, p95 20 s | 20 s |",
    ]
