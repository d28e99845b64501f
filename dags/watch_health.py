"""### Measure the whole pipeline

**What** Measures, from outside the jobs: lag per partition, how far each step is behind Kafka, the open batch, the
driver, pending pins, dead letters, held slices, small files, disk. The values are kept in the table `health` for 30
days. A measure that is unwell twice in a row sends one alert, and one message when it is well again. Messages that a
receiver refused are sent again.

**By hand** With `test_alert`, it first sends an alert to test delivery, as the health page's button does.

**When** Every minute. The same from a terminal: `pinwheel health`.

**Re-running** Safe.

**When not to use** To repair anything: it only measures.

**Runbook** `docs/runbooks/watch_health.md`
"""

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.operate.asker import asked_by


@dag(
    schedule="* * * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "health"],
    default_args={"owner": "data-engineering", "retries": 0},  # the next look is in a minute
    params={
        "test_alert": Param(
            False, type="boolean", title="Send a test alert", description="To all receivers in PINWHEEL_ALERT_URLS."
        )
    },
)
def watch_health() -> None:
    """Wire the one task."""

    @task
    def look() -> dict[str, float | None]:
        """Look once; returns what is unwell."""
        from datetime import UTC, datetime

        from pinwheel.alerts.catalogue import TEST_ALERT
        from pinwheel.alerts.raising import deliver_waiting, raise_alert, resolve_alert
        from pinwheel.core.settings import HealthSettings, load
        from pinwheel.operate.health import watch

        context = get_current_context()
        if context["params"]["test_alert"]:
            who = asked_by(context)
            raise_alert(TEST_ALERT, who, f"{who} sent this to test delivery")
        found = watch(load(HealthSettings), datetime.now(UTC), raise_alert, resolve_alert)
        deliver_waiting()
        return {f"{m.name} of {m.subject}": m.value for m in found if not m.is_well}

    look()


watch_health()
