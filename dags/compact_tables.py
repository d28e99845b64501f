"""### Keep the lake's files few and large

**What** Each micro-batch writes small files. Where a day and event type has many, they are combined. A day that is over
is also ordered by brand and time, as reports read it. Once an hour, files that no version of the last 7 days names are
removed, and log entries older than 2 hours. Files and log entries that a merge still has to read are kept.

**When** Every 10 minutes. It acts only where the number and size of files require it. By hand with `dry_run` to see
what it would do. The task's log has files and bytes before and after.

**Re-running** Safe: compacted files are left alone. The stream and the merges continue meanwhile.

**When not to use** To get disk space back at once: removed rows and replaced files stay for 7 days.

**Runbook** `docs/runbooks/compact_tables.md`
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task


@dag(
    schedule="3-59/10 * * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "lake", "housekeeping"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=2)},
    params={"dry_run": Param(False, type="boolean", title="Only list what would be done")},
)
def compact_tables() -> None:
    """Wire the one task."""

    @task
    def compact() -> list[dict[str, Any]]:
        """Compact, vacuum, shorten the log; returns files and bytes before and after."""
        import os
        from dataclasses import asdict
        from datetime import UTC, datetime

        from airflow.sdk import get_current_context

        from pinwheel.core.settings import CompactSettings, load
        from pinwheel.lake.compaction import compact
        from pinwheel.operate.retention import oldest_unread

        os.nice(10)  # the stream and the merges go first where cores are few
        settings, dry_run = load(CompactSettings), get_current_context()["params"]["dry_run"]
        return [asdict(r) for r in compact(settings, datetime.now(UTC), dry_run, oldest_unread(settings))]

    compact()


compact_tables()
