"""### Check whole hours of the data

**What** Judges each hour of each table with Great Expectations, beyond the gate's checks of single rows. It compares
the lake with the reporting table row for row, and the rollups with a count of the rows. It compares the hour's numbers
(volume, nulls, values, times, duplicates, pins, places) with the same hour of earlier days. A failed expectation raises
an alert with a sample of the rows. All verdicts are in `dq_results` and in Data Docs. Then the books are drawn up: what
became of every offset of Kafka and of every row of the lake. They are in the table `books`, and a difference raises an
alert.

**When** Hourly, for the hours of the last day that were not checked yet or did not pass. By hand for any period: give
`from_hour` and `to_hour`.

**Re-running** Safe: an hour's new verdicts replace the old ones. A fixed problem resolves its alert at the next check.

**When not to use** To repair events: it reads the lake and the reporting tables, and changes neither. Only the rollups
of a day in which one is wrong are made anew, by `merge_events`.

**Runbook** `docs/runbooks/check_quality.md`
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.core.datasets import LAKE, ROLLUPS, TABLES, VERDICTS
from pinwheel.core.errors import AskedError, QualityError
from pinwheel.operate.assets import asset
from pinwheel.operate.refusal import refusing

READ = [asset(dataset) for dataset in (LAKE, *TABLES.values(), ROLLUPS)]
TIME: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
JUDGED = {table: asset(dataset) for table, dataset in VERDICTS.items()}  # the event says the verdict


@task(inlets=READ, outlets=list(JUDGED.values()))
@refusing(AskedError)
def check() -> dict[str, int]:
    """Check, keep, tell; returns how many critical expectations each table did not meet."""
    import os

    from pinwheel.quality.run import run

    os.nice(10)  # the stream and the merges go first where cores are few
    context = get_current_context()
    asked = context["params"]["from_hour"], context["params"]["to_hour"]
    verdicts = run(*asked)
    for table, made in JUDGED.items():
        context["outlet_events"][made].extra = {**verdicts[table]}
    return {table: verdict["critical"] for table, verdict in verdicts.items()}


@task(retries=0)
@refusing(QualityError)
def judge(critical: dict[str, int]) -> None:
    """Make the run red when a critical expectation was not met."""
    from pinwheel.quality.run import require_none

    require_none(critical)


@task(trigger_rule="all_done")
def close_books() -> list[str]:
    """Draw up the books, also when hours could not be checked; returns what they can't explain."""
    import os

    from pinwheel.quality.books import run

    os.nice(10)
    return run()


@task(retries=0)
@refusing(QualityError)
def judge_books(differences: list[str]) -> None:
    """Make the run red when the books differ."""
    from pinwheel.quality.books import require_balanced

    require_balanced(differences)


@dag(
    schedule="20 * * * *",
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "quality"],
    default_args={"owner": "data-engineering", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "from_hour": Param(None, **TIME, title="From", description="A whole hour that is over. Empty: all due hours."),
        "to_hour": Param(None, **TIME, title="To", description="End, exclusive. Both or neither."),
    },
)
def check_quality() -> None:
    """Wire the check, the books, and their verdicts."""
    checked, books = check(), close_books()
    checked >> books
    judge(checked)  # type: ignore[arg-type]  # Airflow passes the result of a task, not the task
    judge_books(books)  # type: ignore[arg-type]  # as above


check_quality()
