"""### Stop, start or restart the stream by hand

**What** Writes what the stream should do and your name into the Airflow Variable `pinwheel_stream`. `supervise_stream`
acts on it within seconds. `stopped` finishes the current micro-batch and stays off until `running` is chosen; nothing
is lost meanwhile, because Kafka keeps the events. It raises no alert; after an hour there is a reminder. `restart` is a
stop and a start.

With *Go on from*, the stream goes on without records that it can't have any more, after the alert `stream_refused`: the
topic was made anew, its log was truncated, or records have expired. `dry_run`, which is the default, shows what will be
missing. The missing offsets, the reason and the person are kept in the lake's log.

**When** By hand only: *Trigger*, choose, *Trigger*.

**Re-running** Safe.

**When not to use** To pause the merge: pause the Dag `merge_events` instead.

**Runbook** `docs/runbooks/control_stream.md`
"""

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing


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
            values_display={
                "running": "running: be on",
                "stopped": "stopped: finish the current batch and stay off",
                "restart": "restart: stop, then start",
            },
            title="Wanted state of the stream",
            description="supervise_stream acts on it within seconds. Nothing is lost: Kafka keeps the events.",
        ),
        "continue_from": Param(
            None,
            type=["null", "string"],
            examples=["earliest", "latest"],
            title="Go on from",
            description='Only after the alert stream_refused: earliest, latest, or offsets as {"0": 12, "1": 7}.',
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            title="Why the stream goes on without these records",
            description="Needed with Go on from. Kept in the lake's log.",
        ),
        "dry_run": Param(
            True,
            type="boolean",
            title="Only show what will be missing",
            description="With Go on from: in the result of the task go_on, and the stream stays as it is.",
        ),
    },
)
def control_stream() -> None:
    """Wire the two tasks."""

    @task(retries=0)  # latest is another offset by then
    @refusing()
    def go_on() -> dict[str, Any] | None:
        """Let the stream go on elsewhere, if that is asked for; returns what is missing."""
        from dataclasses import asdict

        from pinwheel.core.settings import SourceSettings, load
        from pinwheel.stream.source_log import go_on

        context = get_current_context()
        params, by = context["params"], asked_by(context)
        if params["continue_from"] is None:
            return None
        return asdict(
            go_on(load(SourceSettings), params["continue_from"], params["reason"] or "", by, params["dry_run"])
        )

    @task
    def tell_supervisor() -> None:
        """Set the Variable that the supervisor reads; not when the form only asks what would be missing."""
        from airflow.sdk import Variable

        from pinwheel.stream.wish import WANTED_VARIABLE, Wanted, Wish

        context = get_current_context()
        params, by = context["params"], asked_by(context)
        if params["continue_from"] is None or not params["dry_run"]:
            Variable.set(WANTED_VARIABLE, str(Wish(Wanted(params["wanted"]), by)))

    go_on() >> tell_supervisor()


control_stream()
