"""Servers that answer as no server should: too much, too slowly, for ever."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
DRIP_SECONDS = 0.05


@contextmanager
def answering(answer: Answer, reads: bool = True) -> Iterator[int]:
    """A server that answers so, when it has read once or at once; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, answer, reads), daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, answer: Answer, reads: bool) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, answer, reads), daemon=True).start()


def _answer(connection: socket.socket, answer: Answer, reads: bool) -> None:
    with suppress(OSError), connection:
        if reads:
            connection.recv(65_536)
        answer(connection)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):  # what is unread when it is closed would reset it
            pass


def drips(start: bytes, drop: bytes = b" ") -> Answer:
    """A byte now and then, for ever: no single read takes long."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(DRIP_SECONDS)

    return answer


def floods(start: bytes, chunk: bytes = b" " * 65_536) -> Answer:
    """As much as is taken, for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(chunk)

    return answer


def says(body: bytes, *headers: bytes) -> Answer:
    """A whole answer."""
    head = HEAD + b"".join(header + b"\r\n" for header in headers) + b"content-length: %d\r\n\r\n" % len(body)
    return lambda connection: connection.sendall(head + body)


def bomb(megabytes: int) -> bytes:
    """Zeros, packed to a thousandth."""
    return gzip.compress(bytes(2**20), 9) * megabytes
