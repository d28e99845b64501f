"""20,000 hostile records go through the topic and the driver: each lands once as what it is, and nothing restarts."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

from pinwheel.core.contract import DeadReason
from pinwheel.local.stack import Stack
from tests.support import drivers
from tests.support.fuzz import Fuzz, corpus
from tests.support.hostile import WILD_TIMES, hostile
from tests.support.judged import REASONS

VALUES, SEED = 20_000, 1


def test_hostile_records_land_or_are_dead_letters(stack: Stack, tmp_path: Path, starts_jvm: None) -> None:
    fuzz = Fuzz(stack, "hostile.records", tmp_path)
    fuzz.run(chain(corpus(), (hostile(SEED, number) for number in range(VALUES))))
    assert not fuzz.trouble(), fuzz.trouble()[:5]
    assert fuzz.reasons.total() == VALUES + len(corpus())
    assert fuzz.reasons.keys() == REASONS | {"good"}, "some reason was never the case"
    assert fuzz.reasons["good"] > VALUES / 5
    assert fuzz.reasons[DeadReason.TOO_LARGE] > 10


def test_a_time_that_spark_cannot_hold_ends_no_driver(stack: Stack, tmp_path: Path, starts_jvm: None) -> None:
    wild = [replace(hostile(SEED, n), timestamp=WILD_TIMES[n % 10]) for n in range(300) if n % 10 < len(WILD_TIMES)]
    fuzz = Fuzz(stack, "wild.times", tmp_path)
    fuzz.run([*(hostile(SEED, number) for number in range(300)), *wild])
    assert fuzz.reasons.total() == 300 + len(wild)
    assert "by Kafka's client" in drivers.log(tmp_path), "Spark has learned to hold it"
