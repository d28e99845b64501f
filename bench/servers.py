"""Servers for one benchmark run, in a folder that is removed before and after it."""

import getpass
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pymysql

from pinwheel.core.settings import MemsqlSettings
from pinwheel.install.progress import PlainProgress
from pinwheel.local import environment, mariadb
from pinwheel.local.settings import LocalSettings
from pinwheel.local.stack import Stack


def free_port() -> int:
    """A port that is free at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def own(settings: LocalSettings, name: str) -> None:
    """Give the schema's owner every right on a database, which is created if it is not there."""
    socket_path = mariadb.socket_path(settings.stack_dir / "mariadb")
    connection = pymysql.connect(unix_socket=str(socket_path), user=getpass.getuser())
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} DEFAULT CHARACTER SET utf8mb4")
        cursor.execute(f"GRANT ALL PRIVILEGES ON {name}.* TO 'pinwheel_admin'@'127.0.0.1'")


@contextmanager
def database(stack_name: str) -> Iterator[tuple[MemsqlSettings, psutil.Process]]:
    """Start a database server for the run; yields settings of its owner, and its process."""
    settings = LocalSettings(stack=stack_name, memsql_port=free_port())
    stack = Stack(settings)
    shutil.rmtree(settings.stack_dir, ignore_errors=True)
    try:
        stack.start_part("memsql", PlainProgress())
        server = stack.owned("memsql").leader()
        if server is None:
            raise SystemExit(f"the database ended: {stack.owned('memsql').last_lines()}")
        own(settings, settings.memsql_database)
        yield environment.memsql(settings, stack.credentials, "admin"), server
    finally:
        stack.stop_part("memsql")
        shutil.rmtree(settings.stack_dir, ignore_errors=True)
