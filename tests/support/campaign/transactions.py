"""Transactions among the events: what was sent before comes again, and what is aborted must never be seen."""

import json
import threading
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, Producer

from pinwheel.clients import kafka
from pinwheel.core.settings import KafkaSettings

PAUSE_SECONDS = 2.0
MOST = 20  # records of a transaction
ABORTED = "aborted-"  # the beginning of ids that nobody may see


class Transactions:
    """A producer of its own, until the block ends; goes on after whatever happens to the broker."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.committed = self.aborted = 0

    def __enter__(self) -> "Transactions":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._ended.is_set():
            with suppress(KafkaException):
                self._send_until_broken()
            self._ended.wait(PAUSE_SECONDS)

    def _send_until_broken(self) -> None:
        common = {**kafka.librdkafka_options(self._settings), "log_level": 0}  # it would tell of each fault
        producer = Producer({**common, "transactional.id": "campaign", "transaction.timeout.ms": 10_000})
        consumer = Consumer({**common, "group.id": "campaign", "enable.auto.commit": False})
        consumer.subscribe([self._settings.topic])
        try:
            producer.init_transactions(30)
            while not self._ended.wait(PAUSE_SECONDS):
                values = [value for record in consumer.consume(MOST, timeout=5) if (value := record.value())]
                self._send(producer, values, commit=True)
                self._send(producer, [_renamed(value) for value in values], commit=False)
        finally:
            consumer.close()

    def _send(self, producer: Producer, values: list[bytes], *, commit: bool) -> None:
        producer.begin_transaction()
        for value in values:
            producer.produce(self._settings.topic, value)
        producer.flush(10)
        if commit:
            producer.commit_transaction(30)
            self.committed += len(values)
        else:
            producer.abort_transaction(30)
            self.aborted += len(values)


def _renamed(value: bytes) -> bytes:
    """The event with an id that no other has; what is no event, as it is."""
    with suppress(ValueError, TypeError):
        event = json.loads(value)
        return json.dumps({**event, "event_id": f"{ABORTED}{event.get('event_id')}"}).encode()
    return value
