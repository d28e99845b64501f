"""Alerts for people to read, newest first; the caller's connection, nothing is changed."""

from pinwheel.clients.memsql import Connection, Row, fetch


def open_alerts(connection: Connection) -> list[Row]:
    """Alerts that are open now, 200 at most."""
    return fetch(connection, "alerts/list_open")


def recent_alerts(connection: Connection) -> list[Row]:
    """The last 100 alerts, open or resolved."""
    return fetch(connection, "alerts/list_recent")
