"""### Make and mail the brands' reports

**What** For each brand a report of a day or a week: one HTML file to read or print, and CSV files. It has totals and
change against the period before, hours, top pins, categories, countries, people, trends, data quality, and
whether it is complete. Reports are in the reports folder (`PINWHEEL_REPORTS_URI`), in the table `brand_reports` and on
the page Brand reports. They are mailed to the brand's contact when `PINWHEEL_SMTP_HOST` is set. Days are those of the
brand's time zone: UTC, unless `set_time_zone` has set another.

**When** Daily, by `PINWHEEL_REPORT_CRON`: the day that is over, on Mondays the week, and each report of the last 31
days whose numbers have changed since. Such a report gets a new revision that lists the changes. A brand whose day is
not over by then gets its report from the next run. By hand for any days that are over: give `first_day`.

**Re-running** Safe: a report whose content is unchanged is not made again. After a run that died, the next one makes
the missing reports.

**When not to use** For live numbers: see Trends, or `docs/sql.md`. A day that is not over has no report.

**Runbook** `docs/runbooks/report_brands.md`
"""

import os
from datetime import timedelta

from airflow.sdk import Param, dag, task

from pinwheel.core.datasets import OF_BRANDS, REPORTS, ROLLUPS
from pinwheel.core.errors import AskedError, ReportError
from pinwheel.operate.assets import asset
from pinwheel.operate.refusal import refusing


@dag(
    schedule=os.environ.get("PINWHEEL_REPORT_CRON", "30 4 * * *"),  # late events have arrived
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "reports"],
    default_args={"owner": "data-engineering", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "first_day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="First day",
            description="Of the period to report on, over in the brand's time zone. Empty: all due reports.",
        ),
        "days": Param(
            1,
            type="integer",
            minimum=1,
            maximum=31,
            title="Days",
            description="1 is a day, 7 a week. Counted from first_day.",
        ),
        "brand_ids": Param(
            None,
            type=["null", "string"],
            pattern=r"^\s*\d+(\s*,\s*\d+)*\s*$",
            title="Brands",
            description="Brand ids, separated by commas: 3, 17. With a first day. Empty: all.",
        ),
        "mail": Param(True, type="boolean", title="Mail the new reports", description="To the brands' contacts."),
    },
)
def report_brands() -> None:
    """Wire making, mailing, and the verdict on both."""

    @task(inlets=[asset(dataset) for dataset in (*OF_BRANDS, ROLLUPS)], outlets=[asset(REPORTS)])
    @refusing(AskedError)
    def make() -> dict[str, str]:
        """Make reports; returns what failed, and why."""
        from airflow.sdk import get_current_context

        from pinwheel.reports.run import make

        os.nice(10)  # the stream and the merges go first where cores are few
        given = get_current_context()["params"]
        return make(given["first_day"], given["days"], given["brand_ids"], given["mail"])

    @task
    def mail() -> dict[str, str]:
        """Mail what is due; returns what failed, and why."""
        from pinwheel.reports.run import send_mails

        return send_mails()

    @task(retries=0, trigger_rule="all_done")
    @refusing(ReportError)
    def judge(made: dict[str, str] | None, mailed: dict[str, str] | None) -> None:
        """Make the run red when a brand's report or mail failed, after all the others are done."""
        from pinwheel.reports.run import require_none

        require_none(made, mailed)

    made = make()
    mailed = mail()
    made >> mailed
    judge(made, mailed)  # type: ignore[arg-type]  # Airflow passes the results of tasks, not the tasks


report_brands()
