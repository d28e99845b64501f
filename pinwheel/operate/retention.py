"""What the lake must keep: what a reader of its change feed has not read yet."""

from datetime import datetime

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import CompactSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger


def oldest_unread(settings: CompactSettings) -> datetime | None:
    """When the oldest version was committed that a reader of the change feed has not read; None: all have read all."""
    with memsql.connect(settings) as connection:
        seen = [ledger.watermark(connection, table) for table in TABLES]
        connection.commit()
    unread = events_table.commits(settings.events_uri, min(seen))
    return unread[0].committed_at if unread else None
