"""### Complete rows that landed without their pin

**What** A repin or comment lands `pending` when no source can answer for its pin, and `unknown` when the Pin API does
not know the pin, for example because its pin event comes later. When the pin is known, this Dag fills in its creator,
board, brand, category and texts in the lake, with a Delta MERGE. The change feed carries the correction to the
reporting tables and rollups, through `merge_events`.

**When** Every 5 minutes. A pin that no source has yet is asked for again, for 31 days. Then it is given up: rows that
were pending become `given_up`, and the alert `pins_given_up` says how many pins, with an example.

**Re-running** Safe: complete rows are not touched.

**When not to use** To correct the pin of a row that already has one.

**Runbook** `docs/runbooks/complete_pins.md`
"""

from datetime import timedelta

from airflow.sdk import dag, task


@dag(
    schedule="*/5 * * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "lake"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(seconds=30)},
)
def complete_pins() -> None:
    """Wire the one task."""

    @task
    def complete() -> dict[str, int]:
        """Complete what can be completed now."""
        from dataclasses import asdict
        from datetime import UTC, datetime

        from pinwheel.alerts.raising import raise_alert
        from pinwheel.core.settings import CompleteSettings, load
        from pinwheel.enrich.pins import PinLookup
        from pinwheel.lake.erased_people import ErasedPeople
        from pinwheel.lake.late_completion import complete

        settings = load(CompleteSettings)
        lookup = PinLookup(settings, strip=ErasedPeople(settings.lake_uri, settings.erasure_key).strip)
        return asdict(complete(settings, lookup, datetime.now(UTC), raise_alert))

    complete()


complete_pins()
