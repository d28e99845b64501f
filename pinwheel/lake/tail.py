"""Follows new events: a few columns of each new version of ``events``, read from the change feed by delta-rs.

For live views only; no result depends on it. Updates and rewrites of rows are skipped, and a reader that was away
continues with the newest versions.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from pinwheel.core.contract import DEAD_LETTER
from pinwheel.lake import events_table

COLUMNS = (
    "event_type",
    "occurred_at",
    "kafka_timestamp",
    "pin_id",
    "title",
    "brand_id",
    "category",
    "country_code",
    "city",
    "latitude",
    "longitude",
)
FEED_COLUMNS = ("_change_type", "_commit_version")
LOOKED_BACK = 240  # versions whose commit times are read at the start: four minutes at a commit a second
AT_ONCE = 60  # versions per read; a reader that is further behind skips the oldest, as this is a live view


@dataclass(frozen=True)
class Batch:
    """The events that one version added, in the order in which Kafka received them.

    ``received_at``: the newest Kafka time. ``newest_at``: the newest event time; see ``newest_at``. ``seconds``: Kafka
    time since the previous batch, at least 0.1; None for the first batch.
    """

    version: int
    rows: pa.Table
    received_at: datetime
    newest_at: datetime
    seconds: float | None


class Tail:
    """Follows ``events``; each ``read`` returns the batches that landed since the previous one, oldest first."""

    def __init__(self, uri: str, back: timedelta) -> None:
        """``back``: how much of the past the first read returns."""
        self._uri = uri
        self._back = back
        self._table: DeltaTable | None = None
        self._version = -1
        self._received_at: datetime | None = None

    def read(self) -> list[Batch]:
        """New batches; none for a version that added no row, or while there is no table yet."""
        if self._table is None:
            self._table = events_table.open_table(self._uri)
            if self._table is None:
                return []
            self._version = self._before(self._table, datetime.now(UTC) - self._back)
        else:
            events_table.refresh(self._table)
        newest = self._table.version()
        first = max(self._version + 1, newest - AT_ONCE + 1)
        if newest < first:
            return []
        batches = self._batches(self._table, first, newest)
        self._version = newest
        return batches

    def _before(self, table: DeltaTable, time: datetime) -> int:
        """The version after which the first read starts."""
        commits = events_table.recent_commits(table, LOOKED_BACK)
        wanted = [commit.version for commit in commits if commit.committed_at >= time]
        return min(wanted, default=table.version() + 1) - 1

    def _batches(self, table: DeltaTable, first: int, last: int) -> list[Batch]:
        feed = table.load_cdf(
            starting_version=first,
            ending_version=last,
            columns=[*COLUMNS, *FEED_COLUMNS],
            predicate=f"event_type != '{DEAD_LETTER}'",
        )
        rows = events_table.without_views(pa.table(feed.read_all()))
        rows = rows.filter(pc.equal(rows["_change_type"], "insert")).sort_by(
            [("_commit_version", "ascending"), ("kafka_timestamp", "ascending")]
        )
        return [self._batch(v, rows) for v in pc.unique(rows["_commit_version"]).to_pylist()]

    def _batch(self, version: int, rows: pa.Table) -> Batch:
        own = rows.filter(pc.equal(rows["_commit_version"], version)).select(COLUMNS)
        received_at: datetime = pc.max(own["kafka_timestamp"]).as_py()
        before, self._received_at = self._received_at, received_at
        seconds = max(0.1, (received_at - before).total_seconds()) if before else None
        return Batch(int(version), own, received_at, newest_at(own), seconds)


def newest_at(rows: pa.Table) -> datetime:
    """The newest event time; an event time after its Kafka time, from a clock that is ahead, counts as the latter."""
    happened, received = rows["occurred_at"], rows["kafka_timestamp"]
    newest: datetime = pc.max(pc.if_else(pc.less(happened, received), happened, received)).as_py()
    return newest
