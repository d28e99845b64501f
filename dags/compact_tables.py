"""### Keep the lake's files few and large

**What** Each micro-batch writes small files. Where a day and event type has many, they are combined. A day that is over
is also ordered by brand and time, as reports read it. Log entries older than an hour are removed, and once an hour the
files that no version of the last 7 days names. Files and log entries that a merge still has to read are kept.

**When** Every 10 minutes. It acts only where the number and size of files require it. By hand with `dry_run` to see
what it would do. The task's log has files and bytes before and after.

**Re-running** Safe: compacted files are left alone. The stream and the merges continue meanwhile.

**Where** With `PINWHEEL_LAKE_ENGINE=local` in the task itself, by delta-rs. With `spark` in a Spark job, through the
connection `pinwheel_spark`: for a lake that one process can't compact. The job is only started when there is something
to do, and not for a dry run.

**When not to use** To get disk space back at once: removed rows and replaced files stay for 7 days.

**Runbook** `docs/runbooks/compact_tables.md`
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException


@task
def compact() -> list[dict[str, Any]]:
    """Compact, vacuum, shorten the log; returns files and bytes before and after."""
    import os

    os.nice(10)  # the stream and the merges go first where cores are few
    return _compact(get_current_context()["params"]["dry_run"])


@task
def prepare() -> dict[str, Any]:
    """Arguments for spark-submit; skips the job when there is nothing to do, and in a dry run."""
    from datetime import UTC, datetime

    from pinwheel.clients import spark
    from pinwheel.core.settings import CompactSettings, load
    from pinwheel.lake.compaction import CLEAN, is_cleaning, is_due

    if get_current_context()["params"]["dry_run"]:
        _compact(dry_run=True)
        raise AirflowSkipException("dry run")
    settings, now = load(CompactSettings), datetime.now(UTC)
    if not is_due(settings, now):
        raise AirflowSkipException("nothing to do")
    # By the clock of the job, one that waits for a core would not clean up.
    return spark.lake_job(spark.COMPACT_TABLES, settings, [CLEAN] if is_cleaning(now) else [])


@dag(
    schedule="3-59/10 * * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "lake", "housekeeping"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=2)},
    params={"dry_run": Param(False, type="boolean", title="Only list what would be done", description="In the log.")},
)
def compact_tables() -> None:
    """Wire the one task; for Spark, the one that prepares the job and the one that submits it."""
    from pinwheel.core.settings import EngineSettings, load

    engine = load(EngineSettings)

    if engine.lake_engine == "local":
        compact()
        return
    from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

    from pinwheel.clients.spark import SUBMITTED
    from pinwheel.core.connections import give_to_children

    prepared: Any = prepare()  # its result: indexed by name, which its type does not say
    SparkSubmitOperator(
        task_id="compact",
        conn_id=engine.spark_conn_id,
        pre_execute=give_to_children,  # secrets in a parameter would be in Airflow's database
        **{name: prepared[name] for name in SUBMITTED},
    )


def _compact(dry_run: bool) -> list[dict[str, Any]]:
    from dataclasses import asdict
    from datetime import UTC, datetime

    from pinwheel.core.settings import CompactSettings, load
    from pinwheel.lake.compaction import compact
    from pinwheel.operate.retention import oldest_unread

    settings = load(CompactSettings)
    return [asdict(r) for r in compact(settings, datetime.now(UTC), dry_run, oldest_unread(settings))]


compact_tables()
