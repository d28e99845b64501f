"""### Merge the lake's new versions into the reporting tables

**What** For each reporting table, a task **merge_…** prepares a slice from the change feed of the lake's versions since
the table's watermark, judges it with Great Expectations, and merges it in one transaction: rows, ledger, watermark, and
what the slice adds to the rollups. A slice that breaks a critical rule is held and raises an alert. Rows that break a
row rule go to `quarantine`. In parallel, **roll_up** adds what was merged to the rollups, seconds later.

**When** Always: one run follows the other. Each merges slice after slice for about 15 minutes, seconds after they
landed. There is one mapped task per table and shard (`PINWHEEL_MERGE_SHARDS`), so that a held slice does not block the
others. (Why not one run per slice: ADR 0002.) Each table is an asset, `pinwheel_repins` for example.

**Re-running** Safe at any time: the watermark moves by compare-and-set, so a task that runs twice changes nothing.

**Held slice** See the table `merge_slices`, fix the cause, trigger `release_slice`.

**When not to use** To repair rows by hand: correct the lake, and the merge carries the correction.

**Runbook** `docs/runbooks/merge_events.md`
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, get_current_context, task

from pinwheel.core.datasets import LAKE, ROLLUPS, TABLES
from pinwheel.operate.assets import SHARDS, asset, merged_key

ASSETS = {table: asset(dataset) for table, dataset in TABLES.items()}


@dag(
    schedule="@continuous",
    # Without one the second run gets the logical date of the first, "exists already", and is never made.
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    max_active_tasks=len(TABLES) * SHARDS + 1,  # all of them, or some shards would wait for others' quarter of an hour
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "merge"],
    default_args={
        "owner": "data-engineering",
        "retries": 1000,  # inside the run: @continuous alone would make a new run every 3 seconds
        "retry_delay": timedelta(seconds=10),  # does not grow: a session that was killed need not wait
    },
)
def merge_events() -> None:
    """Wire one mapped task per table and shard, and the rollups."""

    @task(map_index_template="{{ shard_name }}", inlets=[asset(LAKE)])
    def merge(table: str, shard: int) -> dict[str, int]:
        """Prepare, judge and merge slices of one shard of a table for one session."""
        from pinwheel.merge.session import run_session

        name = table if SHARDS == 1 else f"{table} shard {shard}"
        context = get_current_context()
        context["shard_name"] = name  # type: ignore[typeddict-unknown-key]  # for map_index_template
        store, key = context["asset_state_store"][ASSETS[table]], merged_key(shard)
        counts = run_session(table, shard, context["dag_run"].start_date, lambda merged: store.set(key, {**merged}))
        context["outlet_events"][ASSETS[table]].extra = {**counts}
        return counts

    @task(inlets=list(ASSETS.values()), outlets=[asset(ROLLUPS)])
    def roll_up() -> dict[str, int]:
        """Add what merged slices have queued to the rollups, and score the trends, for one session."""
        from pinwheel.rollup.session import run_session

        return run_session(get_current_context()["dag_run"].start_date)

    for table, made in ASSETS.items():
        merge.override(task_id=f"merge_{table}", outlets=[made]).partial(table=table).expand(shard=list(range(SHARDS)))
    roll_up()


merge_events()
