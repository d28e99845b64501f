"""The stream: Kafka -> parsed, enriched events -> the lake, one atomic commit per micro-batch.

Runs until SIGTERM; then it finishes the current batch and exits 0. Exit code 3: another driver is running. It resumes
from the lake's offsets, not from a checkpoint (ADR 0001): each start makes a new checkpoint at those offsets.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from pinwheel.alerts.raising import raise_alert
from pinwheel.clients import kafka
from pinwheel.core.atomic import PRIVATE
from pinwheel.core.errors import FencedError, MissingPartError, PinwheelError, SourceLogError
from pinwheel.core.settings import StreamSettings, load
from pinwheel.lake import events_table
from pinwheel.lake.files import Manifest
from pinwheel.lake.landing import Landing
from pinwheel.stream import driver_lock, source_log
from pinwheel.stream.attempts import Attempts
from spark_jobs import wild_times
from spark_jobs.careful import Careful
from spark_jobs.landing_task import MANIFEST_SCHEMA, Write, writer
from spark_jobs.stopping import StopSwitch

log = logging.getLogger("pinwheel.stream")

BROKER_WAIT_SECONDS = 60.0  # a broker that is started with us is up by then
PATIENTLY = Retrying(  # a broker that is restarted is back by then
    retry=retry_if_exception_type(MissingPartError), stop=stop_after_delay(60), wait=wait_fixed(1), reraise=True
)
ATTEMPT = "attempt.json"  # next to the driver's lock
FULL = 0.9  # of the most offsets that a batch may have; Spark shares them out over partitions, and rounds
READ_OPTIONS = {
    "kafka.isolation.level": "read_committed",  # records of aborted transactions never land
    # With the client's defaults, 500 records and 1 MB, a backlog costs the broker three times as much.
    "kafka.max.poll.records": "10000",
    "kafka.max.partition.fetch.bytes": "8388608",
}
SESSION_OPTIONS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",  # bounds a task's memory, with the next line
    "spark.sql.execution.arrow.maxBytesPerBatch": "64MB",
    "spark.sql.streaming.minBatchesToRetain": "10",  # the checkpoint is used in this run only
    "spark.hadoop.fs.permissions.umask-mode": f"{PRIVATE:03o}",  # of the checkpoint; Hadoop has one of its own
}


def main() -> int:
    """Run the stream until SIGTERM; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        settings = load(StreamSettings)
        with driver_lock.hold_lock(settings.driver_lock_path):
            return drive(settings)
    except FencedError as error:
        log.error("%s", error)
        return driver_lock.ALREADY_RUNNING
    except PinwheelError as error:
        log.error("%s", error)
        return 1


def drive(settings: StreamSettings) -> int:
    """Start the query at the lake's offsets and wait until it is stopped; returns the exit code."""
    kafka.partitions(settings, BROKER_WAIT_SECONDS)
    events_table.create_table(settings.events_uri)
    source, starting = source_log.claim(settings)
    spark = session(settings)
    stop = StopSwitch(spark)
    attempts, landing = Attempts(settings.driver_lock_path.with_name(ATTEMPT)), Landing(settings.events_uri, source)
    failed = attempts.failed(source, starting)
    if failed and (until := failed.in_parts):
        log.warning("failed=%d times records=%d: reading them in smaller parts", failed.failures, failed.records)
        read = partial(read_part, spark, settings, writer(settings))
        starting = Careful(attempts, landing, read, raise_alert, stop.is_asked).land(failed, until, starting)
    reader = kafka.LogReader(settings)
    log_ends = partial(PATIENTLY, kafka.end_offsets, settings)
    batches = Batches(partial(PATIENTLY, reader.log_id), lambda: batch_ends(spark, settings.topic), log_ends, starting)
    writing = BatchWriter(settings, landing, batches, attempts)
    query = start(spark, settings, starting, stop.guard(writing.land))
    log.info("started log=%s from=%s", source, starting)
    stop.wait(query)
    spark.stop()
    log.info("stopped")
    return 0


def session(settings: StreamSettings) -> SparkSession:
    """The Spark session; master, memory and jars come from spark-submit."""
    builder = SparkSession.builder.appName("pinwheel-stream-engagement")
    for key, value in SESSION_OPTIONS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    return spark


def start(
    spark: SparkSession, settings: StreamSettings, offsets: dict[int, int], land: Callable[[DataFrame, int], None]
) -> StreamingQuery:
    """Start the query at ``offsets`` (Kafka partition -> next offset)."""
    records = (
        spark.readStream.format("kafka")
        .options(**kafka.spark_options(settings), **READ_OPTIONS)
        .option("subscribe", settings.topic)
        .option("startingOffsets", _as_json(settings.topic, offsets))
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .option("minOffsetsPerTrigger", settings.min_offsets_per_trigger)
        .option("maxTriggerDelay", f"{settings.max_trigger_delay_seconds * 1000:.0f}ms")
        .option("failOnDataLoss", "true")
        .load()
    )
    return (
        records.writeStream.foreachBatch(land)
        .option("checkpointLocation", f"{settings.checkpoint_uri}/{uuid4()}")
        .trigger(processingTime=f"{settings.trigger_seconds} seconds")
        .start()
    )


def read_part(
    spark: SparkSession, settings: StreamSettings, write: Write, partition: int, start: int, end: int
) -> Manifest:
    """Read offsets [start, end) of one partition, and write their files; nothing is committed."""
    few = READ_OPTIONS | {"kafka.max.poll.records": str(min(end - start, int(READ_OPTIONS["kafka.max.poll.records"])))}
    records = (
        spark.read.format("kafka")
        .options(**kafka.spark_options(settings), **few)
        .option("assign", json.dumps({settings.topic: [partition]}))
        .option("startingOffsets", _as_json(settings.topic, {partition: start}))
        .option("endingOffsets", _as_json(settings.topic, {partition: end}))
        .load()
    )
    return written(records, settings, write, 1, {partition: (start, end)})


def written(
    kafka: DataFrame, settings: StreamSettings, write: Write, tasks: int, spans: dict[int, tuple[int, int]]
) -> Manifest:
    """Parse, enrich and write the Kafka records at ``spans`` by a number of tasks: few make few files.

    Files of a read that failed are named by no commit.
    """

    def manifest(records: DataFrame) -> Manifest:
        parts = records.coalesce(tasks).mapInArrow(write, MANIFEST_SCHEMA).collect()
        return Manifest.together(Manifest.from_json(row.manifest) for row in parts)

    try:
        return manifest(to_records(kafka, settings.max_value_bytes))
    except Py4JJavaError as error:
        if not wild_times.have_ended(error):
            raise
        log.warning("reading %s again, by Kafka's client: %s", spans, error.java_exception.getMessage())
        return manifest(wild_times.records(kafka.sparkSession, settings, spans))


def _as_json(topic: str, offsets: dict[int, int]) -> str:
    return json.dumps({topic: {str(p): offset for p, offset in offsets.items()}})


def to_records(kafka: DataFrame, max_value_bytes: int) -> DataFrame:
    """Kafka's columns as ``RECORDS_SCHEMA``; oversized values are truncated here, before any other step."""
    return kafka.selectExpr(
        f"substring(value, 1, {max_value_bytes}) AS value",
        "octet_length(value) AS value_bytes",
        "partition AS kafka_partition",
        "offset AS kafka_offset",
        "timestamp AS kafka_timestamp",
    )


def batch_ends(spark: SparkSession, topic: str) -> dict[int, int]:
    """The next offset after the micro-batch that is being landed, by partition.

    Those offsets may hold no record: markers of transactions, and what compaction has removed. By the records alone, a
    partition that ends with one would be behind for ever. Spark has no API for it; the checkpoint gets the same.
    """
    (query,) = spark.streams.active
    available = query._jsq.streamingQuery().availableOffsets()
    ends = json.loads(available.head()._2().json())[topic]
    return {int(p): offset for p, offset in ends.items()}


@dataclass
class Batches:
    """Where micro-batches come from. ``next_offsets``: of the next batch, by partition."""

    log_id: Callable[[], str]  # which log the topic is now
    ends: Callable[[], dict[int, int]]  # see ``batch_ends``
    log_ends: Callable[[], dict[int, int]]  # the next offset that Kafka will assign, by partition
    next_offsets: dict[int, int]


class BatchWriter:
    """Lands micro-batches."""

    def __init__(self, settings: StreamSettings, landing: Landing, batches: Batches, attempts: Attempts) -> None:
        self.settings = settings
        self.landing = landing
        self.batches = batches
        self.attempts = attempts
        self.write = writer(settings)
        self.last_rows = settings.max_offsets_per_trigger  # not known yet: assume a large batch

    def land(self, kafka: DataFrame, batch_id: int) -> None:
        """Write one batch's files, then commit them.

        If it dies before the commit, it leaves files that no version names; if after it, the next start reads the
        advanced offsets from the lake. The commit refuses a batch that runs twice (FencedError), and one of another
        log: a topic that was made anew while this runs (SourceLogError).
        """
        began = time.monotonic()
        small = self.last_rows <= self.settings.single_task_rows  # counting this batch would cost a pass over it
        tasks = 1 if small else kafka.sparkSession.sparkContext.defaultParallelism
        ends = self.batches.ends()
        spans = {p: (self.batches.next_offsets.get(p, 0), end) for p, end in ends.items()}
        self.attempts.again(self.landing.log, spans)
        manifest = written(kafka, self.settings, self.write, tasks, spans).covering(spans)
        if (now := self.batches.log_id()) != self.landing.log:  # asked after the records were read
            raise SourceLogError(f"the topic was {self.landing.log} when the driver started; it is {now} now")
        if manifest.spans:
            self.landing.commit(manifest, self._behind(manifest))
        self.batches.next_offsets |= ends
        self.last_rows = sum(manifest.rows.values())
        log.info(
            "landed batch=%d version=%d rows=%s seconds=%.2f",
            batch_id,
            self.landing.version,
            manifest.rows,
            time.monotonic() - began,
        )

    def _behind(self, manifest: Manifest) -> int:
        """How many records wait after this batch; asked only of a batch so large that some may have been left out."""
        read = sum(span.end - span.start for span in manifest.spans.values())
        if read < FULL * self.settings.max_offsets_per_trigger:
            return 0
        ends = self.batches.log_ends()
        return sum(max(0, ends[p] - span.end) for p, span in manifest.spans.items() if p in ends)


if __name__ == "__main__":
    sys.exit(main())
