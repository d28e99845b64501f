"""The copy of the pins: each once, whatever dies or comes at the same time; what can't be copied is told."""

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from pinwheel.alerts.catalogue import PINS_SKIPPED
from pinwheel.lake import events_table, pins_table
from pinwheel.lake.landing import Landing
from pinwheel.lake.pins_table import append_pins
from tests.support.lake_rows import FULL_ROW, TOPIC, make_lake, nobody, row, write


@pytest.fixture
def events(tmp_path: Path) -> str:
    return make_lake(tmp_path)


def pins_of(uri: str) -> list[tuple[int, str]]:
    rows = DeltaTable(uri).to_pyarrow_table(columns=["pin_id", "title"]).to_pylist()
    return sorted((r["pin_id"], r["title"]) for r in rows)


def test_pins_are_copied_once(events: str) -> None:
    writer, pins = Landing(events, TOPIC), events.replace("events", "pins")
    assert append_pins(events, pins, nobody) == 0
    writer.commit(write(events, [row(0, "pin", pin_id=5, title="five"), row(1, pin_id=6, title="a repin")]))
    writer.commit(write(events, [row(2, "pin", pin_id=7, title="seven")]))

    assert append_pins(events, pins, nobody) == 2
    assert append_pins(events, pins, nobody) == 0
    writer.commit(write(events, [row(3, "login")]))
    assert append_pins(events, pins, nobody) == 0
    writer.commit(write(events, [row(4, "pin", pin_id=8, title="eight")]))
    assert append_pins(events, pins, nobody) == 1
    assert pins_of(pins) == [(5, "five"), (7, "seven"), (8, "eight")]


def test_a_correction_of_a_pin_event_copies_no_pin_again(events: str) -> None:
    pins = events.replace("events", "pins")
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", pin_id=5, title="five")]))
    append_pins(events, pins, nobody)
    DeltaTable(events).update(updates={"city": "'Utrecht'"}, predicate="kafka_offset = 0")

    assert append_pins(events, pins, nobody) == 0
    assert pins_of(pins) == [(5, "five")]


def test_a_pin_is_copied_with_all_its_fields(events: str) -> None:
    """delta-rs gives strings as views, which Arrow's kernels do not take."""
    pins = events.replace("events", "pins")
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", **FULL_ROW), row(1, "pin", pin_id=6)]))
    append_pins(events, pins, nobody)

    full, bare = sorted(DeltaTable(pins).to_pyarrow_table().to_pylist(), key=lambda pin: -pin["pin_id"])
    renamed = {"creator_id": "pin_creator_id", "board_id": "pin_board_id", "created_at": "pin_created_at"}
    given = row(0, **FULL_ROW)
    assert full == {name: given[renamed.get(name, name)] for name in events_table.pins_schema().names}
    assert {name for name, value in bare.items() if value is not None} == {"pin_id", "kafka_timestamp"}


def test_two_that_copy_pins_at_once_copy_them_once(events: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one commits after this one has looked."""
    pins, write_deltalake = events.replace("events", "pins"), pins_table.write_deltalake
    Landing(events, TOPIC).commit(write(events, [row(0, "pin", pin_id=5, title="five")]))
    others: list[int] = []

    def be_second(*args: Any, **words: Any) -> None:
        monkeypatch.setattr(pins_table, "write_deltalake", write_deltalake)
        others.append(append_pins(events, pins, nobody))
        write_deltalake(*args, **words)

    monkeypatch.setattr(pins_table, "write_deltalake", be_second)

    assert (append_pins(events, pins, nobody), others) == (0, [1])
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
    monkeypatch.setattr(pins_table, "PINS_STRIDE", 5)
    writer, pins, moved = Landing(events, TOPIC), events.replace("events", "pins"), []
    for n in range(12):
        pinless(writer, n, 1)
        assert append_pins(events, pins, nobody) == 0
        moved.append(pins_table.pins_copied_to(pins))

    assert moved == [0] * 4 + [5] * 5 + [10] * 3
    assert DeltaTable(pins).version() == 2
    forget(events, range(1, 10))
    writer.commit(write(events, [row(12, "pin", pin_id=5, title="five")]))
    assert append_pins(events, pins, nobody) == 1


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

    pins_table.rebuild_pins(events, pins)
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
    append_pins(events, pins, nobody)
    copied = DeltaTable(pins).to_pyarrow_table().to_pylist()

    pins_table.rebuild_pins(events, pins)
    assert DeltaTable(pins).to_pyarrow_table().to_pylist() == copied
