"""Compaction as a Spark job leaves what delta-rs leaves: the same rows, nothing for the change feed, one log for both.

One JVM with one executor in a process of its own, as on a cluster.
"""

import json
import os
import random
import string
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark import SparkContext
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession

from pinwheel.clients.spark import COMPACT_TABLES
from pinwheel.core.settings import CompactSettings, load
from pinwheel.lake import events_table
from pinwheel.lake.compaction import LocalEngine, Partition, compact, measure
from pinwheel.lake.landing import Landing
from pinwheel.local.settings import LocalSettings
from spark_jobs import compact_tables
from spark_jobs.compact_tables import SparkEngine
from spark_jobs.delta_session import spark_uri
from spark_jobs.log_store import OPTIONS
from tests.support.lake_rows import FULL_ROW, NOON, TOPIC, make_lake, row, write
from tests.support.places import on_disk_and_in_a_store
from tests.support.spark import SMALL, cluster
from tests.support.store import fetch

pytestmark = pytest.mark.usefixtures("starts_jvm")

TOMORROW = NOON + timedelta(days=1)
KINDS = ("repin", "login")


@pytest.fixture(scope="module")
def spark(store: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session with the options of the job, its jars and an executor of its own."""
    folder = LocalSettings().tools_dir
    fetch(folder, "spark-s3")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.items():
            patch.setenv(name, value)
        settings = load(CompactSettings, lake_uri="s3://anywhere", spark_s3_jars_dir=folder / "jars" / "spark-s3")
        with cluster(COMPACT_TABLES, settings, tmp_path_factory.mktemp("spark"), patch):
            session = compact_tables.session()
            for name, value in SMALL.items():
                session.conf.set(name, value)
            yield session


@pytest.fixture
def settings(place: str) -> CompactSettings:
    make_lake(place)
    return CompactSettings(lake_uri=f"{place}/lake", compact_open_files=6, compact_closed_files=4)


@pytest.fixture
def engine(spark: SparkSession, settings: CompactSettings) -> SparkEngine:
    return SparkEngine(spark, settings)


def land(settings: CompactSettings, commits: int, kinds: tuple[str, ...] = KINDS, **values: Any) -> Landing:
    writer = Landing(settings.events_uri, TOPIC)
    first = writer.landed(0) or 0
    for n in range(first, first + commits * len(kinds), len(kinds)):
        rows = [row(n + i, kind, brand_id=-n % 7, **values) for i, kind in enumerate(kinds)]
        writer.commit(write(settings.events_uri, rows))
    return writer


def rows_of(settings: CompactSettings) -> list[dict[str, Any]]:
    found = DeltaTable(settings.events_uri).to_pyarrow_table().sort_by("kafka_offset")
    return list(events_table.without_views(found).to_pylist())


def files(settings: CompactSettings) -> dict[str, int]:
    return {p.event_type: p.files for p in measure(DeltaTable(settings.events_uri), settings)}


def partition(settings: CompactSettings, kind: str = "repin") -> Partition:
    return next(p for p in measure(DeltaTable(settings.events_uri), settings) if p.event_type == kind)


def go(
    settings: CompactSettings,
    engine: SparkEngine,
    now: datetime = NOON,
    *,
    clean: bool = False,
    unread_since: datetime | None = None,
) -> dict[str, tuple[str, int, int]]:
    done = compact(settings, now, dry_run=False, unread_since=unread_since, clean=clean, engine=engine)
    return {r.event_type: (r.action, r.files_before, r.files_after) for r in done}


def data_changes(settings: CompactSettings, after: int) -> set[bool]:
    """The values of dataChange in the commits after a version; reads the log from a disk."""
    log = Path(settings.events_uri, "_delta_log")
    lines = [line for f in sorted(log.glob("*.json")) if int(f.stem) > after for line in f.read_text().splitlines()]
    actions = [json.loads(line) for line in lines]
    return {a[name]["dataChange"] for a in actions for name in ("add", "remove") if name in a}


def no_data_changed(settings: CompactSettings, after: int) -> bool:
    table = DeltaTable(settings.events_uri)
    feed = table.load_cdf(starting_version=after + 1, ending_version=table.version()).read_all()
    return int(feed.num_rows) == 0


@pytest.mark.parametrize("place", ["bucket"], indirect=True)
def test_few_files_the_same_rows_and_nothing_to_merge(settings: CompactSettings, engine: SparkEngine) -> None:
    """Of the current day: combined. The stream then commits from the view that it had before."""
    writer = land(settings, 8, **{k: v for k, v in FULL_ROW.items() if k not in ("event_id", "brand_id")})
    before, version, protocol = rows_of(settings), writer.version, DeltaTable(settings.events_uri).protocol()
    known = DeltaTable(settings.events_uri).metadata().configuration

    assert go(settings, engine, clean=True) == {"login": ("compact", 8, 1), "repin": ("compact", 8, 1)}
    assert rows_of(settings) == before
    assert no_data_changed(settings, version)
    assert go(settings, engine) == {}, "again: nothing to do"

    writer.commit(write(settings.events_uri, [row(16)]))
    assert writer.landed(0) == 17
    table = DeltaTable(settings.events_uri)
    assert (table.protocol(), table.metadata().configuration) == (protocol, known), "still what delta-rs reads"
    assert table.load_cdf(starting_version=1).read_all().num_rows == len(before) + 1


def test_a_day_that_is_over_is_ordered_as_reports_read_it(settings: CompactSettings, engine: SparkEngine) -> None:
    """Its commits say that no data changed. Statistics are of the same columns as the stream's."""
    version = land(settings, 8).version
    before = rows_of(settings)

    assert go(settings, engine, TOMORROW) == {"login": ("cluster", 8, 1), "repin": ("cluster", 8, 1)}
    assert rows_of(settings) == before
    assert data_changes(settings, version) == {False}
    assert no_data_changed(settings, version)
    table = DeltaTable(settings.events_uri)
    repins = table.to_pyarrow_table(columns=["brand_id"], filters=[("event_type", "=", "repin")])[
        "brand_id"
    ].to_pylist()
    assert repins == sorted(repins)
    known = {n.removeprefix("min.") for n in table.get_add_actions(flatten=True).schema.names if n.startswith("min.")}
    assert "brand_id" in known <= {*events_table.STATISTICS}


def age(settings: CompactSettings, path: str, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(Path(settings.events_uri, path), (then, then))


def test_what_a_reader_may_still_need_is_kept(settings: CompactSettings, engine: SparkEngine) -> None:
    """Delta for Spark would keep one day (delta.deletedFileRetentionDuration), whatever hours VACUUM is given."""
    land(settings, 2)
    old, recent, fresh = (write(settings.events_uri, [row(90 + n)]).files[0].path for n in range(3))
    age(settings, old, days=9)
    age(settings, recent, days=5)
    now = datetime.now(UTC)

    go(settings, engine, now, clean=True, unread_since=now - timedelta(days=10))
    assert Path(settings.events_uri, old).exists(), "taken from a merge that is 10 days behind"
    assert engine.vacuum(settings.vacuum_hours) == 1

    assert {p: Path(settings.events_uri, p).exists() for p in (old, recent, fresh)} == {
        old: False,
        recent: True,
        fresh: True,
    }
    assert len(rows_of(settings)) == 4


def versions(settings: CompactSettings) -> list[int]:
    return sorted(int(path.stem) for path in Path(settings.events_uri, "_delta_log").glob("*.json"))


def test_its_checkpoints_do_not_shorten_the_log(
    settings: CompactSettings, engine: SparkEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only ``compact`` does, which knows how far the merges are. delta-rs reads the table from Spark's checkpoint."""
    land(settings, 6, ("repin",))
    before = rows_of(settings)
    table = DeltaTable(settings.events_uri)
    table.alter.set_table_properties({"delta.checkpointInterval": str(table.version() + 2)})
    for version in versions(settings):
        age(settings, f"_delta_log/{version:020}.json", days=9)

    engine.compact(partition(settings))

    newest = DeltaTable(settings.events_uri).version()
    assert Path(settings.events_uri, f"_delta_log/{newest:020}.checkpoint.parquet").exists()
    assert versions(settings)[0] == 0
    assert not [*Path(settings.events_uri, "_delta_log").glob("[0-9]*.crc")], "the log's clean-up would leave them"
    assert rows_of(settings) == before


class Meanwhile:
    """Lines of a commit, as a Java iterator: another writer takes the version when the first is asked for."""

    def __init__(self, other: Callable[[], object]) -> None:
        self.other = other
        self.lines = ["{}"]

    def hasNext(self) -> bool:
        """Called by the JVM."""
        return bool(self.lines)

    def next(self) -> str:
        """Called by the JVM."""
        self.other()
        return self.lines.pop()

    class Java:
        """The Java interface that this implements, for py4j."""

        implements = ["java.util.Iterator"]  # noqa: RUF012 - py4j reads a list


@on_disk_and_in_a_store
def test_a_commit_of_the_stream_is_never_replaced(
    spark: SparkSession, settings: CompactSettings, engine: SparkEngine
) -> None:
    """Delta's own store for S3 asks whether the version exists, and then writes it."""
    writer = land(settings, 1)
    context = spark.sparkContext
    jvm: Any = context._jvm
    ensure_callback_server_started(context._gateway)  # type: ignore[no-untyped-call]
    version = jvm.org.apache.hadoop.fs.Path(
        f"{spark_uri(settings.events_uri)}/_delta_log/{writer.version + 1:020}.json"
    )
    store = log_store(jvm, context)

    with pytest.raises(Exception, match=r"java\.nio\.file\.FileAlreadyExistsException"):
        store.write(version, Meanwhile(lambda: land(settings, 1)), False, context._jsc.hadoopConfiguration())

    assert Landing(settings.events_uri, TOPIC).landed(0) == 4
    assert len(rows_of(settings)) == 4


def log_store(jvm: Any, context: SparkContext) -> Any:
    """A log store as Delta makes it."""
    gateway: Any = context._gateway
    configuration = context._jsc.hadoopConfiguration()
    name = context.getConf().get(*OPTIONS) or ""
    found = jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(name)
    types, values = (gateway.new_array(kind, 1) for kind in (jvm.java.lang.Class, jvm.java.lang.Object))
    types[0], values[0] = jvm.java.lang.Class.forName("org.apache.hadoop.conf.Configuration"), configuration
    return found.getConstructor(types).newInstance(values)


def test_the_stream_lands_while_it_compacts(settings: CompactSettings, engine: SparkEngine) -> None:
    """Both commit to one log: no commit is lost, none is taken for another driver's."""
    land(settings, 6, ("repin",))
    stop = False

    def keep_landing() -> int:
        landed = 0
        while not stop:
            land(settings, 1, ("repin",))
            landed += 1
            time.sleep(0.1)  # twenty times as often as the stream
        return landed

    with ThreadPoolExecutor(1) as pool:
        landing = pool.submit(keep_landing)
        try:
            done = go(settings, engine)
        finally:
            stop = True
        landed = landing.result()

    assert landed > 5
    assert done["repin"][1] < 6 + landed
    assert [r["kafka_offset"] for r in rows_of(settings)] == list(range(6 + landed))
    assert Landing(settings.events_uri, TOPIC).landed(0) == 6 + landed


def test_another_compaction_of_the_same_day_wins(
    spark: SparkSession, settings: CompactSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """As when the job of a killed task still runs: the second commit is refused, and left to the next run."""
    settings = settings.model_copy(update={"compact_target_mb": 1, "compact_open_files": 4})
    noise = random.Random(1)  # text that does not compress
    for _ in range(4):
        text = "".join(noise.choices(string.printable, k=500_000))
        land(settings, 1, ("repin",), text=text)
    before, folder = rows_of(settings), next(Path(settings.events_uri).glob("*/event_type=repin"))
    seen = {*folder.glob("*.parquet")}

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(go, settings, SparkEngine(spark, settings))
        while {*folder.glob("*.parquet")} == seen and not running.done():
            time.sleep(0.005)
        LocalEngine(settings.model_copy(update={"compact_target_mb": 128})).compact(partition(settings))
        assert running.result() == {"repin": ("compact", 4, 1)}

    assert "commit conflict, next run retries" in caplog.text
    assert rows_of(settings) == before


def test_a_run_that_died_is_finished_by_the_next(
    settings: CompactSettings, engine: SparkEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(settings, 6)
    before, whole = rows_of(settings), SparkEngine.compact

    def dies(self: SparkEngine, found: Partition) -> None:
        if found.event_type == "repin":
            raise KeyboardInterrupt
        whole(self, found)

    monkeypatch.setattr(SparkEngine, "compact", dies)
    with pytest.raises(KeyboardInterrupt):
        go(settings, engine)
    monkeypatch.undo()
    assert files(settings) == {"login": 1, "repin": 6}

    assert go(settings, engine) == {"repin": ("compact", 6, 1)}
    assert rows_of(settings) == before
