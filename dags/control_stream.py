"""### Stop, start or restart the stream by hand

**What** Writes what the stream should do into the Airflow Variable `pinwheel_stream`; `supervise_stream` acts on it
within seconds. `stopped` finishes the current micro-batch and stays off until `running` is chosen; nothing is lost
meanwhile, because Kafka keeps the events. `restart` is a stop and a start.

**When** By hand only: *Trigger*, choose, *Trigger*.

**Re-running** Safe.

**When not to use** To pause the merge: pause the Dag `merge_events` instead.

**Runbook** `docs/runbooks/control_stream.md`
"""

from airflow.sdk import Param, dag, task


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "stream", "by hand"],
    default_args={"owner": "data-engineering", "retries": 2},
    params={
        "wanted": Param(
            "restart",
            type="string",
            enum=["running", "stopped", "restart"],
            title="Wanted state of the stream",
            description="stopped: finish the current batch and stay off. running: be on. restart: stop, then start.",
        )
    },
)
def control_stream() -> None:
    """Wire the one task."""

    @task
    def tell_supervisor() -> None:
        """Set the Variable that the supervisor reads."""
        from airflow.sdk import Variable, get_current_context

        from pinwheel.stream.supervisor import WANTED_VARIABLE, Wanted

        Variable.set(WANTED_VARIABLE, Wanted(get_current_context()["params"]["wanted"]))

    tell_supervisor()


control_stream()
