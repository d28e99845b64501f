"""The repairs of the ledger by ``pinwheel doctor``. Each looks again first, and takes no row from a reporting table."""

import logging
from contextlib import closing

from pinwheel.clients import memsql, migrations
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import ROLLUPS, TABLES
from pinwheel.core.settings import MergeSettings
from pinwheel.lake import events_table
from pinwheel.merge import ledger, rebuild
from pinwheel.merge.ledger import FIRST_WATERMARK, Shard, SupersededError
from pinwheel.merge.rebuild import EXCHANGING, Rebuild

log = logging.getLogger(__name__)


def set_back(settings: MergeSettings, table: str) -> None:
    """Let a table that has merged versions that the lake lacks follow the feed from the newest that it has.

    One transaction: dying before it changes nothing. Twice, or late, when the lake has gone on: rows of versions in
    between come by the feed again, and are recognised.
    """
    events = events_table.opened(settings.events_uri)
    with memsql.connect(settings) as connection:
        ledger.watermark(connection, table, Shard(0, settings.merge_shards))  # as many shards as the settings say
        with memsql.transaction(connection):
            shards = [Shard(number, settings.merge_shards) for number in range(settings.merge_shards)]
            found = [ledger.locked_watermark(connection, table, shard) for shard in shards]
            merged = [version for version in found if version is not None]
            if max(merged, default=FIRST_WATERMARK) > events.version():
                rebuild.follow_from(connection, settings, table, min(events.version(), *merged))
                log.info("set back table=%s from=%d to=%d", table, max(merged), events.version())


def forget_rollups_progress(settings: MergeSettings) -> None:
    """Forget what the rollups are complete through; the next turn of ``roll_up`` notes it again. Idempotent."""
    with memsql.connect(settings) as connection, memsql.transaction(connection):
        memsql.execute(connection, "merge/drop_progress", {"table_name": ROLLUPS})


def left_over(connection: Connection) -> dict[str, list[str]]:
    """The tables that rebuilds that nothing goes on with have left, by their table. Does not commit."""
    names = {table: [f"rebuilt_{table}", f"replaced_{table}"] for table in TABLES}
    there = migrations.there(connection, [*TABLES, *(name for of_table in names.values() for name in of_table)])
    # Without the table itself, an exchange died between its two steps: one of these is the table.
    idle = (table for table in TABLES if table in there and rebuild.waiting(connection, table) is None)
    return {table: found for table in idle if (found := [name for name in names[table] if name in there])}


def drop_left_over(settings: MergeSettings, table: str) -> None:
    """Drop it. Meanwhile nobody can ask for a rebuild: the row of one is locked, and never committed.

    Dying releases the lock; some of it may be gone. Twice: there is nothing to drop.

    Raises:
        SupersededError: a rebuild was asked for; nothing was dropped.
    """
    own = {"version": 0, "part_rows": 0, "loader": "none", "requested_by": "pinwheel doctor"}
    with memsql.connect(settings) as locking, memsql.connect(settings) as connection:
        inserted = memsql.execute(locking, "merge/rebuild/request", {"table_name": table, **own})
        if inserted != 1 or table not in left_over(connection):
            raise SupersededError(f"a rebuild of {table} was asked for meanwhile, or is done")
        memsql.execute_all(connection, "merge/rebuild/drop_left_over", table=table)
        locking.rollback()


def give_up(settings: MergeSettings, going: Rebuild) -> None:
    """Forget a rebuild from a version that the lake lacks; its table stays as it is.

    One transaction: dying before it changes nothing; a session that loads a part finds it gone. Twice: refused.

    Raises:
        SupersededError: it has gone on meanwhile; nothing was changed.
    """
    named = {"table_name": going.table, "version": going.version, "state": going.state}
    with closing(memsql.connect(settings)) as connection, memsql.transaction(connection):
        if going.state == EXCHANGING or memsql.execute(connection, "merge/rebuild/give_up", named) != 1:
            raise SupersededError(f"the rebuild of {going.table} has gone on meanwhile")
        rebuild.forget_parts(connection, going.table)
