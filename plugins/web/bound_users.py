"""The users that are bound to brands: those of ``PINWHEEL_BRAND_USERS``, and those that the Dag bind_user has bound.

The table is read again after some seconds. While the database is away, the last known rows count.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Lock

import pymysql

from pinwheel.clients.memsql import fetch
from pinwheel.core.errors import MemsqlError
from pinwheel.core.settings import WebSettings
from plugins.web.database import Pool

log = logging.getLogger(__name__)

Users = Mapping[str, frozenset[int]]

READ_AFTER = 10.0  # seconds


class NotKnownError(Exception):
    """The table has not been read since the server's start."""


class BoundUsers:
    """The users and their brands; safe to ask from several threads."""

    def __init__(self, fixed: Users, read: Callable[[], Users], clock: Callable[[], float] = time.monotonic) -> None:
        self._fixed, self._read, self._clock = fixed, read, clock
        self._known: Users | None = None
        self._read_at = float("-inf")
        self._lock = Lock()

    def of(self, user: str) -> frozenset[int] | None:
        """The brands of a user; None: not bound.

        Raises:
            NotKnownError: the table can't be read.
        """
        if user in self._fixed:
            return self._fixed[user]
        known = self._current()
        if known is None:
            raise NotKnownError(user)
        return known.get(user)

    def is_nobody(self) -> bool:
        """Whether the setting and the table are both known to be empty."""
        return not self._fixed and self._current() == {}

    def fixed(self) -> Users:
        """Those of the setting."""
        return self._fixed

    def _current(self) -> Users | None:
        if not self._lock.acquire(blocking=self._known is None):  # a database that hangs stops one request, not all
            return self._known
        try:
            if self._clock() - self._read_at >= READ_AFTER:
                try:
                    self._known = self._read()
                except (MemsqlError, pymysql.Error) as error:
                    log.warning("who is bound to brands can't be read: %s", error)
                self._read_at = self._clock()
            return self._known
        finally:
            self._lock.release()


def of_database(settings: WebSettings) -> BoundUsers:
    """Those of the settings and of the reporting database."""
    pool = Pool(settings)

    def read() -> Users:
        found = defaultdict(set)
        with pool.connection() as connection:
            for row in fetch(connection, "pages/brand_users"):
                found[row["user_name"]].add(row["brand_id"])
        return {user: frozenset(brands) for user, brands in found.items()}

    return BoundUsers(settings.brand_users, read)
