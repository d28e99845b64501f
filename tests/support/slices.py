"""Slices that a test knows to be there, and merges without a session."""

from contextlib import closing

from pinwheel.clients import memsql
from pinwheel.clients.memsql import Connection
from pinwheel.core.settings import MergeSettings
from pinwheel.lake.change_feed import ChangeFeed
from pinwheel.merge import ledger
from pinwheel.merge.gate import Verdict
from pinwheel.merge.ledger import Slice
from pinwheel.merge.merge import merge, next_slice
from pinwheel.merge.plan import Counts
from pinwheel.merge.prepare import Next, Prepared, prepare


def prepared(table: str, settings: MergeSettings, connection: Connection) -> Prepared:
    """Prepare the next slice; fails the test if the lake has no new row for the table."""
    found = next_slice(table, settings, connection)
    assert found is not None, f"{table} has nothing to merge"
    return found


def merge_all(table: str, settings: MergeSettings, connection: Connection) -> list[Counts]:
    """Merge all that is due for a table, past the gate; returns the counts of each slice."""
    done = []
    while (found := next_slice(table, settings, connection)) is not None:
        with closing(found):
            done.append(merge(found, connection))
    return done


def hold(slice_: Prepared, verdict: Verdict, connection: Connection) -> Slice:
    """Hold a slice, as the session does."""
    with memsql.transaction(connection):
        return ledger.hold(connection, slice_, vars(verdict))


def again(slice_: Slice, settings: MergeSettings) -> Prepared:
    """Prepare a slice that waits in the ledger, as the session does."""
    return prepare(slice_.table, ChangeFeed(settings.events_uri), Next(slice_.versions, False, slice_.progress))
