"""A micro-batch is landed with all offsets that were read, and only from the log that the driver started with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pinwheel.core.errors import SourceLogError
from pinwheel.core.settings import StreamSettings
from pinwheel.lake import events_table
from pinwheel.lake.events_table import Span
from pinwheel.lake.files import Manifest
from pinwheel.lake.landing import Landing
from pinwheel.stream.attempts import Attempts
from spark_jobs import stream_engagement
from spark_jobs.stream_engagement import Batches, BatchWriter
from tests.support.lake_rows import make_lake, row, write

OURS, OTHER = "events@cluster/one", "events@cluster/two"


class Records:
    """A DataFrame whose tasks have written these files."""

    def __init__(self, manifest: Manifest) -> None:
        self.written = manifest.to_json()
        self.sparkSession = SimpleNamespace(sparkContext=SimpleNamespace(defaultParallelism=1))  # as Spark spells it

    def selectExpr(self, *_: str) -> "Records":
        return self

    def coalesce(self, _: int) -> "Records":
        return self

    def mapInArrow(self, *_: Any) -> "Records":
        return self

    def collect(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(manifest=self.written)]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return make_lake(tmp_path)


@pytest.fixture
def batches() -> Batches:
    return Batches(lambda: OURS, lambda: {0: 5, 1: 2}, lambda: {0: 5, 1: 2}, {0: 0, 1: 0})


@pytest.fixture
def writer(uri: str, batches: Batches, monkeypatch: pytest.MonkeyPatch) -> BatchWriter:
    monkeypatch.setattr(stream_engagement, "writer", lambda _: None)
    return BatchWriter(StreamSettings(), Landing(uri, OURS), batches, Attempts(Path(uri).parent / "attempt.json"))


def landed(uri: str, log: str = OURS) -> dict[int, int]:
    return events_table.landed_offsets(uri, log, [0, 1])


def test_offsets_without_a_record_are_landed_too(uri: str, writer: BatchWriter, batches: Batches) -> None:
    writer.land(Records(write(uri, [row(1), row(3)])), 0)  # type: ignore[arg-type]
    assert landed(uri) == {0: 5, 1: 2}
    batches.ends = lambda: {0: 6, 1: 2, 2: 1}  # markers alone, one in a partition that is new
    writer.land(Records(Manifest()), 1)  # type: ignore[arg-type]
    commits = [c for c in events_table.commits(events_table.open_table(uri), 0) if c.rows is not None]
    assert [c.rows for c in commits] == [{"repin": 2}, {}]
    assert commits[1].spans == {0: Span(5, 6, None), 2: Span(0, 1, None)}
    writer.land(Records(Manifest()), 2)  # type: ignore[arg-type]
    assert len(events_table.commits(events_table.open_table(uri), 0)) == 2, "no offset, no commit"


def test_a_full_batch_says_how_many_records_wait_behind_it(uri: str, writer: BatchWriter, batches: Batches) -> None:
    batches.log_ends = lambda: {0: 9, 1: 2, 2: 7}  # a new partition, which the query does not read yet
    writer.land(Records(write(uri, [row(1)])), 0)  # type: ignore[arg-type]
    batches.ends = lambda: {0: 8, 1: 2}
    writer.settings = StreamSettings(max_offsets_per_trigger=3)
    writer.land(Records(write(uri, [row(6)])), 1)  # type: ignore[arg-type]
    commits = [c for c in events_table.commits(events_table.open_table(uri), 0) if c.rows is not None]
    assert [c.behind for c in commits] == [0, 1]


def test_a_topic_made_anew_under_a_running_stream_is_refused(uri: str, writer: BatchWriter, batches: Batches) -> None:
    batches.log_id = lambda: OTHER
    with pytest.raises(SourceLogError, match=f"the topic was {OURS} when the driver started; it is {OTHER} now"):
        writer.land(Records(write(uri, [row(0)])), 0)  # type: ignore[arg-type]
    assert landed(uri) == landed(uri, OTHER) == {}
