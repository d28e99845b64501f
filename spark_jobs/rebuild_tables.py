"""The rebuild of reporting tables as a Spark job (``PINWHEEL_LAKE_ENGINE=spark``), for a lake too large for one task.

Delta for Spark reads the pinned version; each part is prepared, judged and loaded by ``pinwheel.merge.rebuild``, as in
a merge session, in a task of its own. The table's merge session then exchanges the tables.
Submitted by dags/rebuild_tables.py with the names of the tables.
"""

import logging
import sys
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES, landed_columns
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MergeSettings, load
from pinwheel.merge import rebuild
from pinwheel.merge.rebuild import Rebuild
from spark_jobs import delta_session
from spark_jobs.rebuild_task import LOADED, loader

log = logging.getLogger("pinwheel.rebuild")

FILE = {"file_day": "event_date", "file_name": "_metadata.file_name"}  # what names a row's file


def main() -> int:
    """Load what is missing of these tables; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        settings = load(MergeSettings)
        spark = delta_session.session("rebuild-tables", {})
        for table in sys.argv[1:]:
            load_table(spark, settings, table)
    except PinwheelError as error:
        log.error("%s", error)
        return 1
    return 0


def load_table(spark: SparkSession, settings: MergeSettings, table: str) -> int:
    """Load the missing parts of a table that Spark is to rebuild; returns their number of rows.

    If it dies, the parts that are loaded stay loaded, and the next run loads the others.
    """
    with memsql.connect(settings) as connection:
        found = rebuild.waiting(connection, table)
        connection.commit()
        if found is None or rebuild.is_mine(found):
            log.info("nothing to load table=%s", table)
            return 0
        rebuild.begin(found, settings, connection)
        missing, parts = rebuild.missing_parts(found, settings, connection)
        rows = 0
        if missing:
            of_parts = with_part(snapshot(spark, settings, found), missing)
            loaded = of_parts.groupBy("part").applyInArrow(loader(settings, found), LOADED).collect()
            rows = sum(part.rows for part in loaded)
        rebuild.all_loaded(connection, found, parts)
    log.info("loaded table=%s rows=%d", table, rows)
    return rows


def snapshot(spark: SparkSession, settings: MergeSettings, found: Rebuild) -> DataFrame:
    """The table's rows in the pinned version, each with its file's day and name: files of several days share a name."""
    kind = TABLES[found.table]
    events = spark.read.format("delta").option("versionAsOf", found.version)
    return (
        events.load(delta_session.spark_uri(settings.events_uri))
        .where(F.col("event_type") == kind.name)
        .select(*landed_columns(kind), *(F.col(c).cast("string").alias(n) for n, c in FILE.items()))
    )


def with_part(rows: DataFrame, parts: dict[int, list[str]]) -> DataFrame:
    """Add the number of each row's part; rows of other files are left out.

    Args:
        rows: with the columns of ``FILE``.
        parts: by number, the paths of the files: ``event_date=2026-03-14/event_type=repin/part-….parquet``.
    """
    files = [(path.split("/")[0].partition("=")[2], PurePosixPath(path).name, n) for n in parts for path in parts[n]]
    known = rows.sparkSession.createDataFrame(files, "file_day string, file_name string, part int")
    return rows.join(F.broadcast(known), on=list(FILE), how="inner").drop(*FILE)


if __name__ == "__main__":
    sys.exit(main())
