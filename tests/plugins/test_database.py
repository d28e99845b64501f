"""The reader's connections: kept open, dropped when broken, and of a user with read rights only."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pymysql
import pytest

from pinwheel.clients.memsql import Connection, fetch
from pinwheel.core import connections
from pinwheel.core.settings import WebSettings, load
from plugins.web import database
from plugins.web.database import Pool, as_reader


class Fake:
    """A connection that records how it was used."""

    def __init__(self) -> None:
        self.open, self.is_well, self.rollbacks = True, True, 0

    def ping(self, reconnect: bool = False) -> None:
        if not self.is_well:
            raise pymysql.err.OperationalError(2006, "gone away")

    def rollback(self) -> None:
        self.rollbacks += 1

    def close(self) -> None:
        self.open = False


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
    found: list[Fake] = []

    def connect(*_: object, **__: object) -> Fake:
        found.append(Fake())
        return found[-1]

    monkeypatch.setattr(database, "connect", connect)
    return found


def test_a_connection_is_used_again_without_its_snapshot(settings: WebSettings, made: list[Fake]) -> None:
    pool = Pool(settings)
    for _ in range(3):
        with pool.connection():
            pass
    assert [fake.rollbacks for fake in made] == [3]


def test_one_that_does_not_answer_is_replaced(settings: WebSettings, made: list[Fake]) -> None:
    pool = Pool(settings)
    with pool.connection():
        pass
    made[0].is_well = False
    with pool.connection() as second:
        assert cast(object, second) is made[1]
    assert not made[0].open


def test_one_that_is_old_is_replaced(settings: WebSettings, made: list[Fake], monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(settings)
    with pool.connection():
        pass
    later = time.time() + database.KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pool.connection():
        pass
    assert [fake.open for fake in made] == [False, True]


def test_one_that_failed_is_not_kept(settings: WebSettings, made: list[Fake]) -> None:
    pool = Pool(settings)
    with pytest.raises(pymysql.err.OperationalError), pool.connection():
        raise pymysql.err.OperationalError(2013, "lost")
    assert not made[0].open


def test_only_a_few_are_kept(settings: WebSettings, made: list[Fake]) -> None:
    pool = Pool(settings)
    blocks = [pool.connection() for _ in range(database.KEPT + 2)]
    for block in blocks:
        block.__enter__()
    for block in blocks:
        block.__exit__(None, None, None)
    assert sum(fake.open for fake in made) == database.KEPT


def test_the_reader_is_a_user_of_its_own(settings: WebSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINWHEEL_REPORT_MEMSQL_USER", raising=False)
    assert as_reader(settings).memsql_user == settings.memsql_user
    monkeypatch.setenv("PINWHEEL_REPORT_MEMSQL_USER", "reader")
    monkeypatch.setenv("PINWHEEL_REPORT_MEMSQL_PASSWORD", "hush")
    found = as_reader(settings)
    assert (found.memsql_user, found.memsql_password.get_secret_value()) == ("reader", "hush")


def test_the_reader_may_be_a_connection(
    settings: WebSettings, monkeypatch: pytest.MonkeyPatch, airflow_home: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(airflow_home))
    monkeypatch.delenv("PINWHEEL_REPORT_MEMSQL_USER", raising=False)
    monkeypatch.delenv("PINWHEEL_REPORT_MEMSQL_PASSWORD", raising=False)
    monkeypatch.delenv("PINWHEEL_CONNECTIONS", raising=False)
    connections.given.cache_clear()
    monkeypatch.setenv("AIRFLOW_CONN_PINWHEEL_MEMSQL_REPORT", '{"login": "by-connection", "password": "hush"}')
    found = as_reader(settings)
    assert (found.memsql_user, found.memsql_password.get_secret_value()) == ("by-connection", "hush")


@pytest.fixture
def reader(stack_environment: dict[str, str]) -> Iterator[Connection]:
    with Pool(load(WebSettings)).connection() as found:
        yield found


@pytest.mark.parametrize(
    "name",
    [
        *(f"operate/{n}" for n in ("health_latest", "watermarks", "complete_through", "merge_recent")),
        *("operate/driver_restarts", "operate/rollup_queue", "alerts/list_open", "alerts/list_recent"),
        *("pages/brand_choices", "pages/category_choices", "pages/category_choices_of_brands"),
    ],
)
def test_every_statement_of_the_pages_runs_as_the_reader(reader: Connection, name: str) -> None:
    from datetime import datetime

    params = {"all_brands": 0, "brands": (1, 2), "from_time": datetime(2026, 1, 1), "slices": 10}
    assert isinstance(fetch(reader, name, params), list)


def test_the_reader_can_change_nothing(reader: Connection) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="denied"), reader.cursor() as cursor:
        cursor.execute("DELETE FROM brands")
