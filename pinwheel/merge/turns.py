"""Work that is done turn by turn for as long as an Airflow task lasts, whatever goes wrong in one of them.

Long-lived because a process costs seconds of CPU to start. A broken lake or database never ends a session before its
time: it is tried again with growing pauses.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from pinwheel.alerts.catalogue import MERGE_FAILING, Send
from pinwheel.alerts.latch import Latch
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MergeSettings
from pinwheel.merge.ledger import SupersededError

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0  # after an error; doubles with each one in a row
MAX_PAUSE_SECONDS = 60.0
ALERT_AFTER_ERRORS = 3  # a restart of the database is two


class Turns(ABC):
    """A session of one ``subject``: a reporting table, or the rollups."""

    loads_files = False  # whether the server may ask its connection for files: only loaders let it
    failing = MERGE_FAILING  # what errors in a row raise

    def __init__(self, subject: str, settings: MergeSettings, alert: Send, resolve: Send) -> None:
        self.errors = 0
        self.superseded = 0
        self.subject = subject
        self.settings = settings
        self.alert = alert
        self._connection: Connection | None = None
        self._errors_in_row = 0
        self._failing = Latch(self.failing, subject, alert, resolve)

    @abstractmethod
    def work(self, connection: Connection) -> bool:
        """Do what there is to do now; returns whether there was anything."""

    def turn(self) -> bool:
        """Work once; returns whether there was work. Errors are counted, not raised."""
        try:
            worked = self.work(self.connected())
        except SupersededError as error:
            self.superseded += 1
            log.warning("superseded subject=%s reason=%s", self.subject, error)
            return False
        except Exception as error:  # whatever it is, the next turn may well do better
            self._failed(error)
            return False
        self._failing.end("a turn went through")
        self._errors_in_row = 0
        return worked

    def pause(self, worked: bool) -> float:
        """Seconds from the start of the last turn to the next one."""
        if self._errors_in_row:
            return min(FIRST_PAUSE_SECONDS * 2.0 ** (self._errors_in_row - 1), MAX_PAUSE_SECONDS)
        return self.settings.merge_interval_seconds if worked else self.settings.merge_poll_seconds

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None and self._connection.open:
            self._connection.close()
        self._connection = None

    def connected(self) -> Connection:
        """The session's connection, opened anew when it was closed."""
        if self._connection is None or not self._connection.open:
            self._connection = memsql.connect(self.settings, local_infile=self.loads_files)
        return self._connection

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        self._errors_in_row += 1
        self.close()  # its state is not known
        log.error("failed subject=%s errors=%d", self.subject, self._errors_in_row, exc_info=error)
        if self._errors_in_row >= ALERT_AFTER_ERRORS:
            self._failing.start(f"{self._errors_in_row} errors in a row, the last: {error}")


def take_turns(
    sessions: Sequence[Turns], seconds: float, clock: Callable[[], float], wait: Callable[[float], bool]
) -> None:
    """Let each session take turns at its own pace, one at a time, for so many seconds or until told to stop.

    Args:
        sessions: all of one task.
        seconds: how long the task lasts.
        clock: seconds, monotonic.
        wait: waits so many seconds; True when told to stop.
    """
    end = clock() + seconds
    due = dict.fromkeys(sessions, clock())
    try:
        while clock() < end:
            for session in sessions:
                if due[session] <= (started := clock()):
                    worked = session.turn()
                    due[session] = started + session.pause(worked)
            if wait(max(0.0, min(*due.values(), end) - clock())):
                break
    finally:
        for session in sessions:
            session.close()
