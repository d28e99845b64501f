"""Shared fixtures: the embedded stack and the store, each started once, lakes, and an empty database.

The stack is started by the same code as `make run`, in a folder and on ports of its own.
"""

import functools
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymysql.connections import Connection as PyMySqlConnection
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no types

from pinwheel.clients import memsql, migrations
from pinwheel.clients.memsql import Connection, Row
from pinwheel.core.atomic import PRIVATE
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from pinwheel.install.progress import PlainProgress
from pinwheel.local import airflow, environment
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack
from pinwheel.rollup.rollups import Rollups
from tests.support import properties
from tests.support.database import make_database, merge_settings
from tests.support.lakes import NOON, hours, land
from tests.support.markers import RUNNING, group, markers, turn, used
from tests.support.ports import free_ports
from tests.support.slices import merge_all
from tests.support.store import BUCKET, running
from tests.support.types import AskReport, MergeEvents, Query

properties.register()

ROOT = Path(__file__).resolve().parents[1]
STACK = f"test-stack-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"  # each worker of pytest-xdist has its own
# Short, so that several runs of each happen during the tests; the default is a quarter of an hour. Not shorter: each
# run is five processes that load Great Expectations, half a minute of CPU.
SHORT_RUNS = {
    "PINWHEEL_MERGE_SESSION_SECONDS": "180",
    "PINWHEEL_SUPERVISE_SESSION_SECONDS": "90",
    "PINWHEEL_ERASURE_ALONE": "true",  # the stack's Airflow has one user
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its fixtures, direct and indirect, and put the groups that take longest first."""
    turns: dict[str, int] = {}
    for item in items:
        for marker in markers(used(item)):
            item.add_marker(marker)
        name = group(item.nodeid)
        turns[name] = min(turn(item), turns.get(name, turn(item)))
    items.sort(key=lambda item: turns[group(item.nodeid)])


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each group to one worker. pytest-xdist's own groups rename tests, which pytest 9 does not allow."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling | None:
    """Our groups, where pytest-xdist would make one of each class and module."""
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way to the running stack, whose tests measure how long something takes."""
    if group(item.nodeid) != RUNNING and os.getpriority(os.PRIO_PROCESS, 0) == 0:
        os.nice(5)


@pytest.fixture(scope="session", autouse=True)
def _shared_tls_contexts() -> Iterator[None]:
    """PyMySQL reads the machine's certificates for each connection, 35 ms of CPU, and the tests open thousands."""
    make = PyMySqlConnection._create_ssl_ctx  # type: ignore[attr-defined]  # private: not in the stubs
    kept = functools.cache(lambda options: make(None, dict(options)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PyMySqlConnection, "_create_ssl_ctx", lambda _, options: kept(tuple(options.items())))
        yield


@pytest.fixture(scope="session")
def _no_stack() -> Iterator[Stack]:
    """The stack with nothing started yet; its parts are stopped when the tests end."""
    os.umask(PRIVATE)  # as the command does
    settings = LocalSettings(stack=STACK, **free_ports())
    made = Stack(settings)
    made.stop()  # left by a killed test run
    shutil.rmtree(settings.stack_dir, ignore_errors=True)
    airflow.write_login(settings, made.credentials)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def stack_with_kafka(_no_stack: Stack) -> Stack:
    """Kafka."""
    _no_stack.start_part("kafka", PlainProgress())
    return _no_stack


@pytest.fixture(scope="session")
def stack_with_memsql(_no_stack: Stack) -> Stack:
    """MariaDB, with the schema in the stack's own database."""
    _no_stack.start_part("memsql", PlainProgress())
    return _no_stack


@pytest.fixture(scope="session")
def stack(stack_with_kafka: Stack, stack_with_memsql: Stack) -> Stack:
    """Kafka, MariaDB and the Pin API stand-in; tests that need Airflow start it."""
    stack_with_memsql.start_part("pin_api", PlainProgress())
    return stack_with_memsql


@pytest.fixture(scope="session")
def stack_environment(stack_with_memsql: Stack) -> Iterator[dict[str, str]]:
    """This process and its children, configured for the test stack."""
    before = dict(os.environ)
    environment.adopt(stack_with_memsql.settings, stack_with_memsql.credentials)
    os.environ.update(SHORT_RUNS)
    yield environment.for_airflow(stack_with_memsql.settings, stack_with_memsql.credentials)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def running_stack(stack: Stack, stack_environment: dict[str, str]) -> Stack:
    """The whole stack, Airflow and the stream's driver included."""
    stack.start_part("airflow", PlainProgress())
    return stack


@pytest.fixture(scope="session")
def breakable_stack(running_stack: Stack) -> Stack:
    """The running stack, for tests that kill its parts."""
    return running_stack


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Airflow's packages find or make their files when a test initialises them."""
    return tmp_path_factory.mktemp("airflow-home")


@pytest.fixture
def starts_jvm() -> None:
    """Says that the test starts a JVM by itself."""


@pytest.fixture
def starts_memsql() -> None:
    """Says that the test starts a database by itself."""


@pytest.fixture
def starts_stacks() -> None:
    """Says that the test starts stacks by itself."""


@pytest.fixture(scope="session")
def memsql_settings(stack_with_memsql: Stack) -> MemsqlSettings:
    """The stack's server with an empty database of its own, schema applied."""
    settings = make_database(stack_with_memsql)
    migrations.apply(settings)
    return settings


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running S3-compatible store with a bucket, as the environment variables that its clients need."""
    with running(tmp_path_factory.mktemp("s3")) as clients:
        yield clients


@pytest.fixture
def bucket(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place in the store, and this process configured for it."""
    for name, value in store.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid4()}"


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """An empty place for a lake: on this disk, unless the test is run on both; see ``tests/support/places.py``."""
    return str(request.getfixturevalue(getattr(request, "param", "tmp_path")))


@pytest.fixture
def settings(memsql_settings: MemsqlSettings, place: str) -> MergeSettings:
    """A new lake and an emptied database."""
    return merge_settings(memsql_settings, place)


@pytest.fixture
def connection(settings: MergeSettings) -> Iterator[Connection]:
    """A loader's connection."""
    with memsql.connect(settings, local_infile=True) as opened:
        yield opened


@pytest.fixture
def query(settings: MergeSettings) -> Query:
    """Ask the database, on a connection of its own, in a fresh transaction each time."""

    def ask(sql: str) -> list[Row]:
        with memsql.connect(settings) as asking, asking.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    return ask


@pytest.fixture
def merged(settings: MergeSettings, connection: Connection) -> MergeEvents:
    """Lands events in one commit, merges them all, and the rollups."""

    def go(events: Sequence[Row] = ()) -> None:
        if events:
            land(settings.lake_uri, list(events))
        for table in TABLES:
            merge_all(table, settings, connection)
        Rollups(now=lambda: NOON + hours(12)).refresh(connection)

    return go


@pytest.fixture
def report(connection: Connection) -> AskReport:
    """Runs a report's query; returns its rows."""

    def ask(name: str, **params: Any) -> list[Row]:
        rows = memsql.fetch(connection, f"questions/{name}", params)
        connection.commit()
        return rows

    return ask
