"""The generator: every record matches the truth file, the shares are right, and a seed determines everything."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pinwheel.clients.memsql import Row
from pinwheel.core.contract import DeadReason
from pinwheel.generate.catalogue import Catalogue
from pinwheel.generate.events import Block, Generator
from pinwheel.generate.malformed import MALFORMED, NAMES, spoiled
from pinwheel.generate.popularity import BURST_FIRST_SECONDS, Popularity
from tests.support.contract import verdict

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
HOUR_US = 3_600_000_000
CATALOGUE = Catalogue(7, pins=5000, brands=50, people=3000, api_only_from=2501)
BLOCK = 12_000


def generator(seed: int = 1, start_us: int = NOW_US - HOUR_US) -> Generator:
    return Generator(CATALOGUE, seed, start_us)


def an_hour(source: Generator, blocks: int = 2) -> list[Block]:
    times = NOW_US - HOUR_US + np.arange(blocks * BLOCK) * HOUR_US // (blocks * BLOCK)
    return [source.block(part, NOW) for part in np.split(times, blocks)]


@pytest.fixture(scope="module")
def source() -> Generator:
    return generator()


@pytest.fixture(scope="module")
def sample(source: Generator) -> Block:
    blocks = an_hour(source)
    keys = [k for b in blocks for k in b.keys]
    return Block(keys, [v for b in blocks for v in b.values], pa.concat_tables([b.rows for b in blocks]))


@pytest.fixture(scope="module")
def rows(sample: Block) -> list[Row]:
    return list(sample.rows.to_pylist())


def share(sample: Block, column: str, value: str) -> float:
    return float(pc.sum(pc.equal(sample.rows[column], value)).as_py() / sample.rows.num_rows)


def test_each_record_gets_the_verdict_of_the_truth(sample: Block) -> None:
    verdicts = [verdict(value, NOW) for value in sample.values]
    assert verdicts == [None if r is None else DeadReason(r) for r in sample.rows["dead_reason"].to_pylist()]


def test_the_truth_holds_what_was_sent(sample: Block, rows: list[Row]) -> None:
    for key, value, row in zip(sample.keys, sample.values, rows, strict=True):
        assert key == str(row["user_id"]).encode()
        if row["kind"] == "malformed":
            assert row["value"] == value
            continue
        event = orjson.loads(value or b"")
        names = ("event_id", "event_type", "user_id", "board_id", "text", "client", "ip")
        assert {n: event.get(n) for n in names} == {n: row[n] for n in names}
        assert datetime.fromisoformat(event["occurred_at"]) == row["occurred_at"]
        assert event.get("pin_id", event.get("pin", {}).get("pin_id")) == row["pin_id"]
        known = {*names, "occurred_at", "pin_id", "pin"}
        extra = {name: v for name, v in event.items() if name not in known}
        assert extra == json.loads(str(row["extra"] or "{}"))


def test_shares(sample: Block) -> None:
    for kind, wanted in {"late": 0.01, "redelivery": 0.01, "malformed": 0.002}.items():
        assert share(sample, "kind", kind) == pytest.approx(wanted, rel=0.3)
    for name, wanted in {"repin": 0.60, "pin": 0.12, "comment": 0.13, "login": 0.15}.items():
        assert share(sample, "event_type", name) == pytest.approx(wanted, rel=0.1)
    assert pc.sum(pc.is_valid(sample.rows["extra"])).as_py() / sample.rows.num_rows == pytest.approx(0.01, rel=0.3)


def test_redeliveries_repeat_an_earlier_record(sample: Block, rows: list[Row]) -> None:
    first: dict[object, tuple[bytes, bytes | None]] = {}
    repeats = 0
    for key, value, row in zip(sample.keys, sample.values, rows, strict=True):
        if row["kind"] == "redelivery":
            assert first[row["event_id"]] == (key, value)
            repeats += 1
        else:
            assert row["event_id"] not in first
            first[row["event_id"]] = key, value
    assert repeats > 100


def test_late_events_are_late(rows: list[Row]) -> None:
    moments = [row["occurred_at"] for row in rows if row["kind"] == "late"]
    assert min(moments) > NOW - timedelta(days=2, hours=1, seconds=1)
    assert max(moments) < NOW - timedelta(minutes=29)
    assert min(r["occurred_at"] for r in rows if r["kind"] == "ok") >= NOW - timedelta(hours=1)


def test_pin_events_carry_the_catalogues_pin_from_its_creator(sample: Block, rows: list[Row]) -> None:
    made = [
        (orjson.loads(v or b""), r)
        for v, r in zip(sample.values, rows, strict=True)
        if r["event_type"] == "pin" and not r["malformed"]
    ]
    assert all(event["pin"] == CATALOGUE.pin(row["pin_id"]) for event, row in made)
    assert all(event["pin"]["creator_id"] == row["user_id"] for event, row in made)
    assert max(row["pin_id"] for _, row in made) < CATALOGUE.api_only_from


def test_pins_follow_zipf_and_some_are_unknown(sample: Block) -> None:
    repins = sample.rows.filter(pc.equal(sample.rows["event_type"], "repin"))["pin_id"]
    unknown = pc.sum(pc.greater(repins, CATALOGUE.pins)).as_py() / len(repins)
    assert unknown == pytest.approx(0.005, rel=0.4)
    counts = sorted((c["counts"] for c in repins.value_counts().to_pylist()), reverse=True)
    assert counts[0] / len(repins) == pytest.approx(0.11, rel=0.3), "1 / H(5000)"
    assert len(counts) > 2000


def test_people_sleep() -> None:
    source = generator()
    at_hour = {}
    for hour in (4, 21):
        moment = NOW_US - 12 * HOUR_US + hour * HOUR_US
        users = source._people.acting(np.random.default_rng(1), np.full(20_000, moment // 1_000_000))
        at_hour[hour] = np.mean(source._people.utc_offsets[users - 1] == 0)
    assert at_hour[21] > 4 * at_hour[4]


def test_every_kind_of_malformed_record_gets_its_reason() -> None:
    event = {"event_id": "e", "event_type": "repin", "occurred_at": "2026-11-23T12:00:00Z", "user_id": 1, "ip": None}
    event |= {"pin_id": 1, "board_id": 2}
    assert verdict(orjson.dumps(event), NOW) is None
    for name in NAMES:
        assert verdict(spoiled(name, event, NOW), NOW) == MALFORMED[name][0], name
    assert {reason for reason, _ in MALFORMED.values()} == set(DeadReason) - {
        DeadReason.ERASED,
        DeadReason.UNPROCESSABLE,
    }


def test_a_sample_holds_every_kind_of_malformed_record(sample: Block) -> None:
    assert set(sample.rows["malformed"].to_pylist()) == {None, *NAMES}


def test_bursts_multiply_the_share_of_their_target() -> None:
    source = generator()
    burst_us = NOW_US - HOUR_US + BURST_FIRST_SECONDS * 1_000_000
    outside, during = (source.block(np.full(BLOCK, t), NOW).rows for t in (burst_us - 1, burst_us + 59_999_999))
    [burst] = source.bursts
    assert (burst.kind, burst.factor) == ("pin", 20)
    assert burst.starts_at == NOW - timedelta(hours=1) + timedelta(seconds=BURST_FIRST_SECONDS)
    before, inside = (r["pin_id"].to_pylist().count(int(burst.target)) for r in (outside, during))
    share = Popularity(CATALOGUE, 1).shares[Popularity(CATALOGUE, 1).pin_ids == int(burst.target)][0]
    usual = BLOCK * 0.73 * share  # repins and comments
    assert before < 3 * usual
    assert inside == pytest.approx(20 * usual, rel=0.25)


def test_bursts_take_turns(source: Generator, sample: Block) -> None:
    kinds = [b.kind for b in source.bursts]
    assert kinds == ["pin", "brand", "pin", "pin", "brand", "pin"], "no country without the location database"


def test_the_same_seed_gives_the_same_bytes(sample: Block) -> None:
    again = an_hour(generator())
    assert [v for b in again for v in b.values] == sample.values
    assert pa.concat_tables([b.rows for b in again]) == sample.rows
    assert an_hour(generator(seed=2), 1)[0].values != sample.values[: len(again[0].values)]


def test_runs_do_not_share_event_ids(sample: Block) -> None:
    later = generator(start_us=NOW_US - HOUR_US + 1).block(np.full(100, NOW_US), NOW)
    assert not set(later.rows["event_id"].to_pylist()) & set(sample.rows["event_id"].to_pylist())
    assert max(len(i) for i in later.rows["event_id"].to_pylist()) <= 64


def test_small_blocks_have_redeliveries_too() -> None:
    source = generator()
    blocks = [source.block(np.full(10, NOW_US), NOW) for _ in range(200)]
    assert sum(b.rows["kind"].to_pylist().count("redelivery") for b in blocks) > 5
