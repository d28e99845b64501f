"""A look at a server that may be anybody: bounded in time, all of it together, and in bytes.

Imports the standard library only, and of that little, so that a health check takes a tenth of a second.
"""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Any
from urllib.parse import urlsplit

MOST_BYTES = 2**20


def get(url: str, seconds: float) -> tuple[int, bytes]:
    """Status and body of a GET by plain HTTP, without redirects and proxies; the body is cut after ``MOST_BYTES``.

    Raises:
        OSError: no answer, or not all of it within ``seconds``.
    """
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=seconds)
    try:
        with ends_after(seconds, lambda: connection.sock):
            connection.request("GET", f"{where.path or '/'}{'?' if where.query else ''}{where.query}")
            answer = connection.getresponse()
            return answer.status, answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OSError(f"{url}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()


@contextmanager
def ends_after(seconds: float, connected: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Shut the socket if the block takes longer: a timeout is for each read, and a server may send a byte a second.

    Raises:
        TimeoutError: it did; without this, what had come until then would look like all of it.
    """
    is_late = Event()

    def end() -> None:
        is_late.set()
        if sock := connected():
            with suppress(OSError):  # closed meanwhile
                sock.shutdown(socket.SHUT_RDWR)

    late = Timer(seconds, end)
    late.daemon = True
    late.start()
    try:
        yield
        if is_late.is_set():
            raise TimeoutError(f"not all of the answer came within {seconds:g} seconds")
    finally:
        late.cancel()


def get_json(url: str, seconds: float) -> Any:
    """The JSON that a server answers with 200.

    Raises:
        OSError: see ``get``.
        ValueError: another status, or no JSON.
    """
    status, body = get(url, seconds)
    if status != http.client.OK:
        raise ValueError(f"{url} answered {status}")
    return json.loads(body)
