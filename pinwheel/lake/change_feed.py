"""The change feed of ``events``, for a reader that comes again every few seconds."""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import DeltaTable

from pinwheel.core.offsets import VersionRange
from pinwheel.lake import events_table
from pinwheel.lake.events_table import Commit


class ChangeFeed:
    """Reads what the lake's versions changed.

    Keeps the table open: to open it costs 80 ms of CPU with 170 entries in the log, to read what is new since then 4.

    Args:
        events_uri: the table, which need not be there yet.
    """

    def __init__(self, events_uri: str) -> None:
        self._uri = events_uri
        self._table: DeltaTable | None = None

    def commits(self, after: int) -> list[Commit]:
        """As ``events_table.commits``, of the newest version.

        Raises:
            LogCutError: some of them are not in the log.
            LakeError: it can't be read, or was set back to an older version.
        """
        self._table = events_table.newest(self._uri, self._table)
        return events_table.commits(self._table, after)

    def rows(self, versions: VersionRange, event_type: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """The changes of one event type: these columns, ``_change_type`` and ``_commit_version``."""
        feed = (self._table or events_table.opened(self._uri)).load_cdf(
            starting_version=versions.after + 1,
            ending_version=versions.to,
            columns=[*columns, "_change_type", "_commit_version"],
            predicate=f"event_type = '{event_type}'",  # a partition column: other types' files are not opened
        )
        return pa.RecordBatchReader.from_stream(feed)
