"""Records that end whatever reads them are found by reading ever smaller parts; all others land, once."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinwheel.core.errors import PinwheelError
from pinwheel.lake import events_table
from pinwheel.lake.files import Manifest
from pinwheel.lake.landing import Landing
from pinwheel.stream.attempts import PARTS, Attempt, Attempts
from spark_jobs.careful import Careful
from tests.support.lake_rows import make_lake, row, write

OURS = "events@cluster/one"
STARTS = {0: 0, 1: 0}
Place = tuple[int, int]  # partition, offset


class Death(BaseException):
    """The process has ended: nothing catches it."""


class World:
    """A lake, a topic with bad records, and one driver after the other."""

    def __init__(self, folder: Path, ends: dict[int, int], deadly: set[Place], failing: set[Place]) -> None:
        self.uri, self.ends, self.deadly, self.failing = make_lake(folder), ends, deadly, failing
        self.note, self.alerts, self.drivers, self.is_down = folder / "attempt.json", list[str](), 0, False

    def read(self, partition: int, start: int, end: int) -> Manifest:
        places = {(partition, offset) for offset in range(start, end)}
        if places & self.deadly:
            raise Death
        if self.is_down or places & self.failing:
            raise RuntimeError("a task has failed")
        return write(self.uri, [row(offset, partition=partition) for offset in range(start, end)])

    def landed(self) -> dict[int, int]:
        return STARTS | events_table.landed_offsets(self.uri, OURS, STARTS)

    def drive(self) -> None:
        """As the stream from its start: carefully where the last one ended, else all that is left at once."""
        self.drivers += 1
        attempts, landing = Attempts(self.note), Landing(self.uri, OURS)
        failed = attempts.failed(OURS, self.landed())
        if failed and (until := failed.in_parts):
            Careful(attempts, landing, self.read, lambda _, __, text: self.alerts.append(text)).land(
                failed, until, self.landed()
            )
        spans = {p: (self.landed()[p], end) for p, end in self.ends.items()}
        attempts.again(OURS, spans)
        parts = [self.read(p, *span) for p, span in spans.items() if span[1] > span[0]]
        landing.commit(Manifest.together(parts).covering(spans))

    def run(self, most: int) -> None:
        for _ in range(most):
            try:
                self.drive()
            except (Death, RuntimeError, PinwheelError):
                continue
            return
        raise AssertionError(f"not landed by {most} drivers")

    def rows(self) -> dict[Place, str | None]:
        columns = ["kafka_partition", "kafka_offset", "dead_reason"]
        found = DeltaTable(self.uri).to_pyarrow_table(columns=columns).to_pylist()
        assert len({(r["kafka_partition"], r["kafka_offset"]) for r in found}) == len(found), "a record is there twice"
        return {(r["kafka_partition"], r["kafka_offset"]): r["dead_reason"] for r in found}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., World]:
    return lambda *words, **more: World(tmp_path, *words, **more)


places = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 199)), max_size=3)


@given(places, places)
@example({(0, 0), (1, 0)}, {(0, 1)})
@example({(0, 5), (0, 6), (0, 7), (1, 199)}, {(0, 8)})
@settings(max_examples=5)
def test_bad_records_land_without_their_bytes_and_all_others_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, deadly: set[Place], failing: set[Place]
) -> None:
    world = World(tmp_path_factory.mktemp("world"), {0: 200, 1: 200}, deadly, failing)
    world.run(most=3 + 8 * len(deadly | failing))
    bad = deadly | failing
    everything = [(p, offset) for p in STARTS for offset in range(200)]
    assert world.rows() == {place: "unprocessable" if place in bad else None for place in everything}
    assert len(world.alerts) == len(bad)


def test_a_driver_that_is_killed_once_reads_on_as_usual(make: Callable[..., World]) -> None:
    world = make({0: 100, 1: 100}, set(), {(0, 3)})
    with pytest.raises(RuntimeError):
        world.drive()
    world.failing.clear()
    world.drive()
    assert DeltaTable(world.uri).version() == 1, "one batch, one commit"


def test_records_that_come_meanwhile_do_not_hide_a_failure(make: Callable[..., World]) -> None:
    """Each batch begins at the same offsets, but ends later than the one before."""
    world = make({0: 100, 1: 100}, {(0, 50)}, set())
    for _ in range(12):
        with suppress(Death):
            world.drive()
        world.ends[0] += 10
    assert world.rows()[0, 50] == "unprocessable"
    assert set(world.rows().values()) == {None, "unprocessable"}


def test_a_store_that_is_away_is_not_the_records_fault(make: Callable[..., World]) -> None:
    """However long: when it is back, everything lands as it is."""
    world = make({0: 100, 1: 100}, set(), set())
    world.is_down = True
    raised = []
    for _ in range(30):
        with pytest.raises((RuntimeError, PinwheelError)) as error:
            world.drive()
        raised.append(str(error.value))
    assert any("so the fault is not the record's" in text for text in raised)
    world.is_down = False
    world.run(most=3)
    assert set(world.rows().values()) == {None}
    assert world.alerts == []


def test_what_was_read_in_parts_is_whole_batches_again(make: Callable[..., World]) -> None:
    world = make({0: PARTS * 20, 1: 1}, {(0, 5)}, set())
    world.run(most=12)
    world.ends = {0: PARTS * 40, 1: 1}
    before = DeltaTable(world.uri).version()
    world.drive()
    assert DeltaTable(world.uri).version() == before + 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"log": "x"}', '{"log": 1, "spans": {"a": [1]}, "failures": "x"}'])
def test_a_note_that_cannot_be_read_is_left_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "attempt.json"
    path.write_text(text)
    assert Attempts(path).failed(OURS, STARTS) is None


@pytest.mark.parametrize(("attempt", "why"), [
    (Attempt("events@cluster/two", {0: (0, 5)}), "of another log"),
    (Attempt(OURS, {0: (3, 5)}), "landed, or from another offset"),
    (Attempt(OURS, {0: (0, 0)}), "nothing was read"),
])  # fmt: skip
def test_a_note_of_something_else_is_no_failure(tmp_path: Path, attempt: Attempt, why: str) -> None:
    Attempts(tmp_path / "a").begin(attempt)
    assert Attempts(tmp_path / "a").failed(OURS, STARTS) is None, why
