"""### Check whole hours of the data

**What** Great Expectations on each hour of each table, beyond what the gate asks of single rows: lake against
reporting table to the row, rollups against a count of the rows, and the hour in numbers (volume, nulls, values, times,
duplicates, pins, places) against the same hour of earlier days. What failed is alerted with a sample of the rows; all
verdicts are in `dq_results` and in Data Docs.

**When** Hourly, for the hours of the last day that were not checked yet or did not pass. By hand for any period: give
`from_hour` and `to_hour` (UTC).

**Again?** Safe: an hour's verdicts replace those of before. What was mended resolves its alert at the next check.

**Not for** Mending: it reads the lake and the tables, and changes neither.

**Runbook** `docs/runbooks/check_quality.md`
"""

from datetime import timedelta

from airflow.sdk import Asset, Param, dag, task

from pinwheel.core.contract import TABLES

# One per table, so that what needs only repins need not wait for the others; the event says the verdict.
VERDICTS = {name: Asset(f"pinwheel_quality_{name}", uri=f"memsql://pinwheel/quality/{name}") for name in TABLES}


@dag(
    schedule="20 * * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "quality"],
    default_args={"owner": "data-engineering", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "from_hour": Param(
            None, type=["null", "string"], title="From (UTC)", description="As 2026-03-14T12:00; empty: what is due."
        ),
        "to_hour": Param(None, type=["null", "string"], title="To (UTC)", description="The end, not included."),
    },
)
def check_quality() -> None:
    """Wire the check and its verdict."""

    @task(outlets=list(VERDICTS.values()))
    def check() -> dict[str, int]:
        """Check, keep, tell; returns how many critical expectations each table did not meet."""
        import os

        from airflow.sdk import get_current_context

        from pinwheel.quality.run import run

        os.nice(10)  # the stream and the merges go first where cores are few
        context = get_current_context()
        asked = context["params"]["from_hour"], context["params"]["to_hour"]
        verdicts = run(*asked)
        for table, asset in VERDICTS.items():
            context["outlet_events"][asset].extra = verdicts[table]
        return {table: verdict["critical"] for table, verdict in verdicts.items()}

    @task(retries=0)
    def judge(critical: dict[str, int]) -> None:
        """Make the run red when a critical expectation was not met."""
        from pinwheel.quality.run import require_none

        require_none(critical)

    judge(check())


check_quality()
