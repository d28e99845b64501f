"""Announce what was merged while a session lasts: readers need not wait a quarter of an hour for its end.

An announcement may be lost or late; a slice never waits for it.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

log = logging.getLogger(__name__)

Merged = dict[str, int | str]
Announce = Callable[[Merged], None]


class Announcements:
    """Announces merged slices together, at most once per ``seconds``, in a thread: Airflow may need minutes."""

    def __init__(self, announce: Announce, seconds: float, clock: Callable[[], float]) -> None:
        self._announce, self._seconds, self._clock = announce, seconds, clock
        self._slices = self._rows = self._version = 0  # since the last announcement
        self._next = clock()
        self._thread: threading.Thread | None = None

    def add(self, version: int, rows: int) -> None:
        """Note a merged slice: the lake's version that it reached, and its rows."""
        self._slices, self._rows, self._version = self._slices + 1, self._rows + rows, version

    def tick(self) -> None:
        """Announce, if there is something and the last announcement is old enough and over."""
        if not self._slices or self._clock() < self._next or (self._thread and self._thread.is_alive()):
            return
        merged: Merged = {
            "version": self._version,
            "slices": self._slices,
            "rows": self._rows,
            "merged_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._slices = self._rows = 0
        self._next = self._clock() + self._seconds
        self._thread = threading.Thread(target=self._say, args=[merged], name="announce", daemon=True)
        self._thread.start()

    def _say(self, merged: Merged) -> None:
        try:
            self._announce(merged)
        except Exception as error:  # any error: the next announcement names a newer version
            log.warning("not announced: version=%s error=%s", merged["version"], error)
