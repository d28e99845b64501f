"""### Take away what was kept for long enough

**What** Applies the retention of each store, a setting in days: rows of the reporting tables, events and dead letters
of the lake, quarantine, ended alerts, reports with their files, unused pins of the cache, and presence. By default the
tables, the lake and the reports are kept for ever. Rollups always stay. The log of the task has the rows per store.

**When** Daily at 02:40 UTC. By hand with `dry_run`, which is the default there, to see what a run would take away.

**Re-running** Safe: a second run finds nothing left. After one that died, the next does the rest.

**When not to use** To forget a person, or to get disk space back at once: the lake's files stay for another 7 days.

**Runbook** `docs/runbooks/apply_retention.md`
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task


@task
def apply() -> list[dict[str, Any]]:
    """Take away old rows, or count them; returns the rows per store."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from pinwheel.core.settings import RetentionSettings, load
    from pinwheel.operate.expire import apply_retention

    context = get_current_context()
    is_scheduled = context["dag_run"].run_type == "scheduled"  # then nobody has filled in the form
    dry_run = context["params"]["dry_run"] and not is_scheduled
    return [asdict(one) for one in apply_retention(load(RetentionSettings), datetime.now(UTC), dry_run)]


@dag(
    schedule="40 2 * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "housekeeping"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=10)},
    params={
        "dry_run": Param(
            True,
            type="boolean",
            title="Only count what would be taken away",
            description="Of a run by hand. The daily run applies the settings.",
        )
    },
)
def apply_retention() -> None:
    """Wire the one task."""
    apply()


apply_retention()
