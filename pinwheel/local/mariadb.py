"""The embedded MariaDB: stands in for MemSQL over the same wire protocol, loopback only."""

import getpass
import os
import subprocess
from pathlib import Path

import pymysql
from pymysql.cursors import Cursor

from pinwheel.clients import grants
from pinwheel.core.errors import LocalError
from pinwheel.install.progress import Say
from pinwheel.local.credentials import Credentials
from pinwheel.local.parts import LOOPBACK, Part
from pinwheel.local.processes import Program
from pinwheel.local.settings import LocalSettings

ENGINE = "mariadb"
UMASKS = {"UMASK": "0600", "UMASK_DIR": "0700"}  # of its files and folders, in place of the process's umask
SOCKET = "m.sock"  # a socket's path may have 107 characters at most


def part(settings: LocalSettings, credentials: Credentials, withheld: frozenset[str]) -> Part:
    """MariaDB, with the database and its users; it inherits none of the ``withheld`` variables."""
    home = settings.stack_dir / "mariadb"
    return Part(
        name="memsql",
        title="MariaDB (stands in for MemSQL)",
        programs=(Program("memsql", server_command(settings, home), UMASKS, withheld),),
        waiting_for=f"the database on port {settings.memsql_port}",
        ready=lambda: _accepts(home),
        prepare=lambda say: _prepare(settings, home, say),
        finish=lambda say: make_users(settings, credentials),
    )


def tree(settings: LocalSettings) -> Path:
    """Where MariaDB's programs are."""
    return settings.tools_dir / "jars" / "mariadb"


def server_command(settings: LocalSettings, home: Path) -> tuple[str, ...]:
    """The server's command with all of its options: it reads no option file of the machine."""
    root = ("--user=root",) if os.geteuid() == 0 else ()  # the server refuses to run as root otherwise
    return (
        str(tree(settings) / "bin" / "mariadbd"),
        "--no-defaults",
        f"--basedir={tree(settings)}",
        f"--datadir={home / 'data'}",
        f"--tmpdir={home / 'tmp'}",  # not shared: a server that starts removes others' files from it
        f"--socket={socket_path(home)}",
        f"--pid-file={home / 'mariadbd.pid'}",
        f"--port={settings.memsql_port}",
        f"--bind-address={LOOPBACK}",
        "--skip-networking=0",
        "--skip-name-resolve",
        "--skip-ssl",  # on loopback; making a certificate at each start took 15 s, a handshake 0.3 s
        "--local-infile=ON",  # the merge loads its slices with LOAD DATA LOCAL
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_nopad_bin",  # ids that differ in case or trailing spaces are different ids
        "--transaction-isolation=READ-COMMITTED",  # SingleStore's only level
        "--default-time-zone=+00:00",
        "--innodb-buffer-pool-size=1G",  # holds a few million events' rows; with 384M a backlog was written twice
        "--tmp-table-size=64M",  # holds the rollups' buckets of a backlog
        "--max-heap-table-size=64M",
        "--innodb-log-file-size=256M",
        "--innodb-flush-log-at-trx-commit=2",  # a killed server loses nothing, a power loss costs a second of commits
        "--performance-schema=OFF",
        "--max-connections=200",
        *root,
    )


def socket_path(home: Path) -> Path:
    """The socket for the administrator: the person who started the server, without a password."""
    return home / SOCKET


def make_users(settings: LocalSettings, credentials: Credentials) -> None:
    """Create the database and its users, each on loopback only. Idempotent.

    Raises:
        MemsqlError: names the statement that was refused.
    """
    passwords = {role: getattr(credentials, f"memsql_{role}") for role in ("admin", *grants.ROLES)}
    with _administrator(settings.stack_dir / "mariadb") as connection:
        grants.make_users(connection, settings.memsql_database, engine=ENGINE, host=LOOPBACK, passwords=passwords)


def grant_tables(settings: LocalSettings) -> None:
    """Grant the users' rights on tables; the schema must exist. Idempotent.

    Raises:
        MemsqlError: names the statement that was refused.
    """
    with _administrator(settings.stack_dir / "mariadb") as connection:
        grants.grant_tables(connection, settings.memsql_database, engine=ENGINE, host=LOOPBACK)


def _administrator(home: Path) -> "pymysql.Connection[Cursor]":
    return pymysql.connect(unix_socket=str(socket_path(home)), user=getpass.getuser(), ssl_disabled=True)


def _accepts(home: Path) -> bool:
    try:
        _administrator(home).close()
    except pymysql.MySQLError:
        return False
    return True


def _prepare(settings: LocalSettings, home: Path, say: Say) -> None:
    data = home / "data"
    if len(str(socket_path(home))) > 107:
        raise LocalError(f"{socket_path(home)} is too long for a socket; set PINWHEEL_STATE_DIR to a shorter path")
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    if (data / "mysql").exists() and not (home / "installing").exists():
        return
    say("making the system tables")
    data.mkdir(parents=True, exist_ok=True)
    (home / "installing").touch()  # removed at the end: while it exists, the tables are incomplete and made again
    done = subprocess.run(
        (
            str(tree(settings) / "scripts" / "mariadb-install-db"),
            "--no-defaults",
            f"--basedir={tree(settings)}",
            f"--datadir={data}",
            "--auth-root-authentication-method=socket",  # no password to leak: only this user, only locally
            f"--auth-root-socket-user={getpass.getuser()}",
            "--skip-test-db",
            "--skip-name-resolve",
            *(("--user=root",) if os.geteuid() == 0 else ()),
        ),
        env={**os.environ, **UMASKS},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalError(f"MariaDB's tables in {data} could not be created:\n{done.stdout}{done.stderr}")
    (home / "installing").unlink()
