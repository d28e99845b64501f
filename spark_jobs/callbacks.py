"""The server through which the JVM calls our Python: it serves this user's processes alone.

py4j has a token for it, but its JVM drops the token when it learns the server's port (``PythonClient.copyWith``). So
the kernel is asked whose socket the other end is.
"""

import io
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from py4j.clientserver import PythonServer
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession

log = logging.getLogger("pinwheel.stream")

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))  # the second has the JVM's sockets, also those of IPv4
OPEN = "01"  # of a closed one the kernel no longer knows the user, and says root
WORD = 4  # bytes; the tables write each word of an address in this machine's order


def start(spark: SparkSession) -> None:
    """Start the server, before anything else in Spark starts its own."""
    gateway: Any = spark.sparkContext._gateway
    parts = (gateway._gateway_client, gateway.java_parameters, gateway.python_parameters, gateway.gateway_property)
    gateway._create_callback_server = lambda _: OwnServer(*parts)
    ensure_callback_server_started(gateway)  # type: ignore[no-untyped-call]


class OwnServer(PythonServer):  # type: ignore[misc]  # py4j has no types
    """py4j's server; for connections of other users it reads nothing and hangs up."""

    def _create_connection(self, connection: socket.socket, stream: io.BufferedReader) -> Any:
        if is_ours(connection):
            return super()._create_connection(connection, stream)
        log.warning("refused a call of another user from=%s", connection.getpeername())
        return super()._create_connection(connection, io.BytesIO())


def is_ours(connection: socket.socket) -> bool:
    """Whether the other end, on this machine, is open, and a socket of this process's user."""
    theirs, ours = (_forms(*end) for end in (connection.getpeername(), connection.getsockname()))
    for table in TABLES:
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _, local, remote, state, _, _, _, uid, *_ = line.split()
            if local in theirs and remote in ours:
                return state == OPEN and int(uid) == os.geteuid()
    return False


def _forms(host: str, port: int) -> tuple[str, str]:
    """An IPv4 address as the first table has it, and as the second."""
    mapped = bytes(10) + b"\xff\xff" + socket.inet_aton(host)
    words = (mapped[n : n + WORD] for n in range(0, len(mapped), WORD))
    text = "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
    return f"{text[-2 * WORD :]}:{port:04X}", f"{text}:{port:04X}"
