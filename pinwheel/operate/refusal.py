"""Refusals of Airflow's tasks: one plain line in the log, and no retry."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from pinwheel.core.errors import LakeError, MemsqlError, MissingPartError, PinwheelError

log = logging.getLogger(__name__)

AWAY = (MemsqlError, LakeError, MissingPartError)


@contextmanager
def refusing(*kinds: type[PinwheelError]) -> Iterator[None]:
    """Turn our own errors, or only these ``kinds``, into a failure that is not tried again: a form stays as it is.

    A database, lake or broker that does not answer is no refusal: the task's retries are for that.
    """
    try:
        yield
    except PinwheelError as error:
        if isinstance(error, AWAY) or not isinstance(error, kinds or PinwheelError):
            raise
        log.error("%s", error)  # the pages find it by this logger
        raise AirflowFailException(str(error)) from None
