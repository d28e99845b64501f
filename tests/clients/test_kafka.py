"""Offsets, times and the log's id, asked of a real Kafka broker."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from tenacity import retry, stop_after_delay, wait_fixed

from pinwheel.clients import kafka, kafka_topic
from pinwheel.clients.kafka import Held
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import KafkaSettings, load
from pinwheel.local.kafka import client
from pinwheel.local.stack import Stack

STAMPS = [1_773_489_600_000, 1_773_489_605_000, 1_773_489_599_000]  # milliseconds; the last clock is behind
Send = Callable[..., None]


def at(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp / 1000, UTC)


@pytest.fixture
def settings(stack_with_kafka: Stack) -> KafkaSettings:
    """A topic of two partitions of its own."""
    made = load(KafkaSettings, **client(stack_with_kafka.settings, stack_with_kafka.credentials), topic=f"t{uuid4()}")
    admin = kafka.admin_client(made)
    admin.create_topics([NewTopic(made.topic, 2)])[made.topic].result(30)
    return made


def send(settings: KafkaSettings, *stamps: int, end: str | None = None) -> Producer:
    """Records in partition 1; ``end``: in a transaction that is then ended by that method, or left open."""
    options = kafka.librdkafka_options(settings)
    producer = Producer(options if end is None else {**options, "transactional.id": str(uuid4())})
    if end is not None:
        producer.init_transactions(30)
        producer.begin_transaction()
    for stamp in stamps:
        producer.produce(settings.topic, b"{}", partition=1, timestamp=stamp)
    assert producer.flush(30) == 0
    if end:
        getattr(producer, end)(30)
    return producer


@retry(stop=stop_after_delay(20), wait=wait_fixed(0.1), reraise=True)  # markers are written after the answer
def ended(settings: KafkaSettings, end: int) -> None:
    assert kafka.held_offsets(settings)[1] == Held(0, end)


def test_the_newest_and_the_oldest_record(settings: KafkaSettings) -> None:
    for n, stamp in enumerate(STAMPS, start=1):
        send(settings, stamp)
        held = kafka.held_offsets(settings)
        assert held == {0: Held(0, 0), 1: Held(0, n)}
        assert kafka.newest_times(settings, held) == {1: at(stamp)}
        assert kafka.oldest_times(settings, held) == {1: at(STAMPS[0])}


def test_markers_of_transactions_are_no_records(settings: KafkaSettings) -> None:
    send(settings, STAMPS[0], end="commit_transaction")
    send(settings, STAMPS[1], end="abort_transaction")
    for _ in range(3):
        send(settings, *[STAMPS[1]] * 70, end="abort_transaction")
    ended(settings, 2 + 2 + 3 * 71)
    held = kafka.held_offsets(settings)
    assert kafka.newest_times(settings, held) == kafka.oldest_times(settings, held) == {1: at(STAMPS[0])}


def test_committed_records_are_told_from_offsets_that_hold_none(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(settings, STAMPS[0], STAMPS[0], end="commit_transaction")  # 0, 1, and a marker
    send(settings, *[STAMPS[1]] * 3, end="abort_transaction")  # 3 to 5, and a marker
    send(settings, STAMPS[0])  # 7
    send(settings, STAMPS[0], end="commit_transaction")  # 8, and a marker at the end
    ended(settings, 10)
    for far in (0, 1000):  # read in one go, or each range on its own
        monkeypatch.setattr(kafka, "READ_ON", far)
        assert kafka.committed(settings, 1, [(2, 3), (3, 7), (9, 10)]) == []
        assert kafka.committed(settings, 1, [(1, 4), (6, 8), (9, 10)]) == [1, 7]
    assert kafka.committed(settings, 0, []) == []


def test_an_open_transaction_is_not_there_yet(settings: KafkaSettings) -> None:
    send(settings, STAMPS[0])
    open_ = send(settings, STAMPS[1], end="")
    assert kafka.held_offsets(settings)[1] == Held(0, 1)
    open_.commit_transaction(30)
    ended(settings, 3)


def test_only_aborted_records_are_none(settings: KafkaSettings) -> None:
    send(settings, STAMPS[0], end="abort_transaction")
    ended(settings, 2)
    held = kafka.held_offsets(settings)
    assert kafka.newest_times(settings, held) == kafka.oldest_times(settings, held) == {}


def test_a_topic_made_anew_is_another_log(settings: KafkaSettings) -> None:
    reader = kafka.LogReader(settings)
    first = reader.log_id()
    assert first == reader.log_id() == kafka.LogReader(settings).log_id()
    assert first.startswith(f"{settings.topic}@")
    remake(settings)
    made_anew = known(reader)
    assert made_anew != first
    assert made_anew.split("/")[0] == first.split("/")[0], "the same cluster"


def remake(settings: KafkaSettings) -> None:
    admin = kafka.admin_client(settings)
    admin.delete_topics([settings.topic])[settings.topic].result(30)
    create(admin, settings)


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True)  # a deleted topic is there for a while
def create(admin: AdminClient, settings: KafkaSettings) -> None:
    admin.create_topics([NewTopic(settings.topic, 2)])[settings.topic].result(30)


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True)  # a new topic is not known at once
def known(reader: kafka.LogReader) -> str:
    return reader.log_id()


def test_a_topic_of_ours_has_the_broker_s_time(settings: KafkaSettings) -> None:
    made = settings.model_copy(update={"topic": f"t{uuid4()}"})
    kafka_topic.ensure_topic(made, 2, replicas=1)
    assert told(made) is True
    send(made, STAMPS[0])
    (newest,) = kafka.newest_times(made, kafka.held_offsets(made)).values()
    assert abs(datetime.now(UTC) - newest) < timedelta(minutes=1), "not the producer's"


def test_a_topic_that_is_there_keeps_its_time_until_it_is_changed(settings: KafkaSettings) -> None:
    kafka_topic.ensure_topic(settings, 2, replicas=1)
    assert told(settings) is False
    send(settings, STAMPS[0])
    for _ in range(2):
        kafka_topic.use_brokers_time(settings)
    send(settings, STAMPS[1])
    held = kafka.held_offsets(settings)
    assert kafka.oldest_times(settings, held)[1] == at(STAMPS[0]), "what it holds stays as it is"
    assert abs(datetime.now(UTC) - kafka.newest_times(settings, held)[1]) < timedelta(minutes=1)
    assert told(settings) is True


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True)  # a new topic is not known at once
def told(settings: KafkaSettings) -> bool:
    is_brokers = kafka_topic.has_brokers_time(settings)
    assert is_brokers is not None
    return is_brokers


def test_a_topic_that_is_not_there_has_no_time(settings: KafkaSettings) -> None:
    assert kafka_topic.has_brokers_time(settings.model_copy(update={"topic": f"t{uuid4()}"})) is None


def test_a_broker_that_is_away_is_named() -> None:
    away = KafkaSettings(kafka_bootstrap="127.0.0.1:1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka, "REQUEST_SECONDS", 0.5)
        with pytest.raises(MissingPartError, match=r"PINWHEEL_KAFKA_BOOTSTRAP=127\.0\.0\.1:1"):
            kafka.LogReader(away).log_id()


def test_how_long_a_topic_keeps_records(settings: KafkaSettings) -> None:
    admin = kafka.admin_client(settings)
    limited = settings.model_copy(update={"topic": f"t{uuid4()}"})
    admin.create_topics([NewTopic(limited.topic, 1, config={"retention.ms": "86400000"})])[limited.topic].result(30)
    assert kafka_topic.retention_ms(limited) == 86_400_000
