"""### Keep Airflow's own database small

**What** Removes Airflow's history (runs, task instances, events, XComs, jobs) older than `days` with Airflow's own
`airflow db clean`, and task log files of that age. Pinwheel's data is not touched.

**When** Daily at 03:17 UTC. By hand with another number of days, or with `dry_run` to see what it would remove.

**Re-running** Safe.

**When not to use** For reporting tables or the lake.

**Runbook** `docs/runbooks/clean_metadata.md`
"""

from datetime import timedelta

from airflow.sdk import Param, dag, task


@dag(
    schedule="17 3 * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "housekeeping"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=5)},
    params={
        "days": Param(7, type="integer", minimum=1, title="Days to keep", description="Older history is removed."),
        # Off by default, unlike elsewhere: what goes is history that nobody can lose data by.
        "dry_run": Param(False, type="boolean", title="Only list what would be removed", description="In the log."),
    },
)
def clean_metadata() -> None:
    """Wire the one task."""

    @task
    def clean() -> None:
        """Remove old history and old logs."""
        from airflow.sdk import get_current_context

        from pinwheel.operate.airflow_cleanup import clean_airflow

        params = get_current_context()["params"]
        clean_airflow(days=params["days"], dry_run=params["dry_run"])

    clean()


clean_metadata()
