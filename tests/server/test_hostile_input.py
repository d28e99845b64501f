"""20,000 hostile records go through the topic and the driver: each lands once as what it is, and nothing restarts."""

from itertools import chain
from pathlib import Path

from pinwheel.core.contract import DeadReason
from pinwheel.local.stack import Stack
from tests.support.fuzz import Fuzz, corpus
from tests.support.hostile import hostile
from tests.support.judged import REASONS

VALUES, SEED = 20_000, 1


def test_hostile_records_land_or_are_dead_letters(stack: Stack, tmp_path: Path, starts_jvm: None) -> None:
    fuzz = Fuzz(stack, "hostile.records", tmp_path)
    fuzz.run(chain(corpus(), (hostile(SEED, number) for number in range(VALUES))))
    assert fuzz.reasons.total() == VALUES + len(corpus())
    assert fuzz.reasons.keys() == REASONS | {"good"}, "some reason was never the case"
    assert fuzz.reasons["good"] > VALUES / 5
    assert fuzz.reasons[DeadReason.TOO_LARGE] > 10
