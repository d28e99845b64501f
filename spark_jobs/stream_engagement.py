"""The stream: Kafka -> parsed, enriched events -> the lake, one atomic commit per micro-batch.

Runs until SIGTERM, which finishes the batch in hand and exits 0. Exit 3: another driver is running. Where it goes on
is read from the lake, not from the checkpoint (ADR 0001): each start makes a fresh checkpoint at the lake's offsets.
"""

import json
import logging
import sys
import time
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery

from pinwheel import driver, kafka, lake
from pinwheel.errors import FencedError, PinwheelError
from pinwheel.landing import Landing, append_pins, written_files
from pinwheel.settings import GeoSettings, PinLookupSettings, StreamSettings, load
from spark_jobs.lookups import find_pins_with, locate_with
from spark_jobs.stopping import StopSwitch
from spark_jobs.transforms.enrich import FindPins, Locate, with_location, with_pin
from spark_jobs.transforms.parse import Limits, with_columns, with_extra, with_fields, with_text, with_verdict
from spark_jobs.transforms.rows import to_few_files, to_lake_rows

log = logging.getLogger("pinwheel.stream")

BROKER_WAIT_SECONDS = 60.0  # a broker that is starting beside us is up by then
SESSION_OPTIONS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "false",  # re-planning costs more than it saves on batches this small (measured)
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",  # a doubled JSON key must not end the stream
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # what Delta wants, not INT96
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
    "spark.sql.streaming.minBatchesToRetain": "10",  # the checkpoint serves this run only
    "spark.sql.shuffle.partitions": "4",
    # The JIT leaves methods over 8,000 bytes interpreted; Spark shall split what would become one.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}


def main() -> int:
    """Drive the stream until it is told to stop; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        settings = load(StreamSettings)
        with driver.hold_lock(settings.driver_lock_path):
            return drive(settings)
    except FencedError as error:
        log.error("%s", error)
        return driver.ALREADY_RUNNING
    except PinwheelError as error:
        log.error("%s", error)
        return 1


def drive(settings: StreamSettings) -> int:
    """Start the query where the lake ends, and see it through."""
    partitions = kafka.partitions(settings, BROKER_WAIT_SECONDS)
    lake.create_tables(settings.events_uri, settings.pins_uri)
    starting = lake.landed_offsets(settings.events_uri, settings.topic, partitions)
    spark = session(settings)
    stop = StopSwitch(spark)
    query = start(spark, settings, {p: starting.get(p, -2) for p in partitions}, stop)  # -2: the earliest there is
    log.info("started topic=%s from=%s", settings.topic, starting)
    stop.wait(query, every_seconds=settings.pins_interval_seconds, do=lambda: save_pins(settings))
    save_pins(settings)
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


def start(spark: SparkSession, settings: StreamSettings, offsets: dict[int, int], stop: StopSwitch) -> StreamingQuery:
    """Start the query at ``offsets`` (Kafka partition -> next offset)."""
    options = {f"kafka.{key}": value for key, value in settings.kafka_options.items()}
    records = (
        spark.readStream.format("kafka")
        .options(**options)
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap)
        .option("subscribe", settings.topic)
        .option("startingOffsets", json.dumps({settings.topic: {str(p): o for p, o in offsets.items()}}))
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .option("failOnDataLoss", "true")
        .load()
    )
    writer = BatchWriter(settings, Landing(settings.events_uri, settings.topic))
    return (
        records.writeStream.foreachBatch(stop.guard(writer.land))
        .option("checkpointLocation", f"{settings.checkpoint_uri}/{uuid4()}")
        .trigger(processingTime=f"{settings.trigger_seconds} seconds")
        .start()
    )


def to_rows(records: DataFrame, limits: Limits, find_pins: FindPins, locate: Locate) -> DataFrame:
    """Kafka records (value, partition, offset, timestamp) -> rows of the lake; one row per record."""
    text = with_text(with_lineage(records), limits.max_value_bytes)
    judged = with_extra(with_verdict(with_columns(with_fields(text)), limits))
    return to_lake_rows(with_location(with_pin(judged, find_pins), locate))


def with_lineage(records: DataFrame) -> DataFrame:
    """Kafka's own columns under the lake's names."""
    return records.selectExpr(
        "value", "partition AS kafka_partition", "offset AS kafka_offset", "timestamp AS kafka_timestamp"
    )


class BatchWriter:
    """Lands micro-batches."""

    def __init__(self, settings: StreamSettings, landing: Landing) -> None:
        self.settings = settings
        self.landing = landing
        self.limits = Limits(settings.max_value_bytes, settings.max_future_seconds, settings.max_past_days)
        self.find_pins = find_pins_with(load(PinLookupSettings))
        self.locate = locate_with(load(GeoSettings))
        self.last_rows = settings.max_offsets_per_trigger  # what is not known yet is taken as large

    def land(self, records: DataFrame, batch_id: int) -> None:
        """Write one batch's files, then commit them.

        Dying before the commit leaves files that no version names; dying after it, the next start reads the moved
        offsets from the lake. Running twice is refused by the commit (FencedError).
        """
        began = time.monotonic()
        folder = f"batch-{uuid4()}"
        rows = to_rows(records, self.limits, self.find_pins, self.locate)
        small = self.last_rows <= self.settings.single_task_rows  # the last batch's size is free to know
        parallelism = records.sparkSession.sparkContext.defaultParallelism
        path = f"{self.settings.events_uri}/{folder}".replace("s3://", "s3a://")
        few = to_few_files(rows, row_count_is_small=small, parallelism=parallelism)
        few.write.partitionBy("event_date", "event_type").parquet(path)
        files = written_files(self.settings.events_uri, folder)
        if files.actions:
            self.landing.commit(files)
        self.last_rows = sum(files.rows.values())
        log.info(
            "landed batch=%d version=%d rows=%s seconds=%.2f",
            batch_id,
            self.landing.version,
            files.rows,
            time.monotonic() - began,
        )


def save_pins(settings: StreamSettings) -> None:
    """Copy the pins of new versions to the ``pins`` table; what dies here is done by the next call."""
    added = append_pins(settings.events_uri, settings.pins_uri)
    if added:
        log.info("saved pins=%d", added)


if __name__ == "__main__":
    sys.exit(main())
