"""Hostile records through the real topic and the real driver, judged one by one by the contract in plain Python.

    python -m tests.support.fuzz --values 1000000 --seed 1

First come the values of ``tests/golden/fuzz``, which made trouble once, then those of the seed. Each record must be in
the lake once: a good one with the values that it has, a dead one with its reason and its bytes. The driver must not be
restarted, and no batch may fail. A value that fails is kept as a new file of ``tests/golden/fuzz``.
"""

import argparse
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import psutil
import pyarrow.compute as pc
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import NewTopic
from deltalake import DeltaTable

from pinwheel.clients import kafka
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings, load
from pinwheel.install.progress import PlainProgress
from pinwheel.lake import events_table
from pinwheel.local.kafka import client
from pinwheel.local.processes import in_session
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import FIRST, Stack
from pinwheel.stream import driver_lock
from tests.support import drivers, golden
from tests.support.hostile import Value, hostile
from tests.support.judged import check
from tests.support.oracle import wait_until
from tests.support.ports import free_ports

CORPUS = golden.FOLDER / "fuzz"
PARTITIONS = 3
CHUNK = 10_000  # records that are sent, landed and judged before the next
LAND_SECONDS = 300.0
MOST_BYTES = 20_000_000  # a long value that is doubled is over Kafka's default of 1 MB
TROUBLE = ("Traceback", "failed=", " ERROR ")  # in the driver's log
TOPIC_CONFIG = {
    "message.timestamp.type": "CreateTime",  # odd times must get into the topic
    "message.timestamp.after.max.ms": str(2**63 - 1),
    "retention.ms": "-1",  # by the records' own times, most have expired
    "max.message.bytes": str(MOST_BYTES),
}
Place = tuple[int, int]  # partition and offset


@dataclass
class Fuzz:
    """One topic, one driver, one lake."""

    stack: Stack
    topic: str
    folder: Path
    sent: dict[Place, Value] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.settings = load(KafkaSettings, **client(self.stack.settings, self.stack.credentials), topic=self.topic)
        admin = kafka.admin_client(self.settings)
        admin.create_topics([NewTopic(self.topic, PARTITIONS, 1, config=TOPIC_CONFIG)])[self.topic].result(30)
        self.uri = f"{self.folder}/lake/events"

    def run(self, values: Iterable[Value]) -> int:
        """Send and judge all; returns the most memory of the driver's processes, in MB.

        Raises:
            AssertionError: a record is lost, twice, or not what it has to be, or the driver has ended.
        """
        launched, most = drivers.launch(self.stack, self.topic, self.folder), 0
        try:
            wait_until("the driver runs", lambda: self._pid() is not None, 120)
            first = self._pid()
            left = iter(values)
            while chunk := list(islice(left, CHUNK)):
                self.send(chunk)
                wait_until("the records land", lambda: launched.poll() is not None or self._landed(), LAND_SECONDS)
                assert (launched.poll(), self._pid()) == (None, first), drivers.log(self.folder)[-4000:]
                most = max(most, _megabytes(first))
                self.judge()
        finally:
            if (pid := self._pid()) is not None:
                os.kill(pid, signal.SIGTERM)
            launched.wait(60)
        return most

    def trouble(self) -> list[str]:
        """Lines of the driver's log that tell of an error."""
        return [line for line in drivers.log(self.folder).splitlines() if any(word in line for word in TROUBLE)]

    def send(self, values: Iterable[Value]) -> None:
        """Send the next chunk, and remember where each value came to be."""
        self.sent.clear()
        options = {"linger.ms": 50, "compression.type": "lz4", "message.max.bytes": MOST_BYTES}
        producer = Producer(kafka.librdkafka_options(self.settings) | options)
        for number, value in enumerate(values):
            self._produce(producer, number % PARTITIONS, value)
        assert producer.flush(120) == 0

    def _produce(self, producer: Producer, partition: int, value: Value) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            self.sent[partition, message.offset() or 0] = value

        while True:
            try:
                producer.produce(
                    self.topic,
                    value.value,
                    value.key,
                    partition,
                    on_delivery=delivered,
                    timestamp=value.timestamp,
                    headers=list(value.headers),
                )
            except BufferError:
                producer.poll(0.1)
            else:
                producer.poll(0)
                return

    def judge(self) -> None:
        """Compare the chunk's rows with what was sent."""
        now, found = datetime.now(UTC), set[Place]()
        for row in self._rows():
            place = row["kafka_partition"], row["kafka_offset"]
            assert place not in found, f"{place} is there twice"
            found.add(place)
            value = self.sent[place]
            try:
                check(row, value, now)
            except AssertionError as error:
                raise AssertionError(f"{error}; kept as {keep(value)}") from error
            self.reasons[row["dead_reason"] or "good"] += 1
        assert found == self.sent.keys(), f"lost: {sorted(self.sent.keys() - found)[:10]}"

    def _rows(self) -> Iterator[dict[str, Any]]:
        """The chunk's rows of the lake."""
        first = {p: min(offset for partition, offset in self.sent if partition == p) for p, _ in self.sent}
        wanted = [
            (pc.field("kafka_partition") == p) & (pc.field("kafka_offset") >= offset) for p, offset in first.items()
        ]
        either = wanted[0]
        for one in wanted[1:]:
            either = either | one
        dataset = DeltaTable(self.uri).to_pyarrow_dataset()
        for batch in dataset.to_batches(filter=either):
            yield from events_table.without_views(batch).to_pylist()

    def _landed(self) -> bool:
        with suppress(MissingPartError):  # a busy machine's broker may not answer in time
            ends = kafka.end_offsets(self.settings)
            return events_table.landed_offsets(self.uri, self.topic, ends) == ends
        return False

    def _pid(self) -> int | None:
        found = driver_lock.running(drivers.lock(self.folder))
        return found.pid if found else None


def corpus() -> list[Value]:
    """Values that made trouble once, and neighbours of theirs."""
    return [Value(path.read_bytes()) for path in sorted(CORPUS.iterdir())]


def keep(value: Value) -> Path:
    """Add a value to the corpus. Name it after what it is, and commit it."""
    path = CORPUS / f"found-{sha256(value.value or b'').hexdigest()[:12]}"
    path.write_bytes(value.value or b"")
    return path


def _megabytes(pid: int | None) -> int:
    """Of all processes of the driver's session."""
    found = 0
    for part in in_session(os.getsid(pid or 0)):
        with suppress(psutil.NoSuchProcess):  # idle workers end
            found += part.memory_info().rss
    return found // 2**20


def main() -> None:
    """Fails when a record is not what it has to be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    stack = Stack(LocalSettings(stack="fuzz", **free_ports()))
    stack.stop()
    shutil.rmtree(stack.settings.stack_dir, ignore_errors=True)
    began = time.monotonic()
    try:
        for part in FIRST:
            stack.start_part(part, PlainProgress())
        folder = stack.settings.stack_dir / "fuzz"
        folder.mkdir()
        fuzz = Fuzz(stack, "fuzz.records", folder)
        most = fuzz.run(chain(corpus(), (hostile(asked.seed, number) for number in range(asked.values))))
        assert not fuzz.trouble(), fuzz.trouble()[:5]
    finally:
        stack.stop()
    took = timedelta(seconds=round(time.monotonic() - began))
    print(f"{fuzz.reasons.total()} records in {took}, at most {most} MB: {dict(fuzz.reasons.most_common())}")


if __name__ == "__main__":
    main()
