"""Exactly once: whatever dies, runs twice or comes at the same time, each offset is in the lake once."""

from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from pinwheel.core.errors import FencedError, LakeError
from pinwheel.lake import events_table, landing
from pinwheel.lake.landing import Landing
from tests.support.lake_rows import FULL_ROW, TOPIC, make_lake, row, table, write
from tests.support.places import on_disk_and_in_a_store


@pytest.fixture
def events(place: str) -> str:
    return make_lake(place)


def offsets(uri: str) -> list[int]:
    return sorted(DeltaTable(uri).to_pyarrow_table(columns=["kafka_offset"])["kafka_offset"].to_pylist())


@on_disk_and_in_a_store
def test_rows_come_back_as_they_were_written(events: str) -> None:
    rows = [row(0, **FULL_ROW), row(1, "login"), row(2, "dead_letter", dead_value=None), row(3, partition=7)]
    Landing(events, TOPIC).commit(write(events, rows))

    read = events_table.without_views(DeltaTable(events).to_pyarrow_table()).select(table(rows).column_names)
    by_place = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    assert read.sort_by(by_place).to_pylist() == table(rows).sort_by(by_place).to_pylist()


@on_disk_and_in_a_store
def test_a_commit_moves_the_offsets(events: str) -> None:
    writer = Landing(events, TOPIC)
    writer.commit(write(events, [row(0), row(1), row(40, partition=2)]))
    writer.commit(write(events, [row(2), row(9)]))  # 3 to 8 are transaction markers

    assert events_table.landed_offsets(events, TOPIC, range(4)) == {0: 10, 2: 41}
    assert [
        {p: r.next_offset for p, r in c.progress.items()}
        for c in events_table.commits(events_table.open_table(events), 0)
    ] == [
        {0: 2, 2: 41},
        {0: 10},
    ]
    assert [c.rows for c in events_table.commits(events_table.open_table(events), 0)] == [{"repin": 3}, {"repin": 2}]


@on_disk_and_in_a_store
def test_the_same_batch_twice_is_refused(events: str) -> None:
    batch = [row(0), row(1)]
    Landing(events, TOPIC).commit(write(events, batch))

    with pytest.raises(FencedError, match="starts at offset 0"):
        Landing(events, TOPIC).commit(write(events, batch))
    assert offsets(events) == [0, 1]


@on_disk_and_in_a_store
def test_a_driver_with_an_old_view_is_refused(events: str) -> None:
    old, new = Landing(events, TOPIC), Landing(events, TOPIC)
    new.commit(write(events, [row(0), row(1)]))

    with pytest.raises(FencedError):
        old.commit(write(events, [row(1), row(2)]))
    assert offsets(events) == [0, 1]


@on_disk_and_in_a_store
def test_two_drivers_that_both_pass_the_check_land_one_batch(events: str) -> None:
    """Without the check, which both have passed in a race, Delta itself lets only the first through."""
    first, second = Landing(events, TOPIC), Landing(events, TOPIC)
    batches = [write(events, [row(0), row(1)]) for _ in range(2)]
    first._append(batches[0])

    with pytest.raises(CommitFailedError):
        second._append(batches[1])
    assert offsets(events) == [0, 1]


def test_one_partition_that_has_landed_refuses_the_whole_batch(events: str) -> None:
    writer = Landing(events, TOPIC)
    writer.commit(write(events, [row(0), row(5, partition=1)]))

    with pytest.raises(FencedError, match=f"{TOPIC}/1: this batch starts at offset 5"):
        writer.commit(write(events, [row(1), row(5, partition=1)]))
    assert events_table.landed_offsets(events, TOPIC, [0, 1]) == {0: 1, 1: 6}
    assert offsets(events) == [0, 5]


def test_another_topic_has_offsets_of_its_own(events: str) -> None:
    Landing(events, TOPIC).commit(write(events, [row(7)]))
    Landing(events, "other").commit(write(events, [row(0)]))

    assert events_table.landed_offsets(events, TOPIC, [0]) == {0: 8}
    assert events_table.landed_offsets(events, "other", [0]) == {0: 1}


def test_a_new_driver_goes_on(events: str) -> None:
    Landing(events, TOPIC).commit(write(events, [row(0)]))
    Landing(events, TOPIC).commit(write(events, [row(1)]))

    assert offsets(events) == [0, 1]


@on_disk_and_in_a_store
def test_dying_before_the_commit_lands_nothing(events: str) -> None:
    write(events, [row(0), row(1)])
    assert offsets(events) == []

    Landing(events, TOPIC).commit(write(events, [row(0), row(1)]))
    assert offsets(events) == [0, 1]


@on_disk_and_in_a_store
@pytest.mark.parametrize("maintain", ["update", "merge", "optimize", "delete"])
def test_maintenance_meanwhile_does_not_fence(events: str, maintain: str) -> None:
    writer = Landing(events, TOPIC)
    writer.commit(write(events, [row(0)]))
    writer.commit(write(events, [row(1, user_id=2)]))
    files = write(events, [row(2)])
    other = DeltaTable(events)
    if maintain == "update":
        other.update(updates={"brand_id": "9"}, predicate="kafka_offset = 0")
    elif maintain == "merge":
        came = table([row(0, brand_id=9)])
        other.merge(came, "t.kafka_offset = s.kafka_offset", "s", "t").when_matched_update(
            {"brand_id": "s.brand_id"}
        ).execute()
    elif maintain == "optimize":
        other.optimize.compact()
    else:
        other.delete("user_id = 2")

    writer.commit(files)

    assert offsets(events) == ([0, 2] if maintain == "delete" else [0, 1, 2])
    assert events_table.landed_offsets(events, TOPIC, [0]) == {0: 3}


def test_conflicts_for_ever_are_an_error(events: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, tries = Landing(events, TOPIC), []

    def conflict(files: Any, _: Any) -> None:
        tries.append(files)
        raise CommitFailedError("somebody was faster")

    monkeypatch.setattr(writer, "_append", conflict)

    with pytest.raises(LakeError, match="commits in a row"):
        writer.commit(write(events, [row(0)]))
    assert len(tries) == landing.COMMIT_TRIES
