"""What Pinwheel asks Kafka beside reading records: the topic, its partitions, and the offsets that they hold."""

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
LOGIN_MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM": "scram.ScramLoginModule"}  # by how the mechanism starts
JAAS_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})  # of Java's StreamTokenizer


class Held(NamedTuple):
    """What Kafka holds of a partition: offsets [start, end); what was before ``start`` has expired."""

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
    """What Kafka holds, per partition.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    with _asking(settings) as consumer:
        return {p: _held(settings, consumer, p) for p in _partitions(settings, consumer)}


def end_offsets(settings: KafkaSettings) -> dict[int, int]:
    """Next offset that Kafka will give out, per partition.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    return {p: held.end for p, held in held_offsets(settings).items()}


def timestamps(settings: KafkaSettings, offsets: dict[int, int]) -> dict[int, datetime]:
    """When Kafka received a record of each partition: the one at its offset, or the next one that there is.

    Partitions that don't answer in time are left out.

    Raises:
        MissingPartError: the broker does not answer.
    """
    # Records are read for it: list_offsets gives the time of the record with the greatest one, or of the first from a
    # time on, and not of the newest record where a producer's clock is behind the one before it.
    found: dict[int, datetime] = {}
    deadline = time.monotonic() + REQUEST_SECONDS
    with _asking(settings) as consumer:
        consumer.assign([TopicPartition(settings.topic, p, offset) for p, offset in offsets.items()])
        while len(found) < len(offsets) and time.monotonic() < deadline:
            record = consumer.poll(0.5)
            if record is not None and record.error() is None:
                at = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC)
                found.setdefault(record.partition(), at)  # the records after it come too
    return found


def ensure_topic(settings: KafkaSettings, partitions: int, replicas: int) -> None:
    """Make the topic, or widen it to so many partitions; they are never taken away.

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
        raise MissingPartError(f"Kafka could not make the topic PINWHEEL_TOPIC={settings.topic}: {error}") from error


def librdkafka_options(settings: KafkaSettings) -> dict[str, str]:
    """Broker and security for confluent-kafka's clients; they hold the password."""
    options = _security(settings)
    if _uses_sasl(settings):
        options["sasl.username"] = settings.kafka_sasl_username
        options["sasl.password"] = settings.kafka_sasl_password.get_secret_value()
    if settings.kafka_ssl_ca:
        options["ssl.ca.location"] = str(settings.kafka_ssl_ca)
    return options


def spark_options(settings: KafkaSettings) -> dict[str, str]:
    """The same for Spark's Java client, with Spark's prefix; Kafka keeps ``sasl.jaas.config`` out of its logs."""
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
    """What both clients call the same."""
    options = {"bootstrap.servers": settings.kafka_bootstrap, "security.protocol": settings.kafka_security_protocol}
    return options | ({"sasl.mechanism": settings.kafka_sasl_mechanism} if _uses_sasl(settings) else {})


def _jaas(settings: KafkaSettings) -> str:
    module = LOGIN_MODULES[settings.kafka_sasl_mechanism.partition("-")[0]]
    user = settings.kafka_sasl_username.translate(JAAS_ESCAPES)
    password = settings.kafka_sasl_password.get_secret_value().translate(JAAS_ESCAPES)
    return f'org.apache.kafka.common.security.{module} required username="{user}" password="{password}";'


@contextmanager
def _asking(settings: KafkaSettings) -> Iterator[Consumer]:
    """A consumer for one question; no answer is a MissingPartError."""
    consumer = Consumer(
        {
            **librdkafka_options(settings),
            "group.id": "pinwheel-offsets",  # never joined, nothing is committed
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
