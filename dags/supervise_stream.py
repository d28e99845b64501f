"""### Keep the stream's driver running

**What** Starts the Spark driver of `spark_jobs/stream_engagement.py` through the connection `pinwheel_spark`, or
re-attaches to a running one. Watches its lag and its newest commit from outside. Restarts it with growing pauses, and
raises an alert when it fails repeatedly.

**When** Always: one run follows the other, each lasts about 15 minutes. The driver outlives the runs, and Airflow.

**Re-running** Safe at any time: a second supervisor finds the driver by its lock; a second driver exits at once.

**Stop, start or restart by hand** Trigger `control_stream`. Pausing this Dag only leaves the driver unwatched.

**When not to use** For a stream on YARN or Kubernetes in cluster mode: use the provider's own operator there, which
submits and re-attaches.

**Runbook** `docs/runbooks/supervise_stream.md`
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task

from pinwheel.core.datasets import LAKE, TOPIC
from pinwheel.operate.assets import asset


@dag(
    schedule="@continuous",
    # Without one the second run gets the logical date of the first, "exists already", and is never made.
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "stream"],
    default_args={
        "owner": "data-engineering",
        # A session that fails (a bad setting, say) is tried again inside its run: @continuous alone would make a new
        # run every 3 seconds.
        "retries": 1000,
        "retry_delay": timedelta(seconds=10),  # does not grow: a session that was killed need not wait
    },
)
def supervise_stream() -> None:
    """Wire the one task."""

    @task(inlets=[asset(TOPIC)], outlets=[asset(LAKE)])
    def supervise() -> None:
        """Supervise for one session."""
        from airflow.sdk import Variable

        from pinwheel.core.settings import SuperviseSettings, load
        from pinwheel.stream.supervisor import supervise
        from pinwheel.stream.wish import WANTED_VARIABLE, Wanted, Wish

        supervise(
            load(SuperviseSettings),
            wanted=lambda: Wish.of(Variable.get(WANTED_VARIABLE, default=Wanted.RUNNING)),
            restarted=lambda: Variable.set(WANTED_VARIABLE, Wanted.RUNNING),
        )

    supervise()


supervise_stream()
