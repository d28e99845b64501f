"""A table that a Spark job loads, several parts at once, equals the one that was merged slice by slice."""

from collections.abc import Iterator

import pytest
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from pinwheel.clients.memsql import Connection
from pinwheel.clients.spark import REBUILD_TABLES
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import LakeJobSettings, MergeSettings, load
from pinwheel.merge import rebuild
from spark_jobs import delta_session
from spark_jobs.rebuild_tables import load_table, snapshot, with_part
from tests.support.lakes import NOON, delete, event, hours, land, update
from tests.support.rebuilds import events, everything, work
from tests.support.spark import SMALL, cluster
from tests.support.types import Query

pytestmark = pytest.mark.usefixtures("starts_jvm")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch, cluster(REBUILD_TABLES, load(LakeJobSettings), folder, patch):
        yield delta_session.session("rebuild-tables", SMALL)


@pytest.fixture
def small(settings: MergeSettings) -> MergeSettings:
    return settings.model_copy(update={"merge_slice_rows": 5})


def test_it_equals_what_was_merged(
    spark: SparkSession, small: MergeSettings, settings: MergeSettings, connection: Connection, query: Query
) -> None:
    land(settings.lake_uri, [*events(), event("repin", "bad", 101, latitude=99.0)])
    update(settings.lake_uri, "event_id = 'e5'", {"user_id": "77"})
    delete(settings.lake_uri, "event_id = 'e9'")
    work(settings)
    before = everything(query)
    rebuild.request(connection, small, list(before)[:4], "ann", rebuild.SPARK)
    work(small)
    assert {r["state"] for r in query("SELECT state FROM rebuilds")} == {rebuild.REQUESTED}, (
        "sessions leave it to Spark"
    )
    assert [load_table(spark, small, table) for table in list(before)[:4]] == [20, 20, 20, 20]
    now = everything(query)
    now["quarantine"] = [row for row in now["quarantine"] if row["table_name"] in TABLES]
    assert now == before, "readers see the old tables"
    assert load_table(spark, small, "repins") == 0, "twice: nothing is left to load"
    work(small)
    assert everything(query) == before
    assert query("SELECT * FROM rebuilds") == query("SELECT * FROM rebuild_parts") == []


def test_of_deliveries_in_parts_that_load_at_once_the_first_is_kept(
    spark: SparkSession, small: MergeSettings, connection: Connection, query: Query
) -> None:
    for n in range(12):  # the same ten events in twelve files, the first delivery in the last
        late = {"kafka_timestamp": NOON - hours(n), "user_id": n}
        land(small.lake_uri, [event("repin", f"e{i}", 10 * n + i, **late) for i in range(10)])
    rebuild.request(connection, small, ["repins"], "ann", rebuild.SPARK)
    load_table(spark, small, "repins")
    work(small)
    assert query("SELECT user_id, COUNT(*) AS n FROM repins GROUP BY user_id") == [{"user_id": 11, "n": 10}]


def test_files_of_several_days_may_have_the_same_name(
    spark: SparkSession, small: MergeSettings, settings: MergeSettings, connection: Connection
) -> None:
    """A landing task names its files once, whatever the days of its events are."""
    land(settings.lake_uri, [event("repin", f"e{n}", n, occurred_at=NOON - hours(24 * (n % 3))) for n in range(9)])
    one = settings.model_copy(update={"merge_slice_rows": 1})
    rebuild.request(connection, one, ["repins"], "ann", rebuild.SPARK)
    found = rebuild.waiting(connection, "repins")
    assert found is not None
    files, parts = rebuild.missing_parts(found, one, connection)
    assert parts == 3
    counted = with_part(snapshot(spark, one, found), files).groupBy("part").count().collect()
    assert {r.part: r["count"] for r in counted} == {0: 3, 1: 3, 2: 3}


def test_a_job_that_died_goes_on_with_the_parts_that_are_missing(
    spark: SparkSession, small: MergeSettings, settings: MergeSettings, connection: Connection, query: Query
) -> None:
    for n in range(6):
        land(settings.lake_uri, [event("repin", f"e{n}{i}", 10 * n + i) for i in range(5)])
    rebuild.request(connection, small, ["repins"], "ann", rebuild.SPARK)
    with connection.cursor() as cursor:  # no part after the third can be counted
        cursor.execute(
            "CREATE TRIGGER dies BEFORE INSERT ON rebuild_parts FOR EACH ROW "
            "IF NEW.part > 2 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'died here'; END IF"
        )
    with pytest.raises(PythonException, match="died here"):
        load_table(spark, small, "repins")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER dies")
    loaded = len(query("SELECT part FROM rebuild_parts"))
    assert 0 < load_table(spark, small, "repins") <= 30 - 5 * loaded, "a task may have ended after the job"
    work(small)
    assert len(query("SELECT event_id FROM repins")) == 30
