"""Compaction as a Spark job (``PINWHEEL_LAKE_ENGINE=spark``): OPTIMIZE and VACUUM by Delta for Spark.

``pinwheel.lake.compaction`` decides which partitions are rewritten and how much is kept for readers that are behind, as
for the other engine. Submitted by dags/compact_tables.py; with ``--clean`` it also removes old files.
"""

import logging
import sys
from datetime import UTC, datetime

from delta import exceptions as delta
from delta.tables import DeltaOptimizeBuilder, DeltaTable
from deltalake import DeltaTable as Log
from deltalake.exceptions import CommitFailedError
from pyspark.sql import SparkSession

from pinwheel.core.contract import LAKE_PARTITIONS
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import CompactSettings, load
from pinwheel.lake.compaction import CLEAN, Partition, compact
from pinwheel.operate.retention import oldest_unread
from spark_jobs import delta_session, log_store
from spark_jobs.delta_session import spark_uri

log = logging.getLogger("pinwheel.compact")

SESSION_OPTIONS = {
    **log_store.OPTIONS,
    # Delta 4.4 ignores the hours that VACUUM is given, and would keep one day: not what the merge still has to read.
    "spark.databricks.delta.vacuum.retentionWindowIgnore.enabled": "false",
    "spark.databricks.delta.vacuum.parallelDelete.enabled": "true",
    "spark.databricks.delta.vacuum.logging.enabled": "true",  # off in stores; has the number of removed files
    "spark.databricks.delta.writeChecksumFile.enabled": "false",  # delta-rs neither reads nor removes them
    # No statistics of occurred_at: see events_table.STATISTICS.
    "spark.databricks.delta.optimize.zorder.checkStatsCollection.enabled": "false",
    "spark.databricks.io.skipping.mdc.sortWithinFiles": "true",  # so that readers skip row groups too
    "spark.sql.parquet.compression.codec": "zstd",
    # The default is 10,000: VACUUM's listing would take a minute for an empty lake.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",
}
CONFLICTS = (  # each stands alone: the first is not the base of the others
    delta.DeltaConcurrentModificationException,
    delta.ConcurrentAppendException,
    delta.ConcurrentDeleteDeleteException,
    delta.ConcurrentDeleteReadException,
    delta.ConcurrentWriteException,
    delta.MetadataChangedException,
)
HISTORY = 100  # commits in which VACUUM's own is looked for: those of the stream in three minutes


class SparkEngine:
    """OPTIMIZE and VACUUM in the session's executors; see ``pinwheel.lake.compaction.Engine``."""

    def __init__(self, spark: SparkSession, settings: CompactSettings) -> None:
        target = settings.compact_target_mb * 2**20
        spark.conf.set("spark.databricks.delta.optimize.minFileSize", target)
        spark.conf.set("spark.databricks.delta.optimize.maxFileSize", target)
        self.uri = settings.events_uri
        self.table = DeltaTable.forPath(spark, spark_uri(settings.events_uri))

    def compact(self, partition: Partition) -> None:
        """Dies before the commit: no version names its files. Twice: the second finds one file per target size."""
        try:
            self._optimize(partition).executeCompaction()
        except CONFLICTS as error:
            raise CommitFailedError(str(error)) from error

    def cluster(self, partition: Partition, columns: tuple[str, ...]) -> None:
        """Dies before the commit: no version names its files. Twice: the same rows are ordered again."""
        try:
            self._optimize(partition).executeZOrderBy(*columns)
        except CONFLICTS as error:
            raise CommitFailedError(str(error)) from error

    def _optimize(self, partition: Partition) -> DeltaOptimizeBuilder:
        chosen = " AND ".join(f"{name} = '{getattr(partition, name)}'" for name in LAKE_PARTITIONS)
        return self.table.optimize().where(chosen)

    def vacuum(self, hours: int) -> int:
        """Dies in the middle: the rest is removed by the next. Twice at once: each removes what is there."""
        self.table.vacuum(hours)
        ends = (commit for commit in Log(self.uri).history(HISTORY) if commit["operation"] == "VACUUM END")
        return int(next(ends)["operationMetrics"]["numDeletedFiles"])


def session() -> SparkSession:
    """The Spark session, with the log store."""
    spark = delta_session.session("compact-tables", SESSION_OPTIONS)
    log_store.install(spark)
    return spark


def main() -> int:
    """Compact once; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        settings = load(CompactSettings)
        engine = SparkEngine(session(), settings)
        unread_since = oldest_unread(settings)  # now, not before the wait for executors
        compact(settings, datetime.now(UTC), False, unread_since, clean=CLEAN in sys.argv, engine=engine)
    except PinwheelError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
