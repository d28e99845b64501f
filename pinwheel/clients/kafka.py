"""Kafka's metadata: the topic, its partitions, the offsets they hold; and the client options of every process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings

REQUEST_SECONDS = 5.0
TOPIC_SECONDS = 15.0
LOGIN_MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM": "scram.ScramLoginModule"}  # by the mechanism's prefix
JAAS_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})  # as Java's StreamTokenizer reads


class Held(NamedTuple):
    """Offsets [start, end) that Kafka holds of a partition; records before ``start`` have expired."""

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


def held_offsets(settings: KafkaSettings) -> dict[int, Held]:
    """The offsets that Kafka holds, per partition.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    with _asking(settings) as consumer:
        return {p: _held(settings, consumer, p) for p in _partitions(settings, consumer)}


def end_offsets(settings: KafkaSettings) -> dict[int, int]:
    """The next offset that Kafka will assign, per partition.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    return {p: held.end for p, held in held_offsets(settings).items()}


def timestamps(settings: KafkaSettings, offsets: dict[int, int]) -> dict[int, datetime]:
    """Kafka time of one record per partition: the record at the given offset, or the next one that exists.

    Partitions that do not answer within ``REQUEST_SECONDS`` are left out.

    Raises:
        MissingPartError: the broker does not answer.
    """
    # Reads the records: list_offsets gives the time of the record with the greatest timestamp, or of the first one
    # since a time. Where a producer's clock lags the one before it, neither is the newest record's.
    found: dict[int, datetime] = {}
    deadline = time.monotonic() + REQUEST_SECONDS
    with _asking(settings) as consumer:
        consumer.assign([TopicPartition(settings.topic, p, offset) for p, offset in offsets.items()])
        while len(found) < len(offsets) and time.monotonic() < deadline:
            record = consumer.poll(0.5)
            if record is not None and record.error() is None:
                at = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC)
                # poll returns later records of the partition too
                found.setdefault(record.partition(), at)  # type: ignore[arg-type]  # a record that was read has one
    return found


def ensure_topic(settings: KafkaSettings, partitions: int, replicas: int) -> None:
    """Create the topic, or add partitions up to that number; they are never removed. Idempotent.

    Raises:
        MissingPartError: the broker refuses or does not answer.
    """
    admin = AdminClient({**librdkafka_options(settings), "log_level": 0})
    try:
        known = admin.list_topics(timeout=TOPIC_SECONDS).topics.get(settings.topic)
        if known is None:
            asked = admin.create_topics([NewTopic(settings.topic, partitions, replicas)])
        elif len(known.partitions) < partitions:
            asked = admin.create_partitions([NewPartitions(settings.topic, partitions)])
        else:
            return
        for future in asked.values():
            future.result(TOPIC_SECONDS)
    except KafkaException as error:
        raise MissingPartError(f"Kafka could not create the topic PINWHEEL_TOPIC={settings.topic}: {error}") from error


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
def _asking(settings: KafkaSettings) -> Iterator[Consumer]:
    """A consumer for metadata requests; turns Kafka's errors into MissingPartError."""
    consumer = Consumer(
        {
            **librdkafka_options(settings),
            "group.id": "pinwheel-offsets",  # required, though the group is never joined and nothing is committed
            "enable.auto.commit": False,
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
