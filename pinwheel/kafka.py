"""What Pinwheel asks Kafka beside reading records: partitions and their ends."""

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from pinwheel.errors import MissingPartError
from pinwheel.settings import KafkaSettings

REQUEST_SECONDS = 5.0


def _consumer(settings: KafkaSettings) -> Consumer:
    return Consumer(
        {
            **settings.kafka_options,
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": "pinwheel-offsets",  # never joined, nothing is committed
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )


def partitions(settings: KafkaSettings, wait_seconds: float = 0.0) -> list[int]:
    """The topic's partitions; waits up to ``wait_seconds`` for a broker that is not up yet.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return _partitions(settings)
        except MissingPartError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(1)


def _partitions(settings: KafkaSettings) -> list[int]:
    consumer = _consumer(settings)
    try:
        found = consumer.list_topics(settings.topic, timeout=REQUEST_SECONDS).topics[settings.topic]
    except KafkaException as error:
        raise MissingPartError(
            f"Kafka at PINWHEEL_KAFKA_BOOTSTRAP={settings.kafka_bootstrap} does not answer: {error}"
        ) from error
    finally:
        consumer.close()
    if found.error is not None:
        raise MissingPartError(f"Kafka has no topic PINWHEEL_TOPIC={settings.topic}: {found.error}; create it first")
    return sorted(found.partitions)


def end_offsets(settings: KafkaSettings) -> dict[int, int]:
    """Next offset that Kafka will give out, per partition.

    Raises:
        MissingPartError: the broker does not answer, or has no such topic.
    """
    found = _partitions(settings)
    consumer = _consumer(settings)
    try:
        return {
            p: consumer.get_watermark_offsets(TopicPartition(settings.topic, p), timeout=REQUEST_SECONDS)[1]
            for p in found
        }
    except KafkaException as error:
        raise MissingPartError(f"Kafka at {settings.kafka_bootstrap} does not answer: {error}") from error
    finally:
        consumer.close()
