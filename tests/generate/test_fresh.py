"""The generator's health check, with recent records and with none."""

import pytest

from pinwheel.clients.kafka_topic import ensure_topic
from pinwheel.generate import fresh
from pinwheel.generate.produce import produce
from pinwheel.generate.settings import ProduceSettings
from pinwheel.local.environment import for_generator
from pinwheel.local.stack import Stack


def test_fresh_when_a_record_has_just_come(stack_with_kafka: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in for_generator(stack_with_kafka.settings, stack_with_kafka.credentials).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PINWHEEL_TOPIC", "fresh.events")
    assert fresh.main() == 1, "there is no such topic"
    settings = ProduceSettings(produce_count=10, produce_rate=0)
    ensure_topic(settings, 2, replicas=1)
    assert fresh.main() == 1, "nothing has come yet"
    produce(settings)
    assert fresh.main() == 0
    monkeypatch.setattr(fresh, "MAX_AGE", -fresh.MAX_AGE)
    assert fresh.main() == 1, "what came is older"
