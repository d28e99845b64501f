"""Reads records with Kafka times that Spark's source can't take, such as nanoseconds as milliseconds.

Only a topic that keeps the producers' times has them. Spark's source fails with their batch; Kafka's client does not.
"""

from collections.abc import Iterator

import pyarrow as pa
from confluent_kafka import Message
from pyspark.sql import DataFrame, SparkSession

from pinwheel.clients import kafka
from pinwheel.core.settings import StreamSettings
from pinwheel.core.times import of_milliseconds
from spark_jobs.transforms.parse import RECORDS_SCHEMA

MADE_BY = "kafkaMalformedRecordTimestamp"  # what makes the error in Spark, as its traceback says
SCHEMA = "value binary, value_bytes int, kafka_partition int, kafka_offset bigint, kafka_timestamp timestamp"
MOST_RECORDS, MOST_BYTES = 10_000, 64_000_000  # of an Arrow batch


def have_ended(error: Exception) -> bool:
    """Whether a read has failed because of them."""
    return MADE_BY in str(error)


def records(spark: SparkSession, settings: StreamSettings, spans: dict[int, tuple[int, int]]) -> DataFrame:
    """The records at offsets [start, end) by partition, as ``RECORDS_SCHEMA``; each value is truncated to its limit.

    Raises:
        MissingPartError: in a task; the broker does not answer.
    """

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for span in batch.to_pylist():
                yield from _batches(settings, **span)

    rows = [(partition, start, end) for partition, (start, end) in spans.items() if start < end]
    return spark.createDataFrame(rows, "partition int, start bigint, end bigint").mapInArrow(read, SCHEMA)


def _batches(settings: StreamSettings, partition: int, start: int, end: int) -> Iterator[pa.RecordBatch]:
    rows, size = list[dict[str, object]](), 0
    for record in kafka.records(settings, partition, start, end):
        rows.append(_row(record, settings.max_value_bytes))
        size += len(record)
        if len(rows) == MOST_RECORDS or size > MOST_BYTES:
            yield pa.RecordBatch.from_pylist(rows, RECORDS_SCHEMA)
            rows, size = [], 0
    yield pa.RecordBatch.from_pylist(rows, RECORDS_SCHEMA)


def _row(record: Message, max_value_bytes: int) -> dict[str, object]:
    value = record.value()
    return {
        "value": value and value[:max_value_bytes],
        "value_bytes": None if value is None else len(value),
        "kafka_partition": record.partition(),
        "kafka_offset": record.offset(),
        "kafka_timestamp": of_milliseconds(record.timestamp()[1]),
    }
