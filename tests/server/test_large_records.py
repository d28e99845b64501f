"""A record of some kilobytes that unpacks to more than the driver's heap holds does not end the stream."""

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Producer
from deltalake import DeltaTable

from pinwheel.clients import kafka
from pinwheel.clients.kafka_topic import ensure_topic
from pinwheel.core.settings import KafkaSettings, load
from pinwheel.lake import events_table
from pinwheel.local.kafka import client
from pinwheel.local.stack import Stack
from pinwheel.stream import driver_lock
from tests.support import drivers

TOPIC, PARTITIONS = "large.records", 2
GOOD = 30  # per partition
BOMB_BYTES = 400_000_000  # of a heap of 1 GB, in which a value is there more than once
LARGE, LARGE_BYTES = 1500, 900_000  # 1.3 GB, which also unpack from little
MOST_DRIVERS = 16


def send(settings: KafkaSettings) -> None:
    """Logins, with a bomb and many large records between them."""
    unlimited = {"message.max.bytes": 1_000_000_000, "queue.buffering.max.kbytes": 2_000_000, "linger.ms": 0}
    packed = {"compression.type": "zstd", "partitioner": "consistent", "batch.size": 900_000}
    producer = Producer({**kafka.librdkafka_options(settings), **unlimited, **packed})
    now = datetime.now(UTC).isoformat()
    for partition in range(PARTITIONS):
        for n in range(GOOD):
            login = {"event_type": "login", "occurred_at": now, "user_id": 1, "client": "ios"}
            producer.produce(
                settings.topic, json.dumps(login | {"event_id": f"{partition} {n}"}).encode(), partition=partition
            )
            if n == GOOD // 2:
                producer.flush(60)  # a batch of its own for what follows
                for value in [b" " * BOMB_BYTES] if partition else [b" " * LARGE_BYTES] * LARGE:
                    producer.produce(settings.topic, value, partition=partition)
                    producer.poll(0)
                producer.flush(120)
    assert producer.flush(60) == 0


def test_large_records_are_dead_letters_and_all_others_land(stack: Stack, tmp_path: Path, starts_jvm: None) -> None:
    settings = load(KafkaSettings, **client(stack.settings, stack.credentials), topic=TOPIC)
    ensure_topic(settings, PARTITIONS, replicas=1)
    send(settings)
    ends, uri = kafka.end_offsets(settings), f"{tmp_path}/lake/events"
    started = 0
    while not is_landed(uri, ends):
        started += 1
        assert started <= MOST_DRIVERS, drivers.log(tmp_path)[-4000:]
        launched = drivers.launch(stack, TOPIC, tmp_path)
        while launched.poll() is None and not is_landed(uri, ends):
            time.sleep(0.5)
        if found := driver_lock.running(drivers.lock(tmp_path)):
            os.kill(found.pid, signal.SIGTERM)
        launched.wait(60)
    print(f"{started} drivers")

    rows = (
        DeltaTable(uri).to_pyarrow_table(columns=["event_type", "dead_reason", "event_id", "kafka_offset"]).to_pylist()
    )
    assert len(rows) == sum(ends.values())
    logins = sorted(r["event_id"] for r in rows if r["event_type"] == "login")
    assert logins == sorted(f"{partition} {n}" for partition in range(PARTITIONS) for n in range(GOOD))
    reasons = [r["dead_reason"] for r in rows if r["event_type"] == "dead_letter"]
    assert len(reasons) == LARGE + 1
    assert reasons.count("too_large") >= LARGE
    assert set(reasons) <= {"too_large", "unprocessable"}


def is_landed(uri: str, ends: dict[int, int]) -> bool:
    return events_table.landed_offsets(uri, TOPIC, ends) == ends
