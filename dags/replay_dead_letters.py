"""### Bring dead letters home

**What** Parses dead letters again with today's contract and limits. One that passes becomes the event that it is, in
one commit of the lake: the letter is gone, the event is there. `merge_events` brings it to the reporting tables and
the rollups. All others stay as they are. Rows in `quarantine` are judged by today's rules; those that pass are sent
through the merge again. With `dry_run`, which is the default, nothing is written: the tasks' results say how many
would pass, with samples, and what the others lack.

**When** By hand: after an event type or a field was added to the contract, a limit or a rule was changed, or a mistake
of ours was fixed.

**Re-running** Safe: what came home is no letter any more. A run that died is finished by the next one.

**When not to use** To correct what a producer sent: letters are never changed, only judged again.

**Runbook** `docs/runbooks/replay_dead_letters.md`
"""

from dataclasses import asdict
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.core.contract import DEAD_REASONS, EVENT_TYPES
from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing

TIME: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "lake", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "reason": Param(
            None,
            type=["null", "string"],
            enum=[None, *map(str, DEAD_REASONS)],
            values_display={str(reason): f"{reason}: {meaning}" for reason, meaning in DEAD_REASONS.items()},
            title="Reason",
            description="Only letters with this reason. Empty: all.",
        ),
        "event_type": Param(
            None,
            type=["null", "string"],
            enum=[None, *EVENT_TYPES],
            title="Event type",
            description="Only records that say that they are of this type. Empty: all.",
        ),
        "from_time": Param(None, **TIME, title="Received by Kafka from", description="Empty: all."),
        "to_time": Param(None, **TIME, title="Received before", description="Empty: until now."),
        "letters": Param(
            True, type="boolean", title="Bring dead letters home", description="Off: only judge quarantined rows."
        ),
        "quarantine": Param(
            True, type="boolean", title="Also judge quarantined rows again", description="By today's rules."
        ),
        "dry_run": Param(
            True, type="boolean", title="Only say what would come home", description="In the tasks' results (XCom)."
        ),
    },
)
def replay_dead_letters() -> None:
    """Wire the two tasks."""

    @task
    @refusing()
    def letters() -> dict[str, Any]:
        """Replay dead letters; returns counts and samples."""
        from pinwheel.core.settings import ReplaySettings, load
        from pinwheel.lake.replay import Wanted, replay
        from pinwheel.merge.rejudge import first_day
        from spark_jobs.landing_task import Landed

        context, settings = get_current_context(), load(ReplaySettings)
        params, by = context["params"], asked_by(context)
        if not params["letters"]:
            return {}
        wanted, dry_run = Wanted.by_form(params), params["dry_run"]
        return asdict(replay(settings, wanted, Landed(settings), by, dry_run=dry_run, kept_from=first_day(settings)))

    @task
    @refusing()
    def quarantine() -> list[dict[str, Any]]:
        """Judge quarantined rows again; returns counts and samples by table."""
        from pinwheel.clients import memsql
        from pinwheel.core.settings import ReplaySettings, load
        from pinwheel.lake.replay import Wanted
        from pinwheel.merge.rejudge import rejudge

        context, settings = get_current_context(), load(ReplaySettings)
        params, by = context["params"], asked_by(context)
        if not params["quarantine"]:
            return []
        with memsql.connect(settings) as connection:
            found = rejudge(settings, connection, Wanted.by_form(params), by, dry_run=params["dry_run"])
        return [asdict(table) for table in found]

    letters()
    quarantine()


replay_dead_letters()
