"""Slices that a test knows to be there."""

from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import SliceState
from pinwheel.core.settings import MergeSettings
from pinwheel.merge import ledger
from pinwheel.merge.ledger import Slice
from pinwheel.merge.stage import stage


def staged(table: str, settings: MergeSettings, connection: Connection) -> Slice:
    """Stage the next slice; fails the test if the lake has no new row for the table."""
    found = stage(table, settings, connection)
    assert found is not None, f"{table} has nothing to stage"
    return found


def state_of(connection: Connection, slice_id: int) -> SliceState:
    """A slice's state in the ledger."""
    found = ledger.find(connection, slice_id)
    assert found is not None, f"no slice {slice_id}"
    return found.state
