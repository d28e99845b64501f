"""An erasure among hundreds of thousands of rows, while more land and are merged."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUP_TABLES, TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.erase.ledger import Request
from pinwheel.erase.run import erase, look
from pinwheel.operate.airflow_cleanup import DATABASE_URL
from tests.support import erasures
from tests.support.erasures import World
from tests.support.lakes import NOON, event, land
from tests.support.types import Query

ROWS, PEOPLE = 200_000, 5_000
FIRST_PERSON = 30_000_000
PERSON = FIRST_PERSON + 17
DAYS = 3


@pytest.fixture
def world(settings: MergeSettings, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = erasures.make(settings, connection, tmp_path)
    monkeypatch.setenv(DATABASE_URL, f"sqlite:///{made.airflow}")
    return made


def traffic(first: int, count: int) -> pa.Table:
    """Events of all types by people with long ids, over some days."""
    rng = np.random.default_rng(first)
    kinds = [event(kind.name, None, 0, title="a pin") for kind in TABLES.values()]
    rows = pa.Table.from_pylist(kinds, schema=erasures.SCHEMA).take(rng.integers(0, len(kinds), count))
    at = np.datetime64(NOON.replace(tzinfo=None), "us") + rng.integers(0, DAYS * 86_400, count).astype("timedelta64[s]")
    offsets = np.arange(first, first + count)
    makers = pa.array(FIRST_PERSON + rng.integers(0, PEOPLE, count), mask=rng.random(count) < 0.5)
    values = {
        "event_id": [f"t-{offset:08}" for offset in offsets],
        "event_date": at.astype("datetime64[D]"),
        "occurred_at": at,
        "kafka_timestamp": at,
        "user_id": FIRST_PERSON + rng.integers(0, PEOPLE, count),
        "pin_creator_id": makers,
        "brand_id": rng.integers(0, 20, count),
        "kafka_offset": offsets,
    }
    for name, column in values.items():
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, pa.array(column).cast(erasures.SCHEMA.field(name).type))
    return rows


def without(rows: pa.Table) -> pa.Table:
    """As the stream lands them once the person is listed."""
    rows = rows.filter(pc.not_equal(rows["user_id"], PERSON))
    makers = pc.if_else(pc.equal(rows["pin_creator_id"], PERSON), None, rows["pin_creator_id"])
    return rows.set_column(rows.column_names.index("pin_creator_id"), "pin_creator_id", makers)


def of_others(query: Query, table: str) -> tuple[int, ...]:
    """A checksum of the rows of all but the person."""
    found = query(
        f"SELECT COUNT(*) AS n, SUM(CRC32(CONCAT_WS('|', event_id, user_id, occurred_at))) AS s FROM {table} "
        f"WHERE user_id <> {PERSON} AND event_id < 't-{ROWS:08}'"
    )
    return tuple(int(value) for value in found[0].values())


def rollups(query: Query) -> dict[str, list[str]]:
    plain = [table for table in ROLLUP_TABLES if not table.startswith("people_")] + ["people_daily_counts"]
    rows = {table: query(f"SELECT * FROM {table}") for table in plain}
    return {t: sorted(str({k: v for k, v in row.items() if k != "updated_at"}) for row in rows[t]) for t in plain}


def test_among_traffic(world: World, query: Query) -> None:
    for first in range(0, ROWS, 50_000):
        land(world.settings.lake_uri, traffic(first, 50_000))
    world.merge()
    before = {table: of_others(query, table) for table in TABLES}
    theirs = sum(query(f"SELECT COUNT(*) AS n FROM {table} WHERE user_id = {PERSON}")[0]["n"] for table in TABLES)
    assert theirs > 10
    more = iter(range(ROWS, ROWS + 20_000, 1_000))

    def wait(_: float) -> None:
        """The stream lands, without the person, as it knows the list; and all is merged."""
        land(world.settings.lake_uri, without(traffic(next(more), 1_000)))
        world.merge()

    receipt = erase(world.settings, Request(PERSON, "why", "ann", "bea"), wait)

    assert dict(look(world.settings, PERSON).finds) == {}
    assert sum(receipt["erased"].get(f"lake {kind.name}", 0) for kind in TABLES.values()) == theirs
    assert {table: of_others(query, table) for table in TABLES} == before
    world.merge()
    found = rollups(query)
    for day in range(DAYS + 1):
        world.execute("INSERT INTO stale_days (day) VALUES (DATE(%s) + INTERVAL %s DAY)", NOON, day)
    for _ in range(DAYS + 1):
        world.merge()
    assert rollups(query) == found, "they are what the rows say"
