"""Guards against a server that may be anybody: it gets no password in clear text, and no file of its choice."""

import os
from typing import Any

import pymysql
from pymysql.connections import LoadLocalPacketWrapper, MySQLResult  # type: ignore[attr-defined]  # its stubs lack it

CLEAR_TEXT = ("mysql_clear_password", "dialog")  # ways to log in
CANNOT_LOGIN, MALFORMED = 2059, 2027  # the client's errors


class ClearTextLogin:
    """A way to log in that gives the password away to whoever answers."""

    def __init__(self, _: object) -> None: ...

    def authenticate(self, _: object) -> bytes:
        """Raises OperationalError."""
        raise pymysql.err.OperationalError(CANNOT_LOGIN, "the server asks for the password in clear text")


class CheckedResult(MySQLResult):
    """A result that sends the connection's ``file`` and no other; PyMySQL sends whichever the server asks for."""

    connection: Any

    def _read_load_local_packet(self, first_packet: Any) -> None:
        asked = os.fsdecode(LoadLocalPacketWrapper(first_packet).filename)
        if asked != self.connection.file:
            self.connection._force_close()
            raise pymysql.err.OperationalError(MALFORMED, f"the server asked for the file {asked!r:.200}")
        super()._read_load_local_packet(first_packet)  # type: ignore[misc]  # its stubs lack it
