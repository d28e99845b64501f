"""Silences: an alert that a person has silenced is stored and shown, but not sent until the silence is over.

It is sent then if it is still open. One that ended before is never sent, and neither is its recovery. The recovery of
an alert that was sent is sent in any case: it is good news. While the database is away, every alert is sent.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pinwheel.alerts import outbox, texts
from pinwheel.alerts.catalogue import ALERTS, CAN_BE_SILENCED
from pinwheel.clients.memsql import Connection, Row, connect, execute, fetch, transaction
from pinwheel.core.errors import PinwheelError
from pinwheel.core.settings import MemsqlSettings, load
from pinwheel.core.times import naive

LONGEST = timedelta(days=7)  # a silence that nobody remembers must end


def silence_by_form(form: Mapping[str, Any], by: str) -> str:
    """Silence an alert as the Dag's form says; see ``silence``."""
    row = {key: str(form[key]) for key in ("name", "subject", "reason")} | {"silenced_by": by}
    with connect(load(MemsqlSettings)) as connection, transaction(connection):
        return silence(connection, row, float(form["hours"]), naive(datetime.now(UTC)))


def silence(connection: Connection, row: Row, hours: float, now: datetime) -> str:
    """Silence an alert, or end its silences with ``hours`` 0; returns what was done. Does not commit.

    Dying before the commit: nothing has changed. Twice: the second silence starts later and changes nothing else.

    Args:
        connection: of the merge's user.
        row: ``name``, ``subject`` (empty: all of that name), ``reason`` and ``silenced_by``.
        hours: from now, to a week.
        now: naive UTC.

    Raises:
        PinwheelError: no such alert, too long, no reason, or no silence to end.
    """
    about = f"{row['name']} of {row['subject'] or 'everything'}"
    if row["name"] not in CAN_BE_SILENCED:
        raise PinwheelError(f"there is no alert {row['name']!r} that can be silenced; all are in docs/alerts.md")
    if not hours:
        if not execute(connection, "alerts/end_silences", row | {"now": now}):
            raise PinwheelError(f"{about} is not silenced: there is nothing to end")
        left = of(active(connection, now), row["name"], row["subject"])
        return f"{about} is sent again" if left is None else f"{about} stays silent, as {row['name']} is for everything"
    if not 0 < hours <= LONGEST / timedelta(hours=1):
        raise PinwheelError(f"hours: {hours:g} is not between 0 and {LONGEST / timedelta(hours=1):.0f}")
    if not row["reason"].strip():
        raise PinwheelError("reason: it is empty; say why, for whoever is on call next")
    until = now + timedelta(hours=hours)
    execute(connection, "alerts/silence", row | {"now": now, "until_at": until})
    return f"{about} is not sent until {until:%Y-%m-%d %H:%M} UTC"


def active(connection: Connection, now: datetime) -> list[Row]:
    """The silences that have not ended, the one that ends last first."""
    return fetch(connection, "alerts/list_silences", {"now": now})


def of(silences: list[Row], name: str, subject: str) -> Row | None:
    """The silence of an alert, if it has one."""
    return next((s for s in silences if s["name"] == name and s["subject"] in ("", subject)), None)


def send_unsilenced(connection: Connection, now: datetime) -> None:
    """Post the open alerts whose silence is over. In the caller's transaction, which holds the lock of the alerts.

    Dying before its commit: they are posted at the next look. Twice: the second finds none.
    """
    silences = active(connection, now)
    for row in fetch(connection, "alerts/list_unsent"):
        alert = ALERTS.get(row["name"])  # None: of another version, which sends it
        if alert and of(silences, row["name"], row["subject"]) is None:
            text = texts.raised(alert, row["subject"], row["message"], row["raised_at"], row["alert_id"])
            outbox.post(connection, texts.title(alert, row["subject"]), text, now)
            execute(connection, "alerts/set_sent", {"alert_id": row["alert_id"]})
