"""### Merge the lake's new versions into the reporting tables

**What** For each reporting table: **stage** the change feed of the lake's versions since the table's watermark,
**audit** the staged slice with Great Expectations, **merge** it in one transaction: rows, ledger, watermark.
A slice that breaks a critical expectation is held and raises an alert. Rows that break a row rule go to `quarantine`.
In parallel, **roll_up** recomputes the rollup buckets that merged slices touched, seconds later.

**When** Always: one run follows the other. Each merges slice after slice for about 15 minutes, seconds after they
landed. There is one mapped task per table, so that a held table does not block the others. (Why not one run per slice:
ADR 0002.)

**Re-running** Safe at any time: the watermark moves by compare-and-set, so a task that runs twice changes nothing.

**Held slice** See the table `merge_slices`, fix the cause, trigger `release_slice`.

**When not to use** To repair rows by hand: correct the lake, and the merge carries the correction.

**Runbook** `docs/runbooks/merge_events.md`
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset, dag, task

from pinwheel.core.contract import TABLES

REPORTING_TABLES = Asset("pinwheel_reporting_tables", uri="memsql://pinwheel/reporting_tables")


@dag(
    schedule="@continuous",
    # Without one the second run gets the logical date of the first, "exists already", and is never made.
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "merge"],
    default_args={
        "owner": "data-engineering",
        "retries": 1000,  # inside the run: @continuous alone would make a new run every 3 seconds
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=5),
    },
)
def merge_events() -> None:
    """Wire one mapped task per table, and the rollups."""

    @task(map_index_template="{{ table_name }}", outlets=[REPORTING_TABLES])
    def merge(table: str) -> dict[str, int]:
        """Stage, audit and merge slices of one table for one session."""
        from airflow.sdk import get_current_context

        from pinwheel.merge.session import run_session

        get_current_context()["table_name"] = table  # type: ignore[typeddict-unknown-key]  # for map_index_template
        return run_session(table)

    @task
    def roll_up() -> dict[str, int]:
        """Recompute the rollup buckets that merged slices have touched, and refresh the trends, for one session."""
        from pinwheel.rollup.session import run_session

        return run_session()

    merge.expand(table=list(TABLES))
    roll_up()


merge_events()
