"""The pin lookup: the order of its sources, what it caches, and that no source that is down stops it."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pyarrow as pa
import pymysql
import pytest

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import PIN_COLUMN_OF, PIN_COLUMNS, PIN_FIELDS, PIN_VERSION, Type
from pinwheel.core.settings import MemsqlSettings, PinLookupSettings
from pinwheel.enrich.pin_cache import COLUMNS, SELECT_IDS
from pinwheel.enrich.pin_sources import PinApi, PinRow
from pinwheel.enrich.pins import FOUND_TYPE, PINS_SCHEMA, PinLookup

SELECT_VERSIONS = memsql.statement("enrich/select_versions")
MADE = datetime(2026, 1, 2, 3, 4, 5, 678901)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeMemsql:
    """Stands in for MemSQL behind pymysql's interface; ``rows`` is pin_cache, ``versions`` the work table."""

    engine = "mariadb"

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.versions: dict[int, dict[str, Any]] = {}
        self.down: Exception | None = None
        self.connects = self.commits = 0
        self.selects: list[tuple[int, ...]] = []
        self.upserts: list[list[int]] = []
        self.found: list[tuple[Any, ...]] = []
        self.warning_count = 0

    def connect(self) -> Connection:
        self.connects += 1
        self._check()
        return cast(Connection, self)

    def _check(self) -> None:
        if self.down:
            raise self.down

    @contextmanager
    def cursor(self, *_: type) -> Iterator["FakeMemsql"]:
        yield self

    def execute(self, sql: str, values: dict[str, Any] | None = None) -> int:
        if values is None:
            self._change(sql)
        elif "path" in values:
            return self._load(Path(values["path"]), *re.findall(r"INTO TABLE (\w+)[^(]+\((.+)\)", sql)[0])
        elif sql == SELECT_VERSIONS:
            self.found = [(i, *_selected(self.rows[i])[-3:]) for i in values["pin_ids"] if i in self.rows]
        else:
            self.selects.append(values["pin_ids"])
            self._check()
            self.found = [_selected(self.rows[i]) for i in values["pin_ids"] if i in self.rows]
        return 0

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.found

    def _load(self, path: Path, table: str, columns: str) -> int:
        none = dict.fromkeys(COLUMNS, "\\N")
        names, lines = columns.split(", "), path.read_text().splitlines()
        loaded = [_loaded(none | dict(zip(names, line.split("\t"), strict=True))) for line in lines]
        rows = {row["pin_id"]: row for row in loaded}
        if table == "pin_versions":
            self.versions = rows
            self.upserts.append(list(rows))
            self.warning_count = 0
            return len(rows)
        self.upserts.append(list(rows))
        self._check()
        new = {i: row for i, row in rows.items() if i not in self.rows}
        self.rows |= new
        self.warning_count = len(rows) - len(new)
        return len(new)

    def _change(self, sql: str) -> None:
        if sql.startswith("UPDATE"):
            self.rows |= {i: row for i, row in self.versions.items() if _version(row) > _version(self.rows[i])}

    def commit(self) -> None:
        self.commits += 1

    def close(self) -> None:
        pass


def _selected(row: dict[str, Any]) -> tuple[Any, ...]:
    """A row as ``select_pins`` returns it: times in microseconds."""
    return tuple(_micros(row[name]) if isinstance(row[name], datetime) else row[name] for name in COLUMNS)


def _micros(at: datetime) -> int:
    return (at.replace(tzinfo=None) - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def _version(row: dict[str, Any]) -> tuple[Any, ...]:
    """For comparison: no version is the oldest."""
    return () if row["occurred_at"] is None else tuple(row[name] for name in PIN_VERSION)


def _loaded(row: dict[str, str]) -> dict[str, Any]:
    """A line of the loaded file as a row of pin_cache."""
    values = {name: None if text == "\\N" else text.replace("\\t", "\t") for name, text in row.items()}
    names = [*(f.name for f in PIN_FIELDS if f.type is Type.INT64), "kafka_partition", "kafka_offset"]
    numbers = {name: int(text) for name in names if (text := values[name])}
    times = {name: datetime.fromisoformat(text) for name in ("created_at", "occurred_at") if (text := values[name])}
    return values | numbers | times


class FakeApi:
    """Stands in for the Pin API, under the real HTTP client."""

    def __init__(self) -> None:
        self.pins: dict[int, dict[str, Any]] = {}
        self.unknown: set[int] = set()
        self.answer: httpx.Response | Exception | None = None
        self.asked: list[list[int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        ids = json.loads(request.content)["pin_ids"]
        self.asked.append(ids)
        if isinstance(self.answer, Exception):
            raise self.answer
        found = [self.pins[i] for i in ids if i in self.pins]
        return self.answer or httpx.Response(
            200, json={"pins": found, "unknown": [i for i in ids if i in self.unknown]}
        )


class World:
    """A lookup with everything around it faked."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.memsql, self.api = Clock(), FakeMemsql(), FakeApi()
        chosen = PinLookupSettings(**settings)
        client = httpx.Client(transport=httpx.MockTransport(self.api))
        self.lookup = PinLookup(chosen, connect=self.memsql.connect, source=PinApi(chosen, client), clock=self.clock)

    def statuses(self, *ids: int | None) -> list[str | None]:
        return list(self.lookup.find(pa.array(ids, pa.int64())).field("pin_status").to_pylist())


def sql_row(pin_id: int, version: int | None = 1, **changes: Any) -> dict[str, Any]:
    """A row of pin_cache; ``version`` is minutes after MADE; None: from the Pin API."""
    row = dict.fromkeys(COLUMNS) | {"pin_id": pin_id, "creator_id": 7, "board_id": 8, "created_at": MADE}
    if version is not None:
        row |= {"occurred_at": MADE + timedelta(minutes=version), "kafka_partition": 0, "kafka_offset": version}
    return row | {"title": f"Pin {pin_id}"} | changes


def api_pin(pin_id: int, **changes: Any) -> dict[str, Any]:
    pin = sql_row(pin_id, created_at="2026-01-02T03:04:05.678901Z") | changes
    return {f.name: pin[f.name] for f in PIN_FIELDS}


@pytest.fixture
def world() -> World:
    return World()


def test_asks_process_then_memsql_then_api(world: World) -> None:
    world.memsql.rows[1] = sql_row(1, title="from MemSQL")
    world.api.pins[2] = api_pin(2)
    world.api.unknown = {3}
    assert world.statuses(1, 2, 3, 4, None, 2) == ["cached", "fetched", "unknown", "pending", None, "fetched"]
    assert (world.memsql.selects, world.api.asked) == ([(1, 2, 3, 4)], [[2, 3, 4]])
    assert world.memsql.upserts == [[2]]
    assert world.statuses(1, 2, 3, 4) == ["cached", "cached", "unknown", "pending"]
    assert (len(world.memsql.selects), len(world.api.asked)) == (1, 1), "all of it was remembered"


def test_pins_of_memsql_are_stripped_as_those_of_the_api(world: World) -> None:
    """It may have a maker whose erasure has not reached it yet."""
    world.memsql.rows[1], world.api.pins[2] = sql_row(1), api_pin(2)

    def strip(pins: dict[int, PinRow]) -> dict[int, PinRow]:
        return {i: (None, *row[1:]) for i, row in pins.items()}

    source = PinApi(PinLookupSettings(), httpx.Client(transport=httpx.MockTransport(world.api)))
    lookup = PinLookup(PinLookupSettings(), connect=world.memsql.connect, source=source, strip=strip)
    for _ in range(2):
        found = lookup.find(pa.array([1, 2], pa.int64())).to_pylist()
        assert [(row["pin_creator_id"], row["title"]) for row in found] == [(None, "Pin 1"), (None, "Pin 2")]


def test_rows_carry_the_contracts_columns(world: World) -> None:
    world.memsql.rows[1] = sql_row(1, category="travel")
    world.api.pins[2] = api_pin(2, brand_id=9)
    found = world.lookup.find(pa.array([2, None, 1, 99], pa.int64()))
    assert [f.name for f in found.type] == [*(c.name for c in PIN_COLUMNS), "pin_status"]
    assert found.type == FOUND_TYPE
    rows = found.to_pylist()
    assert [(r["pin_creator_id"], r["brand_id"], r["category"], r["title"]) for r in rows] == [
        (7, 9, None, "Pin 2"),
        (None, None, None, None),
        (7, None, "travel", "Pin 1"),
        (None, None, None, None),
    ]
    assert [r["pin_created_at"] for r in rows] == [MADE.replace(tzinfo=UTC), None, MADE.replace(tzinfo=UTC), None]


def test_no_rows_and_only_nulls(world: World) -> None:
    assert len(world.lookup.find(pa.array([], pa.int64()))) == 0
    assert world.statuses(None, None) == [None, None]
    assert world.memsql.connects == 0


def test_what_the_api_gave_is_in_memsql_for_the_next_process(world: World) -> None:
    world.api.pins[5] = api_pin(5, title='tab\tquote"😀')
    world.statuses(5)
    other = World()
    other.memsql.rows = world.memsql.rows
    assert other.statuses(5) == ["cached"]
    assert other.api.asked == []
    assert world.memsql.rows[5]["created_at"] == MADE


def test_select_ends_its_transaction(world: World) -> None:
    world.statuses(1)
    assert world.memsql.commits == 1


def test_batches(world: World) -> None:
    world = World(pin_api_batch=1000)
    ids = list(range(SELECT_IDS + 500))
    world.statuses(*ids)
    assert [len(s) for s in world.memsql.selects] == [SELECT_IDS, 500]
    assert [len(a) for a in world.api.asked] == [1000, 1000, 1000, 1000, 500]


def test_misses_are_forgotten_after_their_time(world: World) -> None:
    world.api.unknown = {3}
    assert world.statuses(3, 4) == ["unknown", "pending"]
    world.clock.now += 6
    world.statuses(3, 4)
    assert world.api.asked == [[3, 4], [4]], "pending is asked again after pin_retry_seconds"
    world.clock.now += 31
    world.api.pins = {3: api_pin(3)}
    assert world.statuses(3) == ["fetched"]


def test_memsql_down_is_left_alone_for_a_while(world: World) -> None:
    world.memsql.down = pymysql.err.OperationalError(2003, "no server")
    world.api.pins = {i: api_pin(i) for i in range(10)}
    assert world.statuses(1) == ["fetched"]
    assert world.statuses(2, 1) == ["fetched", "cached"]
    assert world.memsql.connects == 1
    world.memsql.down = None
    world.clock.now += 5.1
    assert world.statuses(3) == ["fetched"]
    assert world.memsql.connects == 2
    assert world.memsql.upserts == [[3]]


def test_memsql_that_dies_in_use_is_connected_again(world: World) -> None:
    world.statuses(1)
    world.memsql.down = pymysql.err.OperationalError(2013, "lost")
    assert world.statuses(2) == ["pending"]
    world.memsql.down, world.memsql.rows[3] = None, sql_row(3)
    world.clock.now += 5.1
    assert world.statuses(3) == ["cached"]
    assert world.memsql.connects == 2


def test_both_down_is_pending_without_waiting(world: World) -> None:
    world.memsql.down = pymysql.err.OperationalError(2003, "no server")
    world.api.answer = httpx.ConnectTimeout("slow")
    for pin_id in range(20):
        assert world.statuses(pin_id) == ["pending"]
    assert (world.memsql.connects, len(world.api.asked)) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"location": "http://elsewhere/"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"pins": None, "unknown": []}),
        httpx.Response(200, json={"pins": []}),
        httpx.ReadTimeout("slow"),
    ],
)
def test_an_answer_that_is_no_answer_is_pending(world: World, answer: httpx.Response | Exception) -> None:
    world.api.answer = answer
    assert world.statuses(1, 2) == ["pending", "pending"]
    assert world.statuses(3) == ["pending"]
    assert len(world.api.asked) == 1, "the breaker is open"


@pytest.mark.parametrize(
    "wrong",
    [
        {"creator_id": None},
        {"creator_id": "7"},
        {"board_id": True},
        {"brand_id": 2**63},
        {"brand_id": 1.5},
        {"title": "x" * 501},
        {"category": 5},
        {"created_at": "yesterday"},
        {"created_at": "2026-01-02T03:04:05"},
    ],
)
def test_a_pin_that_breaks_the_contract_is_pending(world: World, wrong: dict[str, Any]) -> None:
    world.api.pins = {1: api_pin(1, **wrong), 2: api_pin(2, created_at=None)}
    assert world.statuses(1, 2) == ["pending", "fetched"]
    assert world.memsql.upserts == [[2]]


def test_pins_that_were_not_asked_for_are_ignored(world: World) -> None:
    world.api.answer = httpx.Response(200, json={"pins": [api_pin(9), "x"], "unknown": [8, "x"]})
    assert world.statuses(1) == ["pending"]
    assert world.memsql.rows == {}


def pins_table(*rows: dict[str, Any]) -> pa.Table:
    """Rows of pin_cache as the stream holds them, under the lake's names, times with their zone."""
    renamed = [{PIN_COLUMN_OF.get(name, name): _utc(value) for name, value in row.items()} for row in rows]
    return pa.Table.from_pylist(renamed, schema=PINS_SCHEMA)


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def test_save_keeps_the_newest_and_answers_from_the_process(world: World) -> None:
    old, new = sql_row(2, 1, title="old"), sql_row(2, 2, title="new")
    assert world.lookup.save(pins_table(new, sql_row(1), sql_row(9), old, sql_row(5), sql_row(1) | {"pin_id": None}))
    assert world.memsql.upserts == [[1, 2, 5, 9]], "in one order for all writers"
    assert (world.memsql.rows[2]["title"], world.memsql.rows[2]["created_at"]) == ("new", MADE)
    assert world.lookup.find(pa.array([2], pa.int64())).field("title").to_pylist() == ["new"]
    assert world.memsql.selects == []


def test_an_older_version_changes_nothing_and_a_newer_one_does(world: World) -> None:
    world.lookup.save(pins_table(sql_row(1, 5, title="newest")))
    world.lookup.save(pins_table(sql_row(1, 4, title="late"), sql_row(1, 5, title="again")))
    assert world.memsql.upserts == [[1]]
    assert world.lookup.find(pa.array([1])).field("title").to_pylist() == ["newest"]
    world.lookup.save(pins_table(sql_row(1, 6, title="newer")))
    assert (world.memsql.rows[1]["title"], world.memsql.rows[1]["kafka_offset"]) == ("newer", 6)
    assert world.lookup.find(pa.array([1])).field("title").to_pylist() == ["newer"]


def test_a_pin_that_comes_again_unchanged_is_newer_but_left_to_the_merge(world: World) -> None:
    world.lookup.save(pins_table(sql_row(1, 1, title="same")))
    world.lookup.save(pins_table(sql_row(1, 3, title="same")))
    assert world.memsql.upserts == [[1]]
    world.lookup.save(pins_table(sql_row(1, 2, title="late")))
    assert world.lookup.find(pa.array([1])).field("title").to_pylist() == ["same"]
    assert world.memsql.rows[1]["title"] == "same"


def test_an_answer_of_the_api_is_older_than_any_version_and_replaces_none(world: World) -> None:
    world.api.pins = {1: api_pin(1, title="from the API"), 2: api_pin(2, title="from the API")}
    assert world.statuses(1) == ["fetched"]
    world.lookup.save(pins_table(sql_row(1, 1, title="from the stream")))
    assert world.lookup.find(pa.array([1])).field("title").to_pylist() == ["from the stream"]
    assert world.memsql.rows[1]["title"] == "from the stream"
    world.memsql.rows[2] = sql_row(2, title="saved by another worker after we had looked")
    world.lookup._from_source([2])
    assert world.memsql.rows[2]["kafka_offset"] == 1


def test_what_could_not_be_saved_is_saved_as_the_newest_version_that_is_known(world: World) -> None:
    world.memsql.down = pymysql.err.OperationalError(2003, "no server")
    assert not world.lookup.save(pins_table(sql_row(1, 5, title="newest")))
    world.memsql.down = None
    world.clock.now += 5.1
    assert world.lookup.save(pins_table(sql_row(1, 4, title="late")))
    assert world.memsql.rows[1]["title"] == "newest"


def test_misses_can_be_forgotten(world: World) -> None:
    world.api.unknown = {1}
    assert world.statuses(1, 2) == ["unknown", "pending"]
    world.lookup.forget_misses()
    world.api.pins = {1: api_pin(1), 2: api_pin(2)}
    assert world.statuses(1, 2) == ["fetched", "fetched"]


@pytest.mark.parametrize("rows", [0, 100])
def test_save_ends_a_remembered_miss(rows: int) -> None:
    world = World(pin_cache_rows=rows)
    world.api.unknown = {1}
    assert world.statuses(1, 2) == ["unknown", "pending"]
    world.lookup.save(pins_table(sql_row(1), sql_row(2)))
    assert world.statuses(1, 2) == ["cached", "cached"]


def test_save_writes_what_memsql_has_already_only_once(world: World) -> None:
    assert world.lookup.save(pins_table(sql_row(1)))
    assert world.lookup.save(pins_table(sql_row(1), sql_row(2)))
    assert world.memsql.upserts == [[1], [2]]


def test_save_says_when_memsql_is_down_and_saves_again_later(world: World) -> None:
    world.memsql.down = pymysql.err.OperationalError(2003, "no server")
    assert not world.lookup.save(pins_table(sql_row(1)))
    assert world.statuses(1) == ["cached"]
    world.memsql.down = None
    assert not world.lookup.save(pins_table(sql_row(1))), "still left alone"
    world.clock.now += 5.1
    assert world.lookup.save(pins_table(sql_row(1)))
    assert world.memsql.rows.keys() == {1}


def test_a_deadlock_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [pymysql.err.OperationalError(1213, "Deadlock"), None]
    monkeypatch.setattr(world.memsql, "_check", lambda: (_ for _ in ()).throw(e) if (e := errors.pop(0)) else None)
    monkeypatch.setattr(world.memsql, "connect", lambda: world.memsql)
    world.lookup._cache._connect = lambda: cast(Connection, world.memsql)
    assert world.lookup.save(pins_table(sql_row(1)))
    assert world.memsql.upserts == [[1], [1]]


def test_times_that_no_datetime_holds_do_not_fail_the_batch(world: World) -> None:
    pins = pins_table(sql_row(1))
    far = pa.array([2**62], pa.int64()).cast(pa.timestamp("us", "UTC"))
    assert world.lookup.save(pins.set_column(pins.column_names.index("pin_created_at"), "pin_created_at", far))
    assert world.memsql.rows[1]["created_at"] is None


@pytest.mark.parametrize("rows", [0, 2])
def test_a_cache_smaller_than_the_batch_still_answers_the_batch(rows: int) -> None:
    world = World(pin_cache_rows=rows)
    world.memsql.rows = {i: sql_row(i) for i in range(10)}
    assert world.statuses(*range(10)) == ["cached"] * 10


def test_a_batch_from_the_process_is_fast(world: World) -> None:
    ids = pa.array(range(10_000), pa.int64())
    world.memsql.rows = {i: sql_row(i, description="words " * 20) for i in range(10_000)}
    world.lookup.find(ids)
    times = []
    for _ in range(5):
        started = time.process_time()
        world.lookup.find(ids)
        times.append(time.process_time() - started)
    assert min(times) < 0.05, "CPU time: 15 ms alone, more where others share the caches"


def test_a_real_server_keeps_what_is_loaded(memsql_settings: MemsqlSettings) -> None:
    chosen = PinLookupSettings(**memsql_settings.model_dump(), pin_memsql_seconds=60)
    awkward = sql_row(1001, title='tab\t quote" \\N \\ 😀', description="two\r\nlines\0", category="")
    rows = pins_table(awkward, sql_row(1002, title=None, created_at=None), sql_row(1003, title="old"))
    assert PinLookup(chosen).save(rows)
    assert PinLookup(chosen).save(pins_table(sql_row(1003, 2, title="new")))
    assert PinLookup(chosen).save(pins_table(sql_row(1001, 0), sql_row(1003, 1, title="late")))
    found = PinLookup(chosen).find(pa.array([1001, 1002, 1003], pa.int64())).to_pylist()
    expected = pins_table(awkward, sql_row(1002, title=None, created_at=None), sql_row(1003, title="new"))
    assert [{**row, "pin_status": "cached"} for row in expected.drop(["pin_id", *PIN_VERSION]).to_pylist()] == found


def test_a_value_that_pin_cache_can_not_hold_is_saved_by_nobody(memsql_settings: MemsqlSettings) -> None:
    chosen = PinLookupSettings(**memsql_settings.model_dump(), pin_memsql_seconds=60)
    assert PinLookup(chosen).save(pins_table(sql_row(1007, 1)))
    assert not PinLookup(chosen).save(pins_table(sql_row(1007, 2), sql_row(1008), sql_row(1009, title="x" * 501)))
    with memsql.connect(memsql_settings) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pin_id FROM pin_cache WHERE pin_id IN (1008, 1009)")
        assert not cursor.fetchall()
