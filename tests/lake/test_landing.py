"""Exactly once: whatever dies, runs twice or comes at the same time, each offset is in the lake once."""

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from pinwheel.alerts.catalogue import PINS_SKIPPED, Alert
from pinwheel.core.errors import FencedError, LakeError
from pinwheel.lake import events_table, landing
from pinwheel.lake.landing import Landing
from pinwheel.lake.pins_table import append_pins
from tests.lake.test_files import FULL_ROW, TOPIC, make_lake, row, table, write


@pytest.fixture
def events(tmp_path: Path) -> str:
    return make_lake(tmp_path)


def offsets(uri: str) -> list[int]:
    return sorted(DeltaTable(uri).to_pyarrow_table(columns=["kafka_offset"])["kafka_offset"].to_pylist())


def test_rows_come_back_as_they_were_written(events: str) -> None:
    rows = [row(0, **FULL_ROW), row(1, "login"), row(2, "dead_letter", dead_value=None), row(3, partition=7)]
    Landing(events, TOPIC).commit(write(events, rows))

    read = events_table.without_views(DeltaTable(events).to_pyarrow_table()).select(table(rows).column_names)
    by_place = [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]
    assert read.sort_by(by_place).to_pylist() == table(rows).sort_by(by_place).to_pylist()


def test_a_commit_moves_the_offsets(events: str) -> None:
    writer = Landing(events, TOPIC)
    writer.commit(write(events, [row(0), row(1), row(40, partition=2)]))
    writer.commit(write(events, [row(2), row(9)]))  # 3 to 8 are transaction markers

    assert events_table.landed_offsets(events, TOPIC, range(4)) == {0: 10, 2: 41}
    assert [c.ends for c in events_table.commits(events, 0)] == [{0: 2, 2: 41}, {0: 10}]
    assert [c.rows for c in events_table.commits(events, 0)] == [{"repin": 3}, {"repin": 2}]


def test_the_same_batch_twice_is_refused(events: str) -> None:
    batch = [row(0), row(1)]
    Landing(events, TOPIC).commit(write(events, batch))

    with pytest.raises(FencedError, match="starts at offset 0"):
        Landing(events, TOPIC).commit(write(events, batch))
    assert offsets(events) == [0, 1]


def test_a_driver_with_an_old_view_is_refused(events: str) -> None:
    old, new = Landing(events, TOPIC), Landing(events, TOPIC)
    new.commit(write(events, [row(0), row(1)]))

    with pytest.raises(FencedError):
        old.commit(write(events, [row(1), row(2)]))
    assert offsets(events) == [0, 1]


def test_two_drivers_that_both_pass_the_check_land_one_batch(events: str) -> None:
    """Without the check, which both have passed in a race, Delta itself lets only the first through."""
    first, second = Landing(events, TOPIC), Landing(events, TOPIC)
    batches = [write(events, [row(0), row(1)]) for _ in range(2)]
    first._append(batches[0])

    with pytest.raises(landing.CommitFailedError):
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


def test_dying_before_the_commit_lands_nothing(events: str) -> None:
    write(events, [row(0), row(1)])
    assert offsets(events) == []

    Landing(events, TOPIC).commit(write(events, [row(0), row(1)]))
    assert offsets(events) == [0, 1]


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

    def conflict(files: Any) -> None:
        tries.append(files)
        raise landing.CommitFailedError("somebody was faster")

    monkeypatch.setattr(writer, "_append", conflict)

    with pytest.raises(LakeError, match="commits in a row"):
        writer.commit(write(events, [row(0)]))
    assert len(tries) == landing.COMMIT_TRIES


def pins_of(uri: str) -> list[tuple[int, str]]:
    rows = DeltaTable(uri).to_pyarrow_table(columns=["pin_id", "title"]).to_pylist()
    return sorted((r["pin_id"], r["title"]) for r in rows)


def test_pins_are_copied_once(events: str) -> None:
    writer, pins = Landing(events, TOPIC), events.replace("events", "pins")
    assert append_pins(events, pins) == 0
    writer.commit(write(events, [row(0, "pin", pin_id=5, title="five"), row(1, pin_id=6, title="a repin")]))
    writer.commit(write(events, [row(2, "pin", pin_id=7, title="seven")]))

    assert append_pins(events, pins) == 2
    assert append_pins(events, pins) == 0
    writer.commit(write(events, [row(3, "login")]))
    assert append_pins(events, pins) == 0
    writer.commit(write(events, [row(4, "pin", pin_id=8, title="eight")]))
    assert append_pins(events, pins) == 1
    assert pins_of(pins) == [(5, "five"), (7, "seven"), (8, "eight")]


def test_a_correction_of_a_pin_event_copies_no_pin_again(events: str) -> None:
    pins = events.replace("events", "pins")
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", pin_id=5, title="five")]))
    append_pins(events, pins)
    DeltaTable(events).update(updates={"city": "'Utrecht'"}, predicate="kafka_offset = 0")

    assert append_pins(events, pins) == 0
    assert pins_of(pins) == [(5, "five")]


def test_a_pin_is_copied_with_all_its_fields(events: str) -> None:
    """delta-rs gives strings as views, which Arrow's kernels do not take."""
    pins = events.replace("events", "pins")
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", **FULL_ROW), row(1, "pin", pin_id=6)]))
    append_pins(events, pins)

    full, bare = sorted(DeltaTable(pins).to_pyarrow_table().to_pylist(), key=lambda pin: -pin["pin_id"])
    renamed = {"creator_id": "pin_creator_id", "board_id": "pin_board_id", "created_at": "pin_created_at"}
    given = row(0, **FULL_ROW)
    assert full == {name: given[renamed.get(name, name)] for name in events_table.pins_schema().names}
    assert {name for name, value in bare.items() if value is not None} == {"pin_id", "kafka_timestamp"}


def test_two_that_copy_pins_at_once_copy_them_once(events: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one commits after this one has looked."""
    pins, write_deltalake = events.replace("events", "pins"), landing.write_deltalake
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", pin_id=5, title="five")]))
    others: list[int] = []

    def be_second(*args: Any, **words: Any) -> None:
        monkeypatch.setattr(landing, "write_deltalake", write_deltalake)
        others.append(append_pins(events, pins))
        write_deltalake(*args, **words)

    monkeypatch.setattr(landing, "write_deltalake", be_second)

    assert (append_pins(events, pins), others) == (0, [1])
    assert pins_of(pins) == [(5, "five")]


def pinless(writer: Landing, first: int, count: int) -> None:
    for n in range(first, first + count):
        writer.commit(write(writer.uri, [row(n, "login")]))


def forget(uri: str, versions: range) -> None:
    """As log clean-up does."""
    DeltaTable(uri).create_checkpoint()
    for version in versions:
        Path(uri, "_delta_log", f"{version:020}.json").unlink()


def test_the_position_moves_without_pins_too_but_not_each_time(events: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "PINS_STRIDE", 5)
    writer, pins, moved = Landing(events, TOPIC), events.replace("events", "pins"), []
    for n in range(12):
        pinless(writer, n, 1)
        assert append_pins(events, pins) == 0
        moved.append(landing.pins_copied_to(pins))

    assert moved == [0] * 4 + [5] * 5 + [10] * 3
    assert DeltaTable(pins).version() == 2
    forget(events, range(1, 10))
    writer.commit(write(events, [row(12, "pin", pin_id=5, title="five")]))
    assert append_pins(events, pins, nobody) == 1


def nobody(alert: Alert, subject: str, message: str) -> None:
    raise AssertionError(message)


def test_versions_that_are_gone_are_skipped_and_told(events: str) -> None:
    writer, pins, told = Landing(events, TOPIC), events.replace("events", "pins"), []
    writer.commit(write(events, [row(0, "pin", pin_id=5, title="gone from the log")]))
    pinless(writer, 1, 3)
    writer.commit(write(events, [row(4, "pin", pin_id=6, title="six")]))
    forget(events, range(3))

    assert append_pins(events, pins, lambda *alert: told.append(alert)) == 1
    assert append_pins(events, pins, nobody) == 0
    assert pins_of(pins) == [(6, "six")]
    ((alert, subject, message),) = told
    assert (alert, subject) == (PINS_SKIPPED, "pins")
    assert "versions 1 to 2 of" in message

    landing.rebuild_pins(events, pins)
    assert pins_of(pins) == [(5, "gone from the log"), (6, "six")]
    assert append_pins(events, pins, nobody) == 0


def test_what_was_skipped_is_told_once_also_when_no_pin_came_after_it(events: str) -> None:
    writer, pins, told = Landing(events, TOPIC), events.replace("events", "pins"), []
    pinless(writer, 0, 5)
    forget(events, range(3))

    for _ in range(2):
        assert append_pins(events, pins, lambda *alert: told.append(alert)) == 0
    assert len(told) == 1


def test_another_error_is_not_taken_for_versions_that_are_gone(events: str) -> None:
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", pin_id=5)]))
    for file in Path(events).rglob("*.parquet"):
        file.write_bytes(b"broken")

    with pytest.raises(Exception, match=r"(?i)parquet"):
        append_pins(events, events.replace("events", "pins"), nobody)


def test_pins_are_rebuilt_with_all_their_fields(events: str) -> None:
    pins = events.replace("events", "pins")
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", **FULL_ROW), row(1, pin_id=6)]))
    append_pins(events, pins)
    copied = DeltaTable(pins).to_pyarrow_table().to_pylist()

    landing.rebuild_pins(events, pins)
    assert DeltaTable(pins).to_pyarrow_table().to_pylist() == copied
