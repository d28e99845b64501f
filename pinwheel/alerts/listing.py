"""Alerts for people to read, newest first. Read-only, on the caller's connection."""

from pinwheel.clients.memsql import Connection, Row, fetch


def open_alerts(connection: Connection) -> list[Row]:
    """Open alerts, 200 at most."""
    return fetch(connection, "alerts/list_open")


def recent_alerts(connection: Connection) -> list[Row]:
    """The last 100 alerts, open or resolved."""
    return fetch(connection, "alerts/list_recent")
