"""### Set a brand's time zone

**What** The brand's reports and its page have the days and hours of that time zone. Reports that are already made keep
theirs, and name it. The next run of `report_brands` makes the reports of the last days
(`PINWHEEL_REPORT_CATCH_UP_DAYS`) anew with days of the new zone, and mails them.

**When** By hand only: once for a brand whose people do not live by UTC.

**Re-running** Safe: the same zone again changes nothing.

**When not to use** For the views, the questions and Explore: their days stay UTC.

**Runbook** `docs/runbooks/set_time_zone.md`
"""

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "reports", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "brand_id": Param(type="integer", minimum=0, title="Brand", description="Its number in the table brands."),
        "time_zone": Param(
            type="string",
            maxLength=64,
            title="Time zone",
            description="Its IANA name: Europe/Berlin, Asia/Kolkata, UTC.",
        ),
        "reason": Param(
            type="string", maxLength=255, title="Reason", description="For whoever asks next why its days changed."
        ),
    },
)
def set_time_zone() -> None:
    """Wire the one task."""

    @task
    @refusing()
    def set_zone() -> str:
        """Set it; returns what was done."""
        from pinwheel.reports.zones import set_by_form

        context = get_current_context()
        return set_by_form(context["params"], asked_by(context))

    set_zone()


set_time_zone()
