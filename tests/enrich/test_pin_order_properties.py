"""Versions of pins in any order: the newest wins in a worker, and in pin_cache with any number of writers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import PIN_FIELDS
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import MemsqlSettings, PinLookupSettings
from pinwheel.enrich.pin_sources import Answer
from pinwheel.enrich.pins import NO_PIN, PinLookup
from tests.support.dying import die_at
from tests.support.pin_versions import PINS, Version, deliveries, newest, table
from tests.support.properties import examples

API = "from the API"
ANSWER = tuple({"creator_id": 7, "board_id": 8, "title": API}.get(f.name) for f in PIN_FIELDS if f.name != "pin_id")


class Source:
    """A Pin API that knows every pin."""

    def fetch(self, pin_ids: Sequence[int]) -> Answer:
        return Answer(dict.fromkeys(pin_ids, (*ANSWER, *NO_PIN[len(ANSWER) :])), set())


def no_database() -> Connection:
    raise MemsqlError("down")


def titles(lookup: PinLookup) -> dict[int, str]:
    found = lookup.find(pa.array(PINS, pa.int64())).field("title").to_pylist()
    return dict(zip(PINS, found, strict=True))


@given(deliveries(), st.lists(st.sampled_from(PINS), max_size=2))
def test_a_worker_ends_with_the_newest_version(batches: list[list[Version]], asked: list[int]) -> None:
    lookup = PinLookup(PinLookupSettings(), connect=no_database, source=Source())
    lookup.find(pa.array(asked, pa.int64()))
    for batch in batches:
        lookup.save(table(batch))
    assert titles(lookup) == dict.fromkeys(PINS, API) | newest(batches)


@pytest.fixture
def settings(memsql_settings: MemsqlSettings) -> PinLookupSettings:
    return PinLookupSettings(**memsql_settings.model_dump(), pin_memsql_seconds=60)


def empty(settings: MemsqlSettings) -> None:
    with memsql.connect(settings) as connection, memsql.transaction(connection), connection.cursor() as cursor:
        cursor.execute("DELETE FROM pin_cache")


def test_pin_cache_ends_with_the_newest_version(settings: PinLookupSettings) -> None:
    @examples(60)
    @given(deliveries(), st.data())
    def holds(batches: list[list[Version]], data: st.DataObject) -> None:
        empty(settings)
        workers = [PinLookup(settings, source=Source()) for _ in range(2)]
        for batch in batches:
            worker = data.draw(st.sampled_from(workers))
            if data.draw(st.booleans()):
                worker.find(pa.array([data.draw(st.sampled_from(PINS))], pa.int64()))
            assert worker.save(table(batch))
        assert titles(PinLookup(settings, source=Source())) == dict.fromkeys(PINS, API) | newest(batches)

    holds()


def test_writers_at_the_same_time_end_with_the_newest_version(settings: PinLookupSettings) -> None:
    empty(settings)
    versions: list[Version] = [(pin, minutes, 0, 10 * pin + minutes) for pin in range(1, 301) for minutes in range(8)]
    batches = [Random(seed).sample(versions, 600) for seed in range(24)]

    def write(some: list[list[Version]]) -> bool:
        lookup = PinLookup(settings, source=Source())
        return all([lookup.save(table(batch)) for batch in some])

    with ThreadPoolExecutor(4) as writers:
        assert all(writers.map(write, [batches[n::4] for n in range(4)]))
    with memsql.connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pin_id, title FROM pin_cache")
        assert {row["pin_id"]: row["title"] for row in cursor.fetchall()} == newest(batches)


def test_a_save_that_dies_between_its_steps_is_done_by_the_next(
    settings: PinLookupSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(settings)
    old, new = table([(1, 0, 0, 0)]), table([(1, 1, 0, 1), (2, 1, 0, 2)])
    assert PinLookup(settings, source=Source()).save(old)
    for statement in ("enrich/work_table", "enrich/update_older"):
        with monkeypatch.context() as patch:
            die_at(patch, statement)
            with pytest.raises(KeyboardInterrupt):
                PinLookup(settings, source=Source()).save(new)
        kept = titles(PinLookup(settings, source=Source()))
        assert (kept[1], kept[2]) == ("1 0 0 0", "2 1 0 2"), "each pin has one of its versions"
    assert PinLookup(settings, source=Source()).save(new)
    assert titles(PinLookup(settings, source=Source())) == {1: "1 1 0 1", 2: "2 1 0 2", 3: API}
