"""Buckets of people count like a dictionary, whatever is added and taken away, stored and read again."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.rollup import presence
from pinwheel.rollup.presence import NegativeCountError, Presence
from tests.support.properties import examples

KEYS = st.tuples(st.sampled_from([0, 1, 24, 0x5A5A]), st.integers(0, 40)).map(lambda at: at[0] << 32 | at[1])
COUNTS = st.sampled_from([1, 1, 1, -1]) | st.integers(-5, 9)  # mostly a row of each person, as in a small refresh
CHANGES = st.lists(st.dictionaries(KEYS, COUNTS, min_size=1, max_size=60), min_size=1, max_size=12)


def arrays(change: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(list(change), np.uint64), np.array(list(change.values()), np.int64)


@examples(200)
@given(CHANGES, st.sampled_from([0, 4096]), st.booleans())
def test_people_are_counted_exactly(changes: list[dict[int, int]], fold_bytes: int, is_read_again: bool) -> None:
    bucket, model, planes, recent = Presence(), Counter[int](), None, b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "FOLD_BYTES", fold_bytes)
        for wanted in changes:
            change = {key: max(count, -model[key]) for key, count in wanted.items()}
            change = {key: count for key, count in change.items() if count}
            if not change:
                continue
            before = {key for key in model if model[key]}
            came, left = bucket.change(*arrays(change))
            model.update(change)
            after = {key for key in model if model[key]}
            assert (set(came.tolist()), set(left.tolist())) == (after - before, before - after)
            all_planes, more = bucket.store(*arrays(change))
            planes, recent = (planes, recent + more) if all_planes is None else (all_planes, b"")
            if is_read_again:
                bucket = Presence(planes, recent)
    left_over = {key: -count for key, count in model.items() if count}
    if left_over:
        bucket = Presence(planes, recent)
        bucket.change(*arrays(left_over))
        assert not len(bucket.people())
        with pytest.raises(NegativeCountError):
            bucket.change(*arrays({next(iter(left_over)): -1}))


def test_the_same_person_in_one_refresh_after_the_other_counts_twice() -> None:
    first = arrays({1: 1, 2: 1})
    bucket = Presence()
    bucket.change(*first)
    planes, recent = bucket.store(*first)
    for _ in range(2):
        bucket.change(*arrays({2: 1}))
        recent += bucket.store(*arrays({2: 1}))[1]
    again = Presence(planes, recent)
    again.change(*arrays({2: -3}))
    assert again.people().tolist() == [1]


def test_a_small_change_of_a_large_bucket_writes_little() -> None:
    bucket = Presence()
    many = np.arange(100_000, dtype=np.uint64) * np.uint64(7)
    bucket.change(many, np.ones(len(many), np.int64))
    assert bucket.store(many, np.ones(len(many), np.int64))[0] is not None
    few = np.array([3, 5], np.uint64)
    bucket.change(few, np.array([1, 2]))
    planes, recent = bucket.store(few, np.array([1, 2]))
    assert planes is None
    assert len(recent) == 16


def test_more_rows_are_not_taken_away_than_were_added() -> None:
    bucket = Presence()
    one = np.array([1], np.uint64)
    bucket.change(one, np.array([2]))
    with pytest.raises(NegativeCountError, match="1 people have fewer rows"):
        bucket.change(one, np.array([-3]))


def test_the_people_of_a_bucket_are_those_with_rows() -> None:
    bucket = Presence()
    bucket.change(*arrays({5: 1, 7: 2, 1 << 32 | 7: 1, 9: 1}))
    bucket.change(*arrays({7: -2, 9: -1}))
    assert bucket.people().tolist() == [5, 7]
