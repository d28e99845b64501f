"""Graceful end of a long task on SIGTERM."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pinwheel.core.errors import StoppedError


@contextmanager
def stop_on_sigterm() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM sets; its ``wait`` is a sleep that SIGTERM ends. Main thread only.

    Airflow passes SIGTERM on to its tasks when it is stopped, but a Python task runs on unless it handles the signal.

    Raises:
        StoppedError: SIGTERM came. A task that returned would count as done, and nobody would do its work until the
            other tasks of its run have ended too; one that fails is tried again.
    """
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
    if stop.is_set():
        raise StoppedError("asked to stop by SIGTERM; Airflow tries a task again that ends so")
