"""Graceful end of a long task on SIGTERM."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_sigterm() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM sets; its ``wait`` is a sleep that SIGTERM ends.

    Airflow passes SIGTERM on to its tasks when it is stopped, but a Python task runs on unless it handles the signal.
    Main thread only.
    """
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
