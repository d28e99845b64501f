"""Ending a long task when its process is told to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM sets; its ``wait`` is a sleep that ends at once then.

    Airflow hands SIGTERM down to its tasks when it is stopped, but a Python task goes on unless it listens. For the
    main thread only.
    """
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
