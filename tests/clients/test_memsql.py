"""Connections to the reporting database: a server that hangs, or asks for what is not its own, gets nothing."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pymysql
import pytest
from pydantic import SecretStr

from pinwheel.clients import memsql
from pinwheel.core.errors import MemsqlError, MissingPartError, SettingError
from pinwheel.core.settings import MemsqlSettings, PinLookupSettings, load
from pinwheel.enrich.pin_sources import PinApi, PinCache, SourceDownError
from pinwheel.enrich.pins import NO_PIN, PinLookup

GREETING = (
    b"\x0a11.0-test\x00"  # protocol 10, version
    + struct.pack("<I", 1)  # connection id
    + b"12345678\x00"  # first part of the salt
    + struct.pack("<HBHH", 0xF7FF, 45, 2, 0x81FF)  # capabilities, utf8mb4, autocommit, capabilities
    + b"\x15"
    + bytes(10)
    + b"123456789012\x00mysql_native_password\x00"
)
OK = b"\x00\x00\x00\x02\x00\x00\x00"


class HungServer:
    """Speaks MySQL and then hangs.

    It answers the login, then OK to ``polite`` statements, then ``then``, if that is not empty, and then nothing.
    """

    def __init__(self, polite: int | None, login: bytes, then: bytes) -> None:
        self._polite = polite  # None: not even a greeting
        self._answers = [login, *[OK] * (polite or 0), *[then] * bool(then)]
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(client)
            if self._polite is not None:
                threading.Thread(target=self._speak, args=(client,), daemon=True).start()

    def _speak(self, client: socket.socket) -> None:
        try:
            _send(client, 0, GREETING)
            for answer in self._answers:
                _send(client, self._receive(client) + 1, answer)
            while True:
                self._receive(client)
        except OSError:
            return

    def _receive(self, client: socket.socket) -> int:
        head = client.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            raise OSError("gone")
        self.heard += client.recv(int.from_bytes(head[:3], "little"), socket.MSG_WAITALL)
        return head[3]

    def close(self) -> None:
        self._listener.close()
        for client in self._open:
            client.close()


def _send(client: socket.socket, number: int, payload: bytes) -> None:
    client.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)


@contextmanager
def hung_server(polite: int | None, login: bytes = OK, then: bytes = b"") -> Iterator[HungServer]:
    server = HungServer(polite, login, then)
    try:
        yield server
    finally:
        server.close()


AT_LOGIN = 3  # SET NAMES, the session's settings, autocommit


def settings(port: int, **changes: float) -> PinLookupSettings:
    seconds: dict[str, Any] = {
        "memsql_connect_seconds": 0.3,
        "memsql_statement_seconds": 0.6,
        "pin_memsql_seconds": 0.2,
    } | changes
    return PinLookupSettings(memsql_host="127.0.0.1", memsql_port=port, **seconds)


@contextmanager
def takes(seconds: float) -> Iterator[None]:
    """At least this long, and less than the other limit, a minute; a busy machine takes some seconds more."""
    began = time.monotonic()
    yield
    assert seconds <= time.monotonic() - began < 20


def test_a_server_that_never_answers_is_given_up_at_the_login() -> None:
    with (
        hung_server(polite=None) as server,
        takes(0.25),
        pytest.raises(MemsqlError, match=rf"no connection to mariadb at 127.0.0.1:{server.port}, .*timed out"),
    ):
        memsql.connect(settings(server.port, memsql_statement_seconds=60))


def test_a_statement_that_is_never_answered_is_given_up() -> None:
    with hung_server(AT_LOGIN) as server:
        connection = memsql.connect(settings(server.port))
        with takes(0.55), pytest.raises(pymysql.err.OperationalError, match="2013"):
            memsql.fetch(connection, "clients/show_warnings")
        assert not connection.open


def test_a_caller_in_a_hurry_says_so() -> None:
    with hung_server(AT_LOGIN) as server:
        connection = memsql.connect(settings(server.port, memsql_statement_seconds=60), statement_seconds=0.1)
        with takes(0.05), pytest.raises(pymysql.err.OperationalError, match="2013"):
            memsql.fetch(connection, "clients/show_warnings")


def test_a_statement_may_take_longer_than_the_login() -> None:
    with hung_server(AT_LOGIN) as server:
        connection = memsql.connect(settings(server.port, memsql_connect_seconds=0.2, memsql_statement_seconds=0.8))
        with takes(0.7), pytest.raises(pymysql.err.OperationalError):
            memsql.fetch(connection, "clients/show_warnings")


def test_a_write_that_is_never_taken_is_given_up() -> None:
    with hung_server(AT_LOGIN) as server:
        connection = memsql.connect(settings(server.port))
        with takes(0.55), connection.cursor() as cursor, pytest.raises(pymysql.err.OperationalError):
            cursor.execute("SELECT '" + "x" * 12_000_000 + "'")  # more than the kernel keeps for a reader that sleeps


def test_a_rollback_after_it_does_not_hide_the_error() -> None:
    with hung_server(AT_LOGIN) as server:
        connection = memsql.connect(settings(server.port))
        with pytest.raises(pymysql.err.OperationalError) as told, memsql.transaction(connection):
            memsql.fetch(connection, "clients/show_warnings")
    assert memsql.is_transient(told.value)
    assert not memsql.is_conflict(told.value)


@pytest.mark.parametrize("polite", [None, AT_LOGIN])
def test_the_pin_lookup_goes_on_without_a_hung_server(polite: int | None) -> None:
    """The server is asked once and then skipped: the batch waits for one short timeout, not for one per statement."""
    with hung_server(polite) as server:
        chosen = settings(server.port, memsql_statement_seconds=60)
        api = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
        lookup = PinLookup(chosen, source=PinApi(chosen, api))
        with takes(0.1):
            statuses = [lookup.find(pa.array([n], pa.int64())).field("pin_status").to_pylist() for n in range(20)]
    assert statuses == [["pending"]] * 20
    assert server.connections == 1


def test_a_hung_pin_cache_is_a_source_that_is_down() -> None:
    with hung_server(AT_LOGIN) as server:
        cache = PinCache(lambda: memsql.connect(settings(server.port), statement_seconds=0.1), time.monotonic)
        with pytest.raises(SourceDownError, match="pin_cache"):
            cache.save_versions({1: NO_PIN})


@pytest.mark.parametrize(
    "switch", [b"mysql_clear_password\0", b"dialog\0\3Password: "], ids=["clear password", "dialog"]
)
def test_a_server_that_asks_for_the_password_does_not_get_it(switch: bytes) -> None:
    with hung_server(0, login=b"\xfe" + switch) as server:
        secret = {"memsql_password": SecretStr("do not tell"), "memsql_connect_seconds": 5}
        with pytest.raises(MemsqlError, match="the server asks for the password in clear text"):
            memsql.connect(settings(server.port).model_copy(update=secret))
        assert b"do not tell" not in server.heard


@pytest.mark.parametrize("asking", ["load", "fetch"])
def test_a_server_that_asks_for_another_file_does_not_get_it(tmp_path: Path, asking: str) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.write_text("rows")
    other.write_text("secret")
    with hung_server(AT_LOGIN, then=b"\xfb" + bytes(other)) as server:
        connection = memsql.connect(settings(server.port), local_infile=True)
        ask: Callable[[], object] = {
            "load": lambda: memsql.load(connection, "merge/load", ours, table="pins", columns=["event_id"]),
            "fetch": lambda: memsql.fetch(connection, "clients/show_warnings"),
        }[asking]
        with pytest.raises(pymysql.err.OperationalError, match=r"the server asked for the file .*other"):
            ask()
        assert not connection.open
        assert b"secret" not in server.heard


@pytest.mark.parametrize("host", ["10.0.0.7", "memsql.example", "::2", "localhost.example"])
def test_another_machine_needs_tls(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINWHEEL_MEMSQL_HOST", host)
    with pytest.raises(SettingError, match=r"PINWHEEL_MEMSQL_SSL_CA.*PINWHEEL_MEMSQL_WITHOUT_TLS"):
        load(MemsqlSettings)
    assert load(MemsqlSettings, memsql_ssl_ca=Path("/ca.pem")).memsql_host == host
    assert load(MemsqlSettings, memsql_without_tls=True).memsql_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    assert load(MemsqlSettings, memsql_host=host).memsql_host == host


def test_nobody_there_is_told_with_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(MemsqlError, match=r"Is the server up, and are PINWHEEL_MEMSQL_HOST"):
            memsql.connect(settings(port, memsql_connect_seconds=5))


def test_a_statement_is_read_without_comments_and_for_its_engine() -> None:
    mariadb, singlestore = (memsql.statement("clients/session", engine) for engine in ("mariadb", "singlestore"))
    assert "tx_isolation" in mariadb
    assert "tx_isolation" not in singlestore
    assert "--" not in mariadb


def test_a_statement_that_is_not_there() -> None:
    with pytest.raises(MissingPartError, match=r"control/nothing\.sql"):
        memsql.statement("control/nothing")


@pytest.mark.parametrize("name", ["a; DROP TABLE pins", "a b", "", "a-b", "a`"])
def test_identifiers_are_plain_names(name: str) -> None:
    with pytest.raises(MemsqlError, match="plain SQL name"):
        memsql.statement("merge/delete", table=name)


def test_retry_conflicts_tries_again_and_no_other_error() -> None:
    errors: list[Exception | None] = [
        pymysql.err.OperationalError(1213, "deadlock"),
        pymysql.err.OperationalError(1205, "wait"),
        None,
    ]

    def work() -> str:
        error = errors.pop(0)
        if error:
            raise error
        return "done"

    assert memsql.retry_conflicts(work) == "done"
    errors = [pymysql.err.OperationalError(2013, "lost"), None]
    with pytest.raises(pymysql.err.OperationalError, match="lost"):
        memsql.retry_conflicts(work)


def test_a_conflict_for_ever_ends() -> None:
    tried: list[int] = []

    def work() -> None:
        tried.append(1)
        raise pymysql.err.OperationalError(1213, "deadlock")

    with pytest.raises(pymysql.err.OperationalError, match="deadlock"):
        memsql.retry_conflicts(work)
    assert len(tried) == memsql.CONFLICT_ATTEMPTS
