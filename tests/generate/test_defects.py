"""Each defect changes exactly what its name says, and the same seed plants the same defects."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest

from pinwheel.core.errors import SettingError
from pinwheel.core.settings import load
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.defects import DEFECTS, Planter
from pinwheel.generate.events import Block, Generator
from pinwheel.generate.settings import ProduceSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
START_US = int(NOW.timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def block() -> Block:
    generator = Generator(Catalogue(1, pins=1000, brands=20, people=500), 1, START_US)
    return generator.block(START_US - np.arange(2000)[::-1] * 10_000, NOW)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_changes_some_events_and_the_same_ones_again(block: Block, name: str) -> None:
    keys, values = Planter(name, 7).plant(block)
    assert len(keys) == len(values)
    good = set(block.values)
    assert sum(value not in good for value in values) + abs(len(values) - len(good)) > 15
    assert Planter(name, 7).plant(block) == (keys, values)


def test_a_share_of_none_changes_nothing(block: Block) -> None:
    assert Planter("half_volume", 7, 0.0).plant(block) == (block.keys, block.values)


def test_half_the_volume_is_half(block: Block) -> None:
    assert len(Planter("half_volume", 7).plant(block)[1]) == pytest.approx(1000, abs=100)


def test_malformed_records_stay_as_they_are(block: Block) -> None:
    bad = [v for v in block.values if not _is_event(v)]
    _, values = Planter("negative_users", 7, 1.0).plant(block)
    assert [v for v in values if not _is_event(v)] == bad
    assert bad


def _is_event(value: bytes | None) -> bool:
    try:
        return isinstance(orjson.loads(value or b""), dict)
    except orjson.JSONDecodeError:
        return False


def test_an_unknown_defect_says_which_there_are() -> None:
    with pytest.raises(SettingError, match=r"PINWHEEL_PRODUCE_DEFECT='nope' must be one of .*frozen_clock"):
        load(ProduceSettings, produce_defect="nope")


def test_a_truth_of_defects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="records good events"):
        load(ProduceSettings, produce_defect="null_ip", produce_truth_dir=tmp_path)
