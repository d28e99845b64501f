"""The versions that the lake must retain: those that a reader of its change feed has not read yet."""

from datetime import datetime

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import CompactSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger


def oldest_unread(settings: CompactSettings) -> datetime | None:
    """Commit time of the oldest version that some table has not merged; None: every table has merged all of them."""
    with memsql.connect(settings) as connection:
        watermarks = [ledger.watermark(connection, table) for table in TABLES]
        connection.commit()
    unread = events_table.commits(settings.events_uri, min(watermarks))
    return unread[0].committed_at if unread else None
