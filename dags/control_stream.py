"""### Stop, start or restart the stream by hand

**What** Says what people want of the stream, in the Airflow Variable `pinwheel_stream`; `supervise_stream` does it
within seconds. `stopped` finishes the micro-batch in hand and holds until `running` is asked for; nothing is lost
meanwhile, Kafka keeps it. `restart` is a stop and a start.

**When** By hand only: *Trigger*, choose, *Trigger*.

**Again?** Safe.

**Not for** Pausing the merge: pause the Dag `merge_events` for that.

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
            title="What the stream shall do",
            description="stopped: finish the batch in hand and stay off; running: be on; restart: both, once.",
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
