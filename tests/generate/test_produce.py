"""The records that produce sends and the truth that it writes down, without Kafka."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwheel.core.errors import MissingPartError, SettingError
from pinwheel.core.settings import load
from pinwheel.generate import produce as module
from pinwheel.generate import truth
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.produce import produce
from pinwheel.generate.settings import ProduceSettings
from tests.support.taken import Taken

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _small_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "Catalogue", lambda seed: Catalogue(seed, pins=1000, brands=20, people=500))
    monkeypatch.setenv("PINWHEEL_GEO_IPV4_PATH", str(tmp_path / "none.mmdb"))


def settings(**values: Any) -> ProduceSettings:
    return load(ProduceSettings, **{f"produce_{name}": value for name, value in values.items()})


def test_history_is_spread_over_the_past_hours(tmp_path: Path) -> None:
    taken = Taken()
    sent = produce(settings(count=25_000, backfill_hours=24, truth_dir=tmp_path), sender=taken, now=lambda: NOW)
    assert (sent.records, len(taken.values), taken.finished) == (25_000, 25_000, True)
    rows = truth.read(tmp_path)
    assert rows.schema == truth.SCHEMA
    assert rows.num_rows == 25_000
    moments = [r["occurred_at"] for r in rows.select(["occurred_at", "kind"]).to_pylist() if r["kind"] == "ok"]
    assert NOW - timedelta(hours=24) <= min(moments) < NOW - timedelta(hours=23, minutes=59)
    assert NOW - timedelta(minutes=1) < max(moments) <= NOW
    assert {"kind", "target", "starts_at", "ends_at", "factor"} == set(truth.read_bursts(tmp_path)[0])


def test_live_events_happen_now_and_follow_history(tmp_path: Path) -> None:
    chosen = settings(count=3000, backfill_hours=1, backfill_count=2000, rate=0, truth_dir=tmp_path)
    produce(chosen, sender=Taken(), now=lambda: NOW)
    rows = truth.read(tmp_path).to_pylist()
    assert all(row["occurred_at"] < NOW for row in rows[:2000] if row["occurred_at"])
    assert {row["occurred_at"] for row in rows[2000:] if row["kind"] == "ok"} == {NOW}


def test_the_rate_is_kept() -> None:
    sent = produce(settings(count=300, rate=500), sender=Taken())
    assert 0.5 <= sent.seconds < 1.5


def test_a_stop_ends_in_order_and_the_truth_holds_only_what_was_taken(tmp_path: Path) -> None:
    stop = threading.Event()
    taken = Taken(stop, limit=1234)
    sent = produce(settings(rate=0, truth_dir=tmp_path), stop=stop, sender=taken, now=lambda: NOW)
    assert (sent.records, taken.finished) == (1234, True)
    rows = truth.read(tmp_path).to_pylist()
    assert [str(row["user_id"]).encode() for row in rows] == taken.keys


def always(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def test_two_runs_write_into_one_folder(tmp_path: Path) -> None:
    for moment in (NOW, NOW + timedelta(seconds=1)):
        produce(settings(count=100, rate=0, truth_dir=tmp_path), sender=Taken(), now=always(moment))
    rows = truth.read(tmp_path).to_pylist()
    firsts = [row["event_id"] for row in rows if row["kind"] != "redelivery"]
    assert len(rows) == 200
    assert len(firsts) == len(set(firsts)), "the same seed at another time has other ids"


def test_the_same_seed_and_now_send_the_same(tmp_path: Path) -> None:
    runs = [Taken(), Taken(), Taken()]
    for taken, seed in zip(runs, (3, 3, 4), strict=True):
        produce(settings(count=500, rate=0, seed=seed), sender=taken, now=lambda: NOW)
    assert runs[0].values == runs[1].values != runs[2].values


def test_no_truth_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="no truth in"):
        truth.read(tmp_path)


def test_the_fields_of_the_events_are_json_with_utf8() -> None:
    taken = Taken()
    produce(settings(count=2000, rate=0), sender=taken, now=lambda: NOW)
    texts = [json.loads(v).get("text") for v in taken.values if v and b'"comment"' in v and v.endswith(b'"}')]
    assert any(text and not text.isascii() for text in texts)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (["--rate", "-1"], "PINWHEEL_PRODUCE_RATE='-1'.*greater than or equal to 0"),
        (["--count", "many"], "PINWHEEL_PRODUCE_COUNT='many'.*valid integer"),
        (["--backfill-hours", "1000"], "PINWHEEL_PRODUCE_BACKFILL_HOURS='1000'.*less than or equal to 648"),
        (["--backfill-hours", "1"], "needs a size"),
    ],
)
def test_bad_settings_are_named(argument: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        load(ProduceSettings, **module._arguments(argument))
    with pytest.raises(SystemExit, match=message):
        module.main(argument)
