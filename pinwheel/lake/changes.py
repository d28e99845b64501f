"""Changes of landed rows: one MERGE, which is one commit, tried again when another writer's came first.

Dying before the commit changes nothing; a second run changes the rows that still match. The change feed has the rows
as they were and as they are, also those that move to another day or event type. An UPDATE would not do: one that sets a
value to itself leaves no change, and its feed repeats all rows of the files.
"""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties
from deltalake.exceptions import CommitFailedError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pinwheel.core.quarantine import QUARANTINED
from pinwheel.lake import events_table

COMMIT_TRIES = 10  # the stream commits every second, a change takes a fraction of that
CHANGE_KEY = "pinwheel.change"  # where a commit keeps why it changed rows, as JSON


@retry(
    retry=retry_if_exception_type(CommitFailedError),  # the stream has landed in the meantime
    stop=stop_after_attempt(COMMIT_TRIES),
    wait=wait_random_exponential(max=2),
    reraise=True,
)
def change(
    events_uri: str, rows: pa.Table, matching: str, values: Mapping[str, str], why: Mapping[str, Any] | None = None
) -> int:
    """Change the landed rows ``t`` that match one of ``rows``, ``s``; returns how many there were.

    Args:
        events_uri: the table.
        rows: at most one per landed row.
        matching: the condition, in SQL. Days, event types and offsets as literals decide which files are read, and
            which commits of others are in the way.
        values: SQL by column.
        why: kept in the commit.
    """
    properties = CommitProperties(custom_metadata={CHANGE_KEY: json.dumps(why)}) if why else None
    merger = events_table.opened(events_uri).merge(
        rows, matching, source_alias="s", target_alias="t", commit_properties=properties
    )
    return int(merger.when_matched_update(dict(values)).execute()["num_target_rows_updated"])


def send_again(events_uri: str, event_type: str, records: pa.Table, why: Mapping[str, Any]) -> int:
    """Change landed rows to themselves, in one commit, so that the merge decides about them anew.

    Args:
        events_uri: the table.
        event_type: theirs.
        records: ``QUARANTINED`` and ``day``, their day in the lake; two logs may have one at the same place.
        why: kept in the commit.
    """
    days = ", ".join(f"DATE '{day}'" for day in sorted(set(records["day"].to_pylist())))
    bounds = pc.min_max(records["kafka_offset"]).as_py()
    same = " AND ".join(f"t.{name} = s.{name}" for name in QUARANTINED.names)
    these = (
        f"t.event_type = '{event_type}' AND t.event_date IN ({days}) "
        f"AND t.kafka_offset BETWEEN {bounds['min']} AND {bounds['max']} AND {same}"
    )
    places = records.group_by(QUARANTINED.names).aggregate([])  # each once, as MERGE wants it
    return change(events_uri, places, these, {"user_id": "t.user_id"}, why)
