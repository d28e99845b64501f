"""Preparing servers before a start: the parts are created, work, and can be created again without harm."""

import getpass
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from pyarrow.fs import S3FileSystem
from pydantic import SecretStr

from pinwheel.clients import grants, kafka, kafka_topic, memsql
from pinwheel.core.errors import MemsqlError, SettingError
from pinwheel.core.settings import load
from pinwheel.local import mariadb
from pinwheel.local.kafka import client
from pinwheel.local.stack import Stack
from pinwheel.server.prepare import prepare
from pinwheel.server.settings import PrepareSettings

DATABASE, BUCKET, TOPIC = "prepared", "prepared", "prepared.events"
ADMINISTRATOR = {"user": "administrator", "password": "of-all"}
# The embedded server already has users of these names, at 127.0.0.1: ours come in under another address of it.
ADDRESS = "127.0.0.2"


@pytest.fixture(scope="module")
def settings(stack: Stack, store: dict[str, str]) -> Iterator[PrepareSettings]:
    """Everything empty; the administrator has a password, as SingleStore's has.

    The server is as before in the end: other tests ask which users it has.
    """
    home = stack.settings.stack_dir / "mariadb"
    root = pymysql.connect(unix_socket=str(mariadb.socket_path(home)), user=getpass.getuser())
    with root.cursor() as cursor:
        cursor.execute("GRANT ALL ON *.* TO administrator IDENTIFIED BY 'of-all' WITH GRANT OPTION")
    given: dict[str, Any] = {f"{role}_memsql_password": f"of-{role}" for role in grants.ROLES}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.items():
            patch.setenv(name, value)
        yield load(
            PrepareSettings,
            **given,
            memsql_host="127.0.0.1",
            memsql_port=stack.settings.memsql_port,
            memsql_database=DATABASE,
            memsql_user=ADMINISTRATOR["user"],
            memsql_password=SecretStr(ADMINISTRATOR["password"]),
            **client(stack.settings, stack.credentials),
            topic=TOPIC,
            topic_partitions=3,
            lake_uri=f"s3://{BUCKET}/lake",
        )
    with root, root.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute("SELECT user, host FROM mysql.global_priv WHERE host = '%'")
        for user in cursor.fetchall():
            cursor.execute("DROP USER %s@%s", user)


@pytest.fixture(scope="module")
def prepared(settings: PrepareSettings) -> PrepareSettings:
    said: list[str] = []
    prepare(settings, True, said.append)
    assert [line.split(":")[0].split()[0] for line in said] == ["database", "tables", "topic", "bucket"]
    return settings


def test_topic_bucket_tables_and_brands_are_there(prepared: PrepareSettings, store: dict[str, str]) -> None:
    assert kafka.partitions(prepared) == [0, 1, 2]
    assert kafka_topic.has_brokers_time(prepared)
    client = S3FileSystem(
        access_key=store["AWS_ACCESS_KEY_ID"],
        secret_key=store["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=store["AWS_ENDPOINT_URL"],
    )
    assert client.get_file_info(BUCKET).type.name == "Directory"
    with memsql.connect(prepared) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT * FROM brands LIMIT 1") == 1
        assert cursor.execute("SELECT * FROM repins LIMIT 1") == 0


def test_again_changes_nothing_but_a_password(prepared: PrepareSettings) -> None:
    said: list[str] = []
    prepare(prepared.model_copy(update={"report_memsql_password": prepared.merge_memsql_password}), False, said.append)
    assert "tables: up to date" in said
    assert kafka.partitions(prepared) == [0, 1, 2]
    assert logs_in("report", "of-merge", prepared)
    assert not logs_in("report", "of-report", prepared)
    prepare(prepared, False, said.append)
    assert logs_in("report", "of-report", prepared)


def logs_in(role: str, password: str, settings: PrepareSettings) -> bool:
    try:
        connect(role, password, settings).close()
    except pymysql.err.OperationalError:
        return False
    return True


def connect(role: str, password: str, settings: PrepareSettings) -> "pymysql.Connection":
    return pymysql.connect(
        host="127.0.0.1",
        bind_address=ADDRESS,
        port=settings.memsql_port,
        user=f"pinwheel_{role}",
        password=password,
        database=settings.memsql_database,
    )


@pytest.mark.parametrize(
    ("role", "statement", "is_allowed"),
    [
        ("merge", "DELETE FROM repins", True),
        ("merge", "CREATE TEMPORARY TABLE t (a INT)", True),
        ("merge", "DROP TABLE brand_daily", False),
        ("stream", "SELECT * FROM pin_cache", True),
        ("stream", "UPDATE pin_cache SET title = title", True),
        ("stream", "DELETE FROM pin_cache", False),
        ("stream", "DELETE FROM pins", False),
        ("stream", "SELECT * FROM repins", False),
        ("stream", "SELECT * FROM alerts", False),
        ("report", "SELECT * FROM repins", True),
        ("report", "DELETE FROM repins", False),
    ],
)
def test_users_may_do_their_work_and_no_more(
    prepared: PrepareSettings, role: str, statement: str, is_allowed: bool
) -> None:
    with connect(role, f"of-{role}", prepared) as connection, connection.cursor() as cursor:
        if is_allowed:
            cursor.execute(statement)
        else:
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute(statement)


def test_a_user_without_a_password_is_refused_before_anything_is_made(settings: PrepareSettings) -> None:
    with pytest.raises(SettingError, match="PINWHEEL_STREAM_MEMSQL_PASSWORD must be set"):
        prepare(
            settings.model_copy(update={"stream_memsql_password": type(settings.memsql_password)("")}), False, print
        )


def test_a_refused_statement_is_told_without_its_password(prepared: PrepareSettings) -> None:
    nobody = {"memsql_user": "pinwheel_report", "memsql_password": prepared.report_memsql_password}
    with pytest.raises(MemsqlError) as told:
        prepare(prepared.model_copy(update=nobody), False, print)
    assert "of-merge" not in str(told.value)


def test_a_database_s_name_is_no_statement() -> None:
    with pytest.raises(SettingError, match="lower-case letters"):
        grants.statements("grants/users", "mariadb", "a; DROP DATABASE b")
