"""Sends records to Kafka as fast as it accepts them, and verifies at the end that all of them arrived."""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from pinwheel.clients.kafka import librdkafka_options, partitions
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import KafkaSettings

log = logging.getLogger(__name__)

BROKER_WAIT_SECONDS = 15.0  # the embedded broker may just be starting
QUEUE_WAIT_SECONDS = 0.2
OPTIONS: dict[str, Any] = {
    "enable.idempotence": True,  # the truth counts records, so the client must not duplicate one
    "linger.ms": 20,
    "batch.size": 512 * 1024,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 256 * 1024,
    "partitioner": "murmur2_random",  # Java's, so that all producers put a person's events into the same partition
    "delivery.report.only.error": True,  # a callback per record would halve the speed
    "delivery.timeout.ms": 0,  # none: wait while the broker is away; ``finish`` has its own timeout
}


class SendError(PinwheelError):
    """Kafka did not accept all records, so the truth has more than was sent."""


class Sender:
    """A producer for the events topic.

    Raises:
        MissingPartError: the broker does not answer, or the topic does not exist.
    """

    def __init__(self, settings: KafkaSettings, stop: threading.Event | None = None) -> None:
        partitions(settings, BROKER_WAIT_SECONDS)
        self._topic = settings.topic
        self._stop = stop or threading.Event()
        self._refused: list[str] = []
        options = OPTIONS | librdkafka_options(settings)
        self._producer = Producer({**options, "on_delivery": self._delivered})

    def send(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> int:
        """Hand records to the client; waits while its queue is full.

        Returns:
            How many it accepted: all, or fewer when ``stop`` is set while Kafka is away.
        """
        produce, topic = self._producer.produce, self._topic
        for taken, (key, value) in enumerate(zip(keys, values, strict=True)):
            while True:
                try:
                    produce(topic, value, key)
                    break
                except BufferError:
                    self._producer.poll(QUEUE_WAIT_SECONDS)
                    if self._stop.is_set():
                        return taken
        self._producer.poll(0)
        return len(keys)

    def finish(self, seconds: float) -> None:
        """Wait until Kafka has all records.

        Raises:
            SendError: it does not have them after ``seconds``, or it refused one.
        """
        left = self._producer.flush(seconds)
        if left or self._refused:
            raise SendError(
                f"Kafka did not accept {left + len(self._refused)} records in {seconds:.0f} s "
                f"({'; '.join(self._refused[:3]) or 'no answer'}); is the broker up?"
            )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append(f"{error.str()} for key {message.key()!r}")
