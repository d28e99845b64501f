"""A task's share of a micro-batch: a row per record, its own files in the manifest, and harmless when run twice."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pymysql
import pytest
from deltalake import DeltaTable
from pydantic import SecretStr

from pinwheel.core.errors import FencedError, LakeError
from pinwheel.core.settings import GeoSettings, PinLookupSettings, ReplaySettings, StreamSettings, load
from pinwheel.enrich.pin_sources import VALUE_FIELDS, Answer, SourceDownError
from pinwheel.enrich.pins import PinLookup
from pinwheel.lake import erased_people, events_table
from pinwheel.lake.files import Manifest
from pinwheel.lake.landing import Landing
from spark_jobs import landing_task
from spark_jobs.landing_task import MANIFEST_SCHEMA, Landed, to_rows, writer
from spark_jobs.transforms.parse import Limits
from tests.support.lake_rows import TOPIC, make_lake
from tests.support.records import EXAMPLES, NOW, Nowhere, encode, event
from tests.support.records import records as plain_records

KEY, GONE = SecretStr("a key of the tests"), 81_234_567


class Api:
    """A Pin API that knows pin 7, or is down."""

    def __init__(self) -> None:
        self.down = False

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        if self.down:
            raise SourceDownError("no answer")
        values = {"creator_id": 8, "board_id": 9, "title": "seven"}
        pin = tuple(values.get(f.name) for f in VALUE_FIELDS)
        return Answer({i: pin for i in pin_ids if i == 7}, {i for i in pin_ids if i > 100})


def no_memsql() -> Any:
    raise pymysql.err.OperationalError(2003, "no server")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """The real chain, but no outside source is asked."""
    source = Api()
    lookup = PinLookup(load(PinLookupSettings), connect=no_memsql, source=source)
    monkeypatch.setattr(landing_task, "_pins", lambda *_: lookup)
    monkeypatch.setattr(landing_task, "_locator", lambda _: Nowhere())
    return source


@pytest.fixture
def settings(tmp_path: Path, api: Api) -> StreamSettings:
    make_lake(tmp_path)
    return load(StreamSettings, lake_uri=f"{tmp_path}/lake")


def records(first: int, *values: bytes | None, partition: int = 0) -> pa.RecordBatch:
    """A batch as Spark hands it over, offsets from ``first``."""
    made = plain_records(*values)
    offsets = pa.array(range(first, first + len(values)), pa.int64())
    made = made.set_column(2, "kafka_partition", pa.array([partition] * len(values), pa.int32()))
    return made.set_column(3, "kafka_offset", offsets).to_batches()[0]


def run(settings: StreamSettings, *batches: pa.RecordBatch) -> Manifest:
    """Run one task; it returns one row of text, as ``MANIFEST_SCHEMA`` says."""
    given = list(writer(settings)(iter(batches)))
    assert [batch.schema.names for batch in given] == [[MANIFEST_SCHEMA.split()[0]]]
    assert [batch.num_rows for batch in given] == [1]
    return Manifest.from_json(given[0]["manifest"][0].as_py())


def landed(settings: StreamSettings) -> list[dict[str, Any]]:
    """Rows that a reader of the lake sees, by offset."""
    rows = events_table.without_views(DeltaTable(settings.events_uri).to_pyarrow_table())
    return list(rows.sort_by([("kafka_partition", "ascending"), ("kafka_offset", "ascending")]).to_pylist())


def parquet_files(settings: StreamSettings) -> set[str]:
    root = Path(settings.events_uri)
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet") if "_delta_log" not in path.parts}


@pytest.fixture
def share(settings: StreamSettings) -> landing_task._Share:
    """The share of a task, for the step between reading and writing."""
    limits = Limits(settings.max_value_bytes, settings.max_future_seconds, settings.max_past_days)
    pins, geo, key = load(PinLookupSettings), load(GeoSettings), settings.erasure_key
    return landing_task._Share(settings.events_uri, limits, pins, geo, settings.lake_uri, key)


def test_one_row_per_record_in_order_with_the_lakes_columns(share: landing_task._Share) -> None:
    values = [encode(event(kind)) for kind in EXAMPLES] + [None, b"bad"]
    rows = to_rows(pa.Table.from_batches([records(50, *values)]), share)

    assert rows["kafka_offset"].to_pylist() == [50, 51, 52, 53, 54, 55]
    assert rows["event_type"].to_pylist() == [*EXAMPLES, "dead_letter", "dead_letter"]
    assert set(rows.column_names) == set(events_table.arrow_schema().names)


def test_pins_are_embedded_cached_fetched_unknown_or_pending(share: landing_task._Share, api: Api) -> None:
    values = [encode(event("repin", pin_id=pin_id)) for pin_id in (7, 101, 8)]
    rows = to_rows(pa.Table.from_batches([records(0, *values, encode(event("login")))]), share)
    assert rows["pin_status"].to_pylist() == ["fetched", "unknown", "pending", None]
    assert rows["title"].to_pylist() == ["seven", None, None, None]

    api.down = True
    again = to_rows(pa.Table.from_batches([records(4, *values, encode(event("repin", pin_id=9)))]), share)
    assert again["pin_status"].to_pylist() == ["cached", "unknown", "pending", "pending"]


def test_a_repin_right_after_its_pin_finds_it(share: landing_task._Share, api: Api) -> None:
    api.down = True
    pin, repin = encode(event("pin")), encode(event("repin"))
    rows = to_rows(pa.Table.from_batches([records(0, repin, pin)]), share)

    assert rows["pin_status"].to_pylist() == ["cached", "embedded"]


def test_limits_are_those_of_the_settings(settings: StreamSettings) -> None:
    tight = settings.model_copy(update={"max_future_seconds": 1.0, "max_past_days": 1})
    late = encode(event("login", occurred_at="2026-03-05T12:00:05Z"))
    assert run(tight, records(0, late)).rows == {"dead_letter": 1}
    assert run(settings, records(0, late)).rows == {"login": 1}


def test_what_a_task_wrote_lands_as_its_manifest_says(settings: StreamSettings) -> None:
    values = [encode(event(kind)) for kind in EXAMPLES]
    files = run(settings, records(10, *values), records(14, b"bad"), records(0, values[3], partition=1))
    Landing(settings.events_uri, TOPIC).commit(files)

    assert {p: (s.start, s.end, s.timestamp) for p, s in files.spans.items()} == {0: (10, 15, NOW), 1: (0, 1, NOW)}
    assert [(r["kafka_partition"], r["kafka_offset"], r["event_type"]) for r in landed(settings)] == [
        *((0, 10 + n, kind) for n, kind in enumerate(EXAMPLES)),
        (0, 14, "dead_letter"),
        (1, 0, "login"),
    ]


@pytest.mark.parametrize("batches", [[], [records(0, b"x").slice(0, 0)]], ids=["no batch", "no rows"])
def test_a_task_without_records_has_empty_books(settings: StreamSettings, batches: list[pa.RecordBatch]) -> None:
    assert run(settings, *batches) == Manifest()
    assert parquet_files(settings) == set()


def test_empty_batches_between_full_ones_change_nothing(settings: StreamSettings) -> None:
    login = encode(event("login"))
    files = run(settings, records(0, login).slice(0, 0), records(0, login), records(1, login).slice(0, 0))

    assert files.rows == {"login": 1}


def test_books_name_only_the_tasks_own_files(settings: StreamSettings) -> None:
    first, second = (run(settings, records(n, encode(event("login")))) for n in (0, 1))

    named = [{file.path for file in files.files} for files in (first, second)]
    assert named[0] & named[1] == set()
    assert named[0] | named[1] == parquet_files(settings)


def test_a_task_that_ran_twice_lands_once(settings: StreamSettings) -> None:
    """Spark runs a lost task again; the manifest of only one of the two runs comes back."""
    batch = records(0, encode(event("login")), encode(event("repin")))
    lost, kept = run(settings, batch), run(settings, batch)
    Landing(settings.events_uri, TOPIC).commit(kept)

    assert [row["kafka_offset"] for row in landed(settings)] == [0, 1]
    assert len(parquet_files(settings)) == len(lost.files) + len(kept.files) == 4
    with pytest.raises(FencedError):
        Landing(settings.events_uri, TOPIC).commit(lost)
    with pytest.raises(LakeError, match="overlap"):
        Manifest.together([lost, kept])
    assert len(landed(settings)) == 2


def test_a_task_that_dies_leaves_nothing_that_a_reader_sees(settings: StreamSettings) -> None:
    def dying() -> Iterator[pa.RecordBatch]:
        yield records(0, encode(event("login")))
        raise RuntimeError("the executor is gone")

    with pytest.raises(RuntimeError, match="gone"):
        list(writer(settings)(dying()))
    assert landed(settings) == []

    Landing(settings.events_uri, TOPIC).commit(run(settings, records(0, encode(event("login")))))
    assert [row["kafka_offset"] for row in landed(settings)] == [0]


@pytest.mark.parametrize("micros", [-1_000, 0, 1_772_712_000_000_000_000, 2**63 - 1, -(2**63)])
def test_no_time_of_a_record_ends_the_stream(settings: StreamSettings, micros: int) -> None:
    """A producer's clock may say 0, or microseconds as milliseconds: then the record's time is when it landed."""
    before = datetime.now(UTC)
    sent = records(0, encode(event("login", occurred_at=before.isoformat())))
    times = pa.array([micros], pa.int64()).cast(sent.schema.field("kafka_timestamp").type)
    manifest = run(settings, sent.set_column(sent.schema.names.index("kafka_timestamp"), "kafka_timestamp", times))
    assert manifest.rows == {"login": 1}
    assert before <= manifest.spans[0].timestamp <= datetime.now(UTC)  # type: ignore[operator]  # it has a record


def test_a_letter_is_parsed_and_enriched_as_a_record_was(settings: StreamSettings, api: Api) -> None:
    """Networks in its value may be longer than the addresses that they stand for, so its size is not judged again."""
    landed_by_stream = Landed(load(ReplaySettings, lake_uri=settings.lake_uri, max_value_bytes=1024))
    long = encode(event("repin", more="x" * 2000))
    parsed = landed_by_stream.parse(plain_records(long, b""))
    assert parsed["dead_reason"].to_pylist() == [None, "empty"]
    (row,) = landed_by_stream.enrich(parsed.slice(0, 1)).to_pylist()
    assert (row["pin_status"], row["title"], row["event_type"]) == ("fetched", "seven", "repin")


def test_an_erased_person_s_events_do_not_land_again(settings: StreamSettings, share: landing_task._Share) -> None:
    """Each offset keeps a row, so that no offset is missing; nothing of the person is in it."""
    erased_people.add(settings.lake_uri, KEY, GONE, pins=True)
    theirs = encode(event("login", user_id=GONE))
    broken = encode({**event("login", user_id=GONE), "event_type": "visit"})
    others = encode(event("login", user_id=GONE + 1))

    rows = to_rows(plain_records(theirs, broken, others), replace(share, erasure_key=KEY)).to_pylist()

    assert [row["event_type"] for row in rows] == ["dead_letter", "dead_letter", "login"]
    assert [row["dead_reason"] for row in rows] == ["erased", "unknown_type", None]
    assert [row["kafka_offset"] for row in rows] == [0, 1, 2]
    assert rows[2]["user_id"] == GONE + 1
    assert all(str(GONE) not in str(row) for row in rows[:2])
    assert {name for name, value in rows[0].items() if value is not None} == {
        "event_date", "event_type", "dead_reason", "kafka_partition", "kafka_offset", "kafka_timestamp"
    }  # fmt: skip


def test_an_erased_person_is_not_the_maker_of_others_pins(settings: StreamSettings, share: landing_task._Share) -> None:
    erased_people.add(settings.lake_uri, KEY, 8, pins=True)  # the maker of pin 7, as the Pin API says
    (row,) = to_rows(plain_records(encode(event("repin", pin_id=7))), replace(share, erasure_key=KEY)).to_pylist()
    assert (row["pin_creator_id"], row["pin_board_id"], row["title"]) == (None, 9, None)
