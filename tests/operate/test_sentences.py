"""Every measure with a limit has a sentence: the value and what is allowed, in words."""

import re

import pytest

from pinwheel.alerts.catalogue import HEALTH_ALERTS, SOURCE_DOWN
from pinwheel.operate.sentences import KINDS, SOURCES, YES_OR_NO, sentence

SAID = {
    ("driver_down", "stream_engagement", 1.0, 0): "The stream's driver does not run",
    ("stopped_seconds", "stream_engagement", 3720.0, 3600): "The stream was stopped on purpose 1 h 2 min ago",
    ("lag_records", "partition 0", 123_456.0, 100_000): (
        "123,456 records of partition 0 wait to be landed; allowed are 100,000"
    ),
    ("open_batch_seconds", "stream_engagement", 184.0, 120): (
        "Nothing has landed for 3 min 4 s, while records wait; allowed are 2 min"
    ),
    ("lake_behind_seconds", "events", 121.0, 120): (
        "The lake's newest event is 2 min 1 s behind Kafka's; allowed are 2 min"
    ),
    ("merged_behind_seconds", "repins", 300.0, 120): (
        "The newest event in the table repins is 5 min behind Kafka's; allowed are 2 min"
    ),
    ("merged_behind_seconds", "rollups", None, 120): "The age of the newest event in the rollups is unknown",
    ("held_slices", "repins", 1.0, 0): "A slice of repins is held",
    ("dead_letter_share", "events", 0.123, 0.05): (
        "12 % of the records that landed last are dead letters; allowed are 5 %"
    ),
    ("pending_pins", "events", 123_456.0, 100_000): "123,456 rows wait for their pin; allowed are 100,000",
    ("small_files", "fullest closed day", 700.0, 600): (
        "The fullest past day of the lake has 700 small files; allowed are 600"
    ),
    ("disk_used_share", "lake", 0.951, 0.9): "The lake's disk is 95 % full; allowed are 90 %",
    ("alerts_undelivered", "waiting", 2.0, 0): "Messages about alerts that are waiting: 2",
    ("source_down", "memsql", 1.0, 0): "MemSQL does not answer, or refuses the login",
}


@pytest.mark.parametrize(("asked", "said"), SAID.items(), ids=lambda value: value if isinstance(value, str) else None)
def test_a_measure_in_words(asked: tuple[str, str, float | None, float], said: str) -> None:
    assert sentence(*asked) == said


def test_every_alert_about_a_measure_can_be_told() -> None:
    assert KINDS.keys() >= HEALTH_ALERTS.keys() - {SOURCE_DOWN.name}
    assert SOURCES.keys() == {"kafka", "lake", "memsql", "driver", "disk"}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("value", [None, 0.0, 0.5, 1e12])
def test_a_sentence_has_no_gap_and_says_the_limit(name: str, value: float | None) -> None:
    said = sentence(name, "pins", value, 77.0)
    assert not re.search(r"[{}_]|  |None|nan", said)
    assert ("allowed are" in said) == (value is not None and name not in YES_OR_NO)
