"""The versions that the lake must retain: those that a reader of its change feed has not read yet."""

from contextlib import suppress
from datetime import datetime

from pinwheel.clients import memsql
from pinwheel.core.contract import TABLES
from pinwheel.core.errors import LogCutError
from pinwheel.core.settings import CompactSettings
from pinwheel.lake import events_table
from pinwheel.merge import rebuild
from pinwheel.merge.ledger import FIRST_WATERMARK


def oldest_unread(settings: CompactSettings) -> datetime | None:
    """Commit time of the oldest version that some table has not merged; None: every table has merged all of them."""
    with memsql.connect(settings) as connection:
        known = {row["table_name"]: row["version"] for row in memsql.fetch(connection, "operate/watermarks")}
        read = {version - 1 for version in rebuild.versions(connection)}
        connection.commit()
    read |= {known.get(table, FIRST_WATERMARK) for table in TABLES}
    events = events_table.open_table(settings.events_uri)
    for after in sorted(read):  # the furthest behind decides, unless only a rebuild can help it
        with suppress(LogCutError):
            unread = events_table.commits(events, after)
            return unread[0].committed_at if unread else None
    return None
