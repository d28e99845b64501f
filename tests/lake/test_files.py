"""A task's files: one per day and event type, with statistics that readers can trust and a manifest that adds up."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from pinwheel.core.contract import DEAD_LETTER, LAKE_COLUMNS, LAKE_PARTITIONS
from pinwheel.core.errors import LakeError
from pinwheel.lake.events_table import STATISTICS, Span
from pinwheel.lake.files import File, FileWriter, Manifest
from pinwheel.lake.landing import Landing
from tests.support.lake_rows import NOON, TOPIC, make_lake, row, table, write


@pytest.fixture
def events(tmp_path: Path) -> str:
    return make_lake(tmp_path)


def by_path(files: Manifest) -> dict[str, File]:
    """The manifest's files by the folder that they are in."""
    return {file.path.rpartition("/")[0]: file for file in files.files}


def test_one_file_per_day_and_event_type(events: str) -> None:
    late = NOON + timedelta(days=1)
    files = write(
        events,
        [row(0, "pin"), row(1, "login"), row(2, "pin", occurred_at=late), row(3, "pin")],
        [row(4, "login", occurred_at=late), row(5, "pin"), row(6, DEAD_LETTER)],
    )

    assert {folder: file.rows for folder, file in by_path(files).items()} == {
        "event_date=2026-03-14/event_type=pin": 3,
        "event_date=2026-03-14/event_type=login": 1,
        "event_date=2026-03-14/event_type=dead_letter": 1,
        "event_date=2026-03-15/event_type=pin": 1,
        "event_date=2026-03-15/event_type=login": 1,
    }
    assert files.rows == {"pin": 4, "login": 2, "dead_letter": 1}
    for file in files.files:
        assert file.path.startswith("/".join(f"{k}={v}" for k, v in file.partition.items()) + "/part-")


def test_a_file_is_what_its_books_say(events: str) -> None:
    """The partition's columns are in the path alone, and each write is a row group."""
    files = write(events, [row(0), row(1)], [row(2)], [row(3)])

    (file,) = files.files
    path = Path(events) / file.path
    read = pq.ParquetFile(path)
    assert file.size == path.stat().st_size
    assert read.metadata.num_row_groups == 3
    assert read.schema_arrow.names == [c.name for c in LAKE_COLUMNS if c.name not in LAKE_PARTITIONS]
    assert read.read()["kafka_offset"].to_pylist() == [0, 1, 2, 3]
    assert abs(file.modified_at_ms / 1000 - path.stat().st_mtime) < 60


def test_two_tasks_never_write_the_same_file(events: str) -> None:
    first, second = write(events, [row(0)]), write(events, [row(0)])
    assert first.files[0].path != second.files[0].path


def test_statistics_are_those_of_the_rows_and_delta_reads_them(events: str) -> None:
    rows = [row(7, user_id=5, pin_id=2**63 - 1), row(8, user_id=-5, pin_id=3), row(12, user_id=0, pin_id=9)]
    files = write(events, rows[:2], rows[2:])
    Landing(events, TOPIC).commit(files)

    (read,) = pa.table(DeltaTable(events).get_add_actions(flatten=True)).to_pylist()
    assert read["num_records"] == 3
    assert {name: (read[f"min.{name}"], read[f"max.{name}"]) for name in STATISTICS} == {
        "user_id": (-5, 5),
        "pin_id": (3, 2**63 - 1),
        "brand_id": (None, None),  # all null: no minimum or maximum
        "kafka_partition": (0, 0),
        "kafka_offset": (7, 12),
    }


def test_maintenance_writes_the_same_statistics(events: str) -> None:
    landing = Landing(events, TOPIC)
    for n in range(3):
        landing.commit(write(events, [row(n, user_id=n)]))
    DeltaTable(events).optimize.compact()

    (read,) = pa.table(DeltaTable(events).get_add_actions(flatten=True)).to_pylist()
    assert (read["min.user_id"], read["max.user_id"], read["num_records"]) == (0, 2, 3)
    assert {name.partition(".")[2] for name in read if name.startswith("min.")} == set(STATISTICS)


def test_a_person_can_say_a_time_to_delta(events: str) -> None:
    """Statistics of a time would make delta-rs refuse the comparison."""
    Landing(events, TOPIC).commit(write(events, [row(0), row(1, occurred_at=NOON + timedelta(hours=1))]))

    done = DeltaTable(events).delete("occurred_at < TIMESTAMP '2026-03-14 12:30:00'")
    assert done["num_deleted_rows"] == 1


def test_a_column_that_is_null_in_one_of_the_writes_hides_no_rows(events: str) -> None:
    files = write(events, [row(0, pin_id=5)], [row(1, pin_id=None)], [row(2, pin_id=9)])
    Landing(events, TOPIC).commit(files)

    stats = json.loads(files.files[0].stats)
    assert (stats["minValues"]["pin_id"], stats["maxValues"]["pin_id"], stats["nullCount"]["pin_id"]) == (5, 9, 1)
    assert found(events, [("pin_id", "=", 9)]) == [2]


def test_filters_find_their_rows_by_the_statistics(events: str) -> None:
    landing = Landing(events, TOPIC)
    for n in range(4):
        at = NOON + timedelta(minutes=n, microseconds=n)
        landing.commit(write(events, [row(2 * n + i, user_id=100 * n + i, occurred_at=at) for i in range(2)]))

    assert found(events, [("user_id", "=", 201)]) == [5]
    assert found(events, [("kafka_offset", ">=", 6)]) == [6, 7]
    assert found(events, [("occurred_at", "=", NOON + timedelta(minutes=3, microseconds=3))]) == [6, 7]
    assert found(events, [("user_id", "=", 999)]) == []


def found(uri: str, filters: list[tuple[str, str, Any]]) -> list[int]:
    """Offsets of the rows found by a reader that skips files by their statistics."""
    return sorted(DeltaTable(uri).to_pyarrow_table(columns=["kafka_offset"], filters=filters)[0].to_pylist())


def test_spans_are_per_kafka_partition(events: str) -> None:
    files = write(
        events,
        [row(10, "pin"), row(500, partition=3), row(12, "login")],
        [row(15), row(501, partition=3, kafka_timestamp=NOON)],
    )

    assert files.spans == {
        0: Span(10, 16, NOON + timedelta(seconds=15)),
        3: Span(500, 502, NOON + timedelta(seconds=500)),
    }


def test_offsets_without_a_record_are_covered(events: str) -> None:
    files = write(events, [row(3), row(5)])
    whole = files.covering({0: (2, 9), 1: (4, 5), 2: (7, 7)})
    assert whole.files == files.files
    assert whole.spans == {0: Span(2, 9, files.spans[0].timestamp), 1: Span(4, 5, None)}
    assert Manifest.from_json(whole.to_json()) == whole
    for other in ({}, {0: (4, 9)}, {0: (2, 5)}):
        with pytest.raises(LakeError, match="partition 0: the files contain"):
            files.covering(other)


def test_books_survive_the_way_to_the_driver(events: str) -> None:
    files = write(events, [row(1, "pin"), row(2, "login"), row(7, partition=12)])
    again = Manifest.from_json(files.to_json())

    assert again == files
    assert again.spans[12].timestamp == files.spans[12].timestamp
    assert Manifest.from_json(Manifest().to_json()) == Manifest()


def test_a_task_without_rows_has_empty_books(events: str) -> None:
    files = FileWriter(events).close()

    assert files == Manifest()
    assert not list(Path(events).rglob("*.parquet"))
    assert Manifest.together([files, files]) == Manifest()
    full = write(events, [row(0)])
    assert Manifest.together([files, full, files]) == full


def test_tasks_are_put_together(events: str) -> None:
    parts = [write(events, [row(5)]), write(events, [row(3, "pin"), row(1, partition=1)]), write(events, [row(9)])]
    together = Manifest.together(parts)

    assert together.files == [file for part in parts for file in part.files]
    assert together.rows == {"repin": 3, "pin": 1}
    assert {p: (s.start, s.end) for p, s in together.spans.items()} == {0: (3, 10), 1: (1, 2)}
    assert together.spans[0].timestamp == NOON + timedelta(seconds=9)


def test_an_offset_twice_in_one_write_is_refused(events: str) -> None:
    with pytest.raises(LakeError, match="partition 4: the batch holds an offset twice; it was not committed"):
        write(events, [row(1, partition=4), row(1, "pin", partition=4)])


def test_the_same_offset_of_two_partitions_is_fine(events: str) -> None:
    assert set(write(events, [row(1), row(1, partition=1)]).spans) == {0, 1}


@pytest.mark.parametrize("second", [range(4, 6), range(0, 1), range(2, 3), range(0, 9), range(4, 5)])
def test_offsets_that_overlap_are_refused(events: str, second: range) -> None:
    first = [row(n) for n in range(5)]
    again = [row(n, "pin") for n in second]
    overlap = rf"partition 0: offsets \[{second.start}, {second.stop}\) and \[0, 5\) of one batch overlap"

    with pytest.raises(LakeError, match=overlap):
        write(events, first, again)
    parts = write(events, first), write(events, again)
    with pytest.raises(LakeError, match=overlap):
        Manifest.together(parts)


def test_writes_that_only_touch_do_not_overlap(events: str) -> None:
    assert write(events, [row(0), row(1)], [row(2)]).spans[0].end == 3
    assert write(events, [row(2)], [row(0), row(1)]).spans[0].start == 0


def test_columns_come_in_any_order(events: str) -> None:
    rows = table([row(1, user_id=7)])
    writer = FileWriter(events)
    writer.write(rows.select(rows.column_names[::-1]))

    (file,) = writer.close().files
    assert pq.read_table(Path(events) / file.path, partitioning=None)["user_id"].to_pylist() == [7]


def test_a_missing_column_is_refused(events: str) -> None:
    with pytest.raises(KeyError, match="user_id"):
        FileWriter(events).write(table([row(1)]).drop_columns(["user_id"]))
