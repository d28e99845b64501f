"""Sessions: work in turns for as long as an Airflow task lasts, whatever fails in one turn.

Long-lived because a process costs seconds of CPU to start. A broken lake or database never ends a session early: turns
are retried with backoff.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime

import pymysql

from pinwheel.alerts.catalogue import MERGE_FAILING, Resolve, Send
from pinwheel.alerts.latch import Latch
from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import MergeSettings
from pinwheel.core.times import utc_now
from pinwheel.merge.ledger import SupersededError

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0  # after an error; doubles with each further error in a row
MAX_PAUSE_SECONDS = 60.0
AWAY_PAUSE_SECONDS = 5.0  # the longest while the database does not answer: to ask whether it is back costs nothing
ALERT_AFTER_ERRORS = 3  # a restart of the database causes two


class Turns(ABC):
    """A session of one ``subject``: a reporting table, or the rollups."""

    loads_files = False  # whether its connection allows LOAD DATA LOCAL
    failing = MERGE_FAILING  # the alert that errors in a row raise

    def __init__(self, subject: str, settings: MergeSettings, alert: Send, resolve: Resolve) -> None:
        self.errors = 0
        self.superseded = 0
        self.subject = subject
        self.settings = settings
        self.alert = alert
        self._connection: Connection | None = None
        self._errors_in_row = 0
        self._is_away = False  # the database, at the last error
        self._failing = Latch(self.failing, subject, alert, resolve)

    @abstractmethod
    def work(self, connection: Connection) -> bool:
        """Do the work that is due now; returns whether there was any."""

    def turn(self) -> bool:
        """Work once; returns whether there was work. Errors are counted, not raised."""
        try:
            worked = self.work(self.connected())
        except SupersededError as error:
            self.superseded += 1
            log.warning("superseded subject=%s reason=%s", self.subject, error)
            return False
        except Exception as error:  # any error: the next turn may succeed
            self._failed(error)
            return False
        self._failing.end("It works again")
        self._errors_in_row = 0
        return worked

    def pause(self, worked: bool) -> float:
        """Seconds from the start of the last turn to the next one."""
        if self._errors_in_row:
            most = AWAY_PAUSE_SECONDS if self._is_away else MAX_PAUSE_SECONDS
            return min(FIRST_PAUSE_SECONDS * 2.0 ** (self._errors_in_row - 1), most)
        return self.settings.merge_interval_seconds if worked else self.settings.merge_poll_seconds

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None and self._connection.open:
            self._connection.close()
        self._connection = None

    def connected(self) -> Connection:
        """The session's connection, reopened if it is closed."""
        if self._connection is None or not self._connection.open:
            self._connection = memsql.connect(self.settings, local_infile=self.loads_files)
        return self._connection

    def _answers(self) -> bool:
        try:
            memsql.connect(self.settings).close()
        except MemsqlError:
            return False
        return True

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        self._errors_in_row += 1
        self.close()  # the connection's state is unknown
        log.error("failed subject=%s errors=%d", self.subject, self._errors_in_row, exc_info=error)
        self._is_away = not self._answers()  # or it refuses the login: a new connection says it, not the error
        if self._errors_in_row >= ALERT_AFTER_ERRORS and not self._is_away:  # watch_health tells of that
            self._failing.start(f"{self._errors_in_row} errors in a row, the last: {_said(error)}")


def _said(error: Exception) -> str:
    """The error's text; PyMySQL's own is a number and a quoted text in brackets."""
    if isinstance(error, pymysql.err.Error) and len(error.args) == 2:
        return f"{error.args[1]} (error {error.args[0]})"
    return str(error)


def seconds_left(settings: MergeSettings, began: datetime | None) -> float:
    """How long a session lasts whose Airflow run began then (None: now); 0 or less: no longer.

    All tasks of a run end together. If one that died had all of its time again, the others' tables would stand still
    until it has ended, as there is one run at a time.
    """
    return settings.merge_session_seconds - ((utc_now() - began).total_seconds() if began else 0.0)


def take_turns(
    sessions: Sequence[Turns], seconds: float, clock: Callable[[], float], wait: Callable[[float], bool]
) -> None:
    """Run the sessions' turns, one at a time and each session at its own pace, until the time is over or asked to stop.

    Args:
        sessions: all sessions of one task.
        seconds: how long the task lasts.
        clock: seconds, monotonic.
        wait: waits for some seconds; True if asked to stop.
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
