"""The tests' database, made and emptied."""

import getpass

import pymysql

from pinwheel.clients import memsql
from pinwheel.core.connections import variable
from pinwheel.core.settings import MemsqlSettings, MergeSettings
from pinwheel.local import environment, mariadb
from pinwheel.local.stack import Stack
from tests.support import lakes

DATABASE = "pinwheel_merge_tests"


def make_database(stack: Stack, name: str = DATABASE) -> MemsqlSettings:
    """An empty database on the stack's server, as its owner."""
    home = stack.settings.stack_dir / "mariadb"
    connection = pymysql.connect(unix_socket=str(mariadb.socket_path(home)), user=getpass.getuser())
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} DEFAULT CHARACTER SET utf8mb4")
        cursor.execute(f"GRANT ALL PRIVILEGES ON {name}.* TO 'pinwheel_admin'@'127.0.0.1'")
    admin = environment.memsql(stack.settings, stack.credentials, "admin")
    return admin.model_copy(update={"memsql_database": name})


def empty_tables(settings: MemsqlSettings) -> None:
    keep = {"merge_locks", "alembic_version", "schema_lock", "clock_hours", "view_columns", "rollup_generation"}
    connection = memsql.connect(settings)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        for row in cursor.fetchall():
            name, _ = row.values()
            if name not in keep:
                cursor.execute(f"DELETE FROM {name}")
        connection.commit()


def merge_settings(settings: MemsqlSettings, place: str) -> MergeSettings:
    """Of a new lake at ``place`` and the database, emptied."""
    empty_tables(settings)
    values = settings.model_dump(include=set(MemsqlSettings.model_fields))
    return MergeSettings(**values, lake_uri=lakes.make(place))


def environment_of(settings: MemsqlSettings) -> dict[str, str]:
    """The environment of a process that uses the same database."""
    given = settings.model_dump(include=set(MemsqlSettings.model_fields), exclude_none=True)
    given["memsql_password"] = settings.memsql_password.get_secret_value()
    return {variable(name): str(value) for name, value in given.items()}
