"""Kafka: the topic's log, its partitions, the offsets they hold, their records; and every process's client options."""

import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings
from pinwheel.core.times import of_milliseconds

REQUEST_SECONDS = 5.0
FURTHER_BACK = 64  # how many times as far, when nothing was found
READ_ON = 20_000  # offsets: to read that many takes less than to begin elsewhere
READ_RECORDS = 10_000  # at once
LOGIN_MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM": "scram.ScramLoginModule"}  # by the mechanism's prefix
JAAS_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})  # as Java's StreamTokenizer reads


class Held(NamedTuple):
    """Offsets [start, end) that Kafka holds of a partition; records before ``start`` have expired.

    The records of transactions that are still open are not among them.
    """

    start: int
    end: int


def partitions(settings: KafkaSettings, wait_seconds: float = 0.0) -> list[int]:
    """The topic's partitions; waits up to ``wait_seconds`` for a broker that is not up yet.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            with _asking(settings) as consumer:
                return _partitions(settings, consumer)
        except MissingPartError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(1)


class LogReader:
    """Says which log the topic is: ``topic@cluster/topic id``. A topic that is made anew has another id.

    Keeps its connection open: an answer takes milliseconds.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = admin_client(settings)

    def log_id(self) -> str:
        """The log now.

        Raises:
            MissingPartError: the broker does not answer, or has no such topic.
        """
        topic = self._settings.topic
        try:
            cluster = self._admin.describe_cluster(request_timeout=REQUEST_SECONDS).result(REQUEST_SECONDS).cluster_id
            asked = self._admin.describe_topics(TopicCollection([topic]), request_timeout=REQUEST_SECONDS)
            return f"{topic}@{cluster}/{asked[topic].result(REQUEST_SECONDS).topic_id}"
        except (KafkaException, TimeoutError) as error:
            raise MissingPartError(
                f"Kafka at PINWHEEL_KAFKA_BOOTSTRAP={self._settings.kafka_bootstrap} does not say which log "
                f"PINWHEEL_TOPIC={topic} is: {error}"
            ) from error


def held_offsets(settings: KafkaSettings) -> dict[int, Held]:
    """The offsets that Kafka holds, per partition.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    with _asking(settings) as consumer:
        return {p: _held(settings, consumer, p) for p in _partitions(settings, consumer)}


def written_ends(settings: KafkaSettings) -> dict[int, int]:
    """The next offset that Kafka will assign, per partition: also after the records of open transactions.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    with _asking(settings, isolation="read_uncommitted") as consumer:
        return {p: _held(settings, consumer, p).end for p in _partitions(settings, consumer)}


def end_offsets(settings: KafkaSettings) -> dict[int, int]:
    """The end of what Kafka holds, per partition; see ``Held``.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    return {p: held.end for p, held in held_offsets(settings).items()}


def newest_times(settings: KafkaSettings, held: Mapping[int, Held]) -> dict[int, datetime]:
    """Kafka time of the newest record per partition. A partition without any committed record is left out.

    The last offsets may hold no record: markers of transactions, or what compaction has removed. So it looks further
    back until it finds one.

    Raises:
        MissingPartError: the broker does not answer.
    """
    # Reads the records: list_offsets gives the time of the record with the greatest timestamp, or of the first one
    # since a time. Where a producer's clock lags the one before it, neither is the newest record's.
    found: dict[int, datetime] = {}
    unread = {p: h for p, h in held.items() if h.end > h.start}
    back = 1
    while unread:
        starts = {p: max(h.start, h.end - back) for p, h in unread.items()}
        found |= {p: times[-1] for p, times in _times(settings, starts, unread, every=True).items()}
        unread = {p: h for p, h in unread.items() if p not in found and starts[p] > h.start}
        back *= FURTHER_BACK
    return found


def oldest_times(settings: KafkaSettings, held: Mapping[int, Held]) -> dict[int, datetime]:
    """Kafka time of the oldest record per partition. A partition without any committed record is left out.

    Raises:
        MissingPartError: the broker does not answer.
    """
    filled = {p: h for p, h in held.items() if h.end > h.start}
    starts = {p: h.start for p, h in filled.items()}
    return {p: times[0] for p, times in _times(settings, starts, filled, every=False).items()}


def _times(
    settings: KafkaSettings, starts: Mapping[int, int], held: Mapping[int, Held], *, every: bool
) -> dict[int, list[datetime]]:
    """Kafka times of the records from ``starts`` on, or of the first one only."""
    found: dict[int, list[datetime]] = {}
    open_ = set(starts)
    deadline = time.monotonic() + REQUEST_SECONDS
    with _asking(settings) as consumer:
        consumer.assign([TopicPartition(settings.topic, p, offset) for p, offset in starts.items()])
        while open_:
            if time.monotonic() > deadline:
                raise MissingPartError(f"Kafka returned no records of partitions {sorted(open_)} of {settings.topic}")
            record = consumer.poll(0.5)
            if record is None:
                continue
            partition: int = record.partition()  # type: ignore[assignment]  # both answers have one
            if record.error() is None and partition in open_:
                found.setdefault(partition, []).append(of_milliseconds(record.timestamp()[1]))
            is_last = record.error() is not None or (record.offset() or 0) >= held[partition].end - 1
            if is_last or not every:
                open_.discard(partition)
    return found


def committed(settings: KafkaSettings, partition: int, ranges: Sequence[tuple[int, int]]) -> list[int]:
    """The offsets within ``ranges`` (from, to; in order) of a partition that hold a committed record.

    All others hold markers of transactions, records of aborted ones, or what compaction has removed.

    Raises:
        MissingPartError: the broker does not answer.
    """
    found = [record.offset() or 0 for span in _spans(ranges) for record in records(settings, partition, *span)]
    starts = [start for start, _ in ranges]
    return [o for o in found if (n := bisect_right(starts, o)) and o < ranges[n - 1][1]]


def _spans(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges that are near to each other as one."""
    spans: list[tuple[int, int]] = []
    for start, end in ranges:
        if spans and start - spans[-1][1] <= READ_ON:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def records(settings: KafkaSettings, partition: int, start: int, end: int) -> Iterator[Message]:
    """The committed records at offsets [start, end) of a partition, in their order.

    Raises:
        MissingPartError: the broker does not answer.
    """
    with _asking(settings) as consumer:
        consumer.assign([TopicPartition(settings.topic, partition, start)])
        deadline = time.monotonic() + REQUEST_SECONDS
        while time.monotonic() < deadline:
            for record in consumer.consume(READ_RECORDS, 0.1):
                deadline = time.monotonic() + REQUEST_SECONDS
                if record.error() is not None or (record.offset() or 0) >= end:
                    if record.error() is None or record.error().code() == KafkaError._PARTITION_EOF:  # type: ignore[union-attr]
                        return
                    raise KafkaException(record.error())
                yield record
    raise MissingPartError(f"Kafka returned no records before offset {end} of partition {partition}")


def admin_client(settings: KafkaSettings) -> AdminClient:
    """Keep it until it has answered: a client that is thrown away takes its answers with it."""
    return AdminClient({**librdkafka_options(settings), "log_level": 0})


def librdkafka_options(settings: KafkaSettings) -> dict[str, str]:
    """Broker and security options of confluent-kafka's clients; the password is among them."""
    options = _security(settings)
    if _uses_sasl(settings):
        options["sasl.username"] = settings.kafka_sasl_username
        options["sasl.password"] = settings.kafka_sasl_password.get_secret_value()
    if settings.kafka_ssl_ca:
        options["ssl.ca.location"] = str(settings.kafka_ssl_ca)
    return options


def spark_options(settings: KafkaSettings) -> dict[str, str]:
    """The same for Spark's Java client, with Spark's prefix. Kafka does not log ``sasl.jaas.config``."""
    options = _security(settings)
    if _uses_sasl(settings):
        options["sasl.jaas.config"] = _jaas(settings)
    if settings.kafka_ssl_ca:
        options["ssl.truststore.type"] = "PEM"
        options["ssl.truststore.location"] = str(settings.kafka_ssl_ca)
    return {f"kafka.{name}": value for name, value in options.items()}


def _uses_sasl(settings: KafkaSettings) -> bool:
    return settings.kafka_security_protocol.startswith("SASL")


def _security(settings: KafkaSettings) -> dict[str, str]:
    """Options with the same name in both clients."""
    options = {"bootstrap.servers": settings.kafka_bootstrap, "security.protocol": settings.kafka_security_protocol}
    return options | ({"sasl.mechanism": settings.kafka_sasl_mechanism} if _uses_sasl(settings) else {})


def _jaas(settings: KafkaSettings) -> str:
    module = LOGIN_MODULES[settings.kafka_sasl_mechanism.partition("-")[0]]
    user = settings.kafka_sasl_username.translate(JAAS_ESCAPES)
    password = settings.kafka_sasl_password.get_secret_value().translate(JAAS_ESCAPES)
    return f'org.apache.kafka.common.security.{module} required username="{user}" password="{password}";'


@contextmanager
def _asking(settings: KafkaSettings, isolation: str = "read_committed") -> Iterator[Consumer]:
    """A consumer that joins no group; turns Kafka's errors into MissingPartError."""
    consumer = Consumer(
        {
            **librdkafka_options(settings),
            "group.id": "pinwheel-offsets",  # required, though the group is never joined and nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",  # records that expire meanwhile are not skipped without a word
            "isolation.level": isolation,
            "log_level": 0,
        }
    )
    try:
        yield consumer
    except KafkaException as error:
        raise MissingPartError(
            f"Kafka at PINWHEEL_KAFKA_BOOTSTRAP={settings.kafka_bootstrap} does not answer: {error}"
        ) from error
    finally:
        consumer.close()


def _partitions(settings: KafkaSettings, consumer: Consumer) -> list[int]:
    found = consumer.list_topics(settings.topic, timeout=REQUEST_SECONDS).topics[settings.topic]
    if found.error is not None:
        raise MissingPartError(f"Kafka has no topic PINWHEEL_TOPIC={settings.topic}: {found.error}; create it first")
    return sorted(found.partitions)


def _held(settings: KafkaSettings, consumer: Consumer, partition: int) -> Held:
    return Held(*consumer.get_watermark_offsets(TopicPartition(settings.topic, partition), timeout=REQUEST_SECONDS))
