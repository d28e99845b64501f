"""The stream's progress: the offsets in Kafka against those in the lake."""

from types import SimpleNamespace
from typing import Any

import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from pinwheel.clients import kafka
from pinwheel.core.settings import SuperviseSettings
from pinwheel.lake import events_table
from pinwheel.stream.supervisor import StreamProgress, progress


class FakeBroker:
    """Holds [start, end) of each partition, and knows who is connected."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[int, int]] = {}
        self.consumers = self.open = 0

    def consumer(self, options: dict[str, Any]) -> "FakeBroker":
        self.consumers += 1
        self.open += 1
        return self

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=self.held)})

    def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int]:
        return self.held[partition.partition]

    def close(self) -> None:
        self.open -= 1


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    made = FakeBroker()
    monkeypatch.setattr(kafka, "Consumer", made.consumer)
    return made


def land(settings: SuperviseSettings, ends: dict[int, int]) -> None:
    """A commit to the lake that says how far each partition has come."""
    events_table.create_table(settings.events_uri)
    marks = [Transaction(events_table.app_id(settings.topic, partition), end) for partition, end in ends.items()]
    write_deltalake(
        settings.events_uri,
        events_table.arrow_schema().empty_table(),
        mode="append",
        commit_properties=CommitProperties(app_transactions=marks),
    )


class TestProgress:
    def test_lag_is_what_kafka_holds_and_the_lake_does_not(
        self, settings: SuperviseSettings, broker: FakeBroker
    ) -> None:
        broker.held = {0: (0, 50), 1: (10, 30)}
        land(settings, {0: 45, 1: 30})
        assert progress(settings) == StreamProgress(lag=5, landed=75)

    def test_what_expired_before_it_could_land_is_no_lag(self, settings: SuperviseSettings, broker: FakeBroker) -> None:
        broker.held = {0: (1_000_000, 1_000_007), 1: (0, 3)}
        assert progress(settings) == StreamProgress(lag=10, landed=0), "no lake yet"
        land(settings, {1: 3})
        assert progress(settings) == StreamProgress(lag=7, landed=3)

    def test_other_commits_to_the_lake_are_no_landing(self, settings: SuperviseSettings, broker: FakeBroker) -> None:
        broker.held = {0: (0, 50)}
        land(settings, {0: 45})
        before = progress(settings)
        land(settings, {})
        assert progress(settings) == before

    def test_kafka_is_asked_through_one_consumer_that_is_closed(
        self, settings: SuperviseSettings, broker: FakeBroker
    ) -> None:
        broker.held = {p: (0, 1) for p in range(6)}
        assert kafka.held_offsets(settings) == {p: kafka.Held(0, 1) for p in range(6)}
        assert (broker.consumers, broker.open) == (1, 0)
        assert kafka.end_offsets(settings) == dict.fromkeys(range(6), 1)
        assert kafka.partitions(settings) == list(range(6))
        assert (broker.consumers, broker.open) == (3, 0)

    def test_a_broker_that_does_not_answer_is_no_progress(
        self, settings: SuperviseSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(kafka, "REQUEST_SECONDS", 0.1)
        assert progress(settings) is None
        assert "PINWHEEL_KAFKA_BOOTSTRAP=127.0.0.1:1" in caplog.text
