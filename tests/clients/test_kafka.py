"""Offsets and timestamps, asked of a real Kafka broker."""

from datetime import UTC, datetime

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from pinwheel.clients import kafka
from pinwheel.clients.kafka import Held
from pinwheel.core.settings import KafkaSettings
from pinwheel.local.stack import Stack

STAMPS = [
    1_773_489_600_000,
    1_773_489_605_000,
    1_773_489_599_000,
]  # milliseconds; the last clock is behind


def test_when_a_record_was_received(stack_with_kafka: Stack) -> None:
    settings = KafkaSettings(kafka_bootstrap=f"127.0.0.1:{stack_with_kafka.settings.kafka_port}", topic="stamped")
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    admin.create_topics([NewTopic("stamped", 2)])["stamped"].result(30)
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for stamp in STAMPS:
        producer.produce("stamped", b"{}", partition=1, timestamp=stamp)
    assert producer.flush(30) == 0

    assert kafka.held_offsets(settings) == {0: Held(0, 0), 1: Held(0, 3)}
    for offset, stamp in enumerate(STAMPS):
        assert kafka.timestamps(settings, {1: offset}) == {1: datetime.fromtimestamp(stamp / 1000, UTC)}
