"""Sends records to Kafka as fast as it takes them, and knows at the end that all of them arrived."""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from pinwheel.clients.kafka import librdkafka_options, partitions
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import KafkaSettings

log = logging.getLogger(__name__)

BROKER_WAIT_SECONDS = 15.0  # an embedded broker that is just starting
QUEUE_WAIT_SECONDS = 0.2
OPTIONS: dict[str, Any] = {
    "enable.idempotence": True,  # the truth counts records: the client itself must not double one
    "linger.ms": 20,
    "batch.size": 512 * 1024,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 256 * 1024,
    "partitioner": "murmur2_random",  # Java's: other people's producers put a person's events into the same partition
    "delivery.report.only.error": True,  # a callback per record would halve the speed
    "delivery.timeout.ms": 0,  # a broker that is away is waited for; the end has its own limit
}


class SendError(PinwheelError):
    """Kafka did not take everything; the truth says more than was sent."""


class Sender:
    """A producer for the events topic.

    Raises:
        MissingPartError: the broker does not answer, or the topic is not there.
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
            How many it took: all, or fewer when asked to stop while Kafka is away.
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
        """Wait until Kafka has everything.

        Raises:
            SendError: it has not, after ``seconds``, or it refused a record.
        """
        left = self._producer.flush(seconds)
        if left or self._refused:
            raise SendError(
                f"Kafka did not take {left + len(self._refused)} records in {seconds:.0f} s "
                f"({'; '.join(self._refused[:3]) or 'no answer'}); is the broker up?"
            )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append(f"{error.str()} for key {message.key()!r}")
