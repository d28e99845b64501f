"""The stretches that a lake was landed in: kept with the table, and never two for one decision."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from pinwheel.core.times import HOUR
from pinwheel.lake import events_table, stretches
from pinwheel.lake.landing import Landing
from pinwheel.lake.stretches import Stretch
from tests.support.lake_rows import make_lake, row, write

LOG = "topic@cluster/id"


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A lake that has landed offsets 0 to 9 of partition 0."""
    made = make_lake(tmp_path)
    keep(made, [Stretch(0, LOG, {0: 0, 1: 4}, {0: 0, 1: 4})])
    Landing(made, LOG).commit(write(made, [row(n) for n in range(10)]))
    return made


def keep(uri: str, kept: list[Stretch]) -> None:
    values = {events_table.LOG_PROPERTY: kept[-1].log, **stretches.as_property(kept)}
    DeltaTable(uri).alter.set_table_properties(values, raise_if_not_exists=False)


def follow(uri: str, new: Stretch) -> list[Stretch]:
    keep(uri, stretches.followed_by(DeltaTable(uri), new, "t", [0, 1]))
    return stretches.stretches(DeltaTable(uri), "t")


def test_a_lake_of_an_older_driver_is_one_stretch_that_began_somewhere(tmp_path: Path) -> None:
    events = DeltaTable(make_lake(tmp_path))
    assert stretches.stretches(events, "t") == [Stretch(0, "t", None, {})]


def test_a_gap_begins_a_stretch_and_ends_the_one_before(uri: str) -> None:
    version = DeltaTable(uri).version()
    gap = Stretch(0, LOG, {0: 10, 1: 0}, {0: 15, 1: 0}, "expired", "ann")
    first, second = follow(uri, gap)
    assert (first.end, first.version) == ({0: 10}, version)
    assert second == Stretch(1, LOG, {0: 10, 1: 0}, {0: 15, 1: 0}, "expired", "ann")
    assert follow(uri, gap) == [first, second], "twice is once"


def test_a_word_that_had_no_effect_yet_is_replaced_by_the_next_one(uri: str) -> None:
    """The process died between noting it and moving the offsets."""
    follow(uri, Stretch(0, LOG, {0: 10, 1: 0}, {0: 15, 1: 0}, "expired", "ann"))
    first, second = follow(uri, Stretch(0, LOG, {0: 10, 1: 0}, {0: 12, 1: 3}, "expired", "bob"))
    assert (first.end, second.begin, second.by) == ({0: 10}, {0: 12, 1: 3}, "bob")


def test_another_log_begins_a_stretch_even_if_nothing_was_landed(uri: str) -> None:
    follow(uri, Stretch(0, "other", {0: 0, 1: 0}, {0: 0, 1: 0}))
    found = follow(uri, Stretch(0, "third", {0: 0, 1: 0}, {0: 0, 1: 0}))
    assert [(s.number, s.log, s.end) for s in found] == [(0, LOG, {0: 10}), (1, "other", {}), (2, "third", None)]


def test_the_ends_are_the_lake_s_own_while_a_stretch_goes_on(uri: str) -> None:
    events = DeltaTable(uri)
    (only,) = stretches.stretches(events, "t")
    assert stretches.ends(events, only, [0, 1]) == {0: 10}


def test_a_record_is_known_by_its_time_where_logs_have_the_same_offsets(uri: str) -> None:
    newest = max(DeltaTable(uri).to_pyarrow_table()["kafka_timestamp"].to_pylist())
    follow(uri, Stretch(0, "other", {0: 0, 1: 0}, {0: 0, 1: 0}))
    Landing(uri, "other").commit(write(uri, [row(0, kafka_timestamp=newest + HOUR)]))
    kept = follow(uri, Stretch(0, "third", {0: 0, 1: 0}, {0: 0, 1: 0}))
    assert [stretch.newest for stretch in kept] == [newest.isoformat(), (newest + HOUR).isoformat(), None]
    asked = [(0, newest), (0, newest + HOUR), (0, newest + 2 * HOUR), (1, newest + HOUR), (99, newest)]
    found = [stretches.log_of(kept, 0, offset, at) for offset, at in asked]
    assert found == [LOG, "other", "third", "third", "third"]
