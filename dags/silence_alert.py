"""### Silence an alert for a while

**What** The alert is stored and shown on the health page, but not sent. If it is still open when the silence is over,
it is sent then. The recovery of an alert that was sent is sent in any case. 0 hours ends its silences.

**When** By hand only: before planned work, or for an alert that comes and goes while its cause is being worked on. The
health page has a button for it at each open alert.

**Re-running** Safe: the silence that ends last counts.

**When not to use** To stop the stream: `control_stream` raises no alert about a stream that is stopped on purpose.

**Runbook** `docs/runbooks/silence_alert.md`
"""

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.alerts.catalogue import CAN_BE_SILENCED
from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "health", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "name": Param(
            type="string",
            enum=CAN_BE_SILENCED,
            title="Alert",
            description="All are listed in docs/alerts.md.",
        ),
        "subject": Param(
            "",
            type="string",
            maxLength=255,
            title="About",
            description="As the alert says. Empty: whatever it is about.",
        ),
        "hours": Param(1, type="number", minimum=0, maximum=168, title="Hours", description="0 ends its silences now."),
        "reason": Param("", type="string", maxLength=255, title="Reason", description="For whoever is on call next."),
    },
)
def silence_alert() -> None:
    """Wire the one task."""

    @task
    @refusing()
    def silence() -> str:
        """Silence it; returns until when."""
        from pinwheel.alerts.silences import silence_by_form

        context = get_current_context()
        return silence_by_form(context["params"], asked_by(context))

    silence()


silence_alert()
