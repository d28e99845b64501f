"""### Release a held slice

**What** A slice that broke a critical rule, or of which too many rows broke row rules, is held. Its table is not
updated; the other tables continue. Look at it (ledger table `merge_slices`, columns `state` and `detail`), then decide:
`retry` prepares and judges the same versions again (the cause is fixed, or the rule changed);
`accept` merges the slice without the rows that break a rule, which go to `quarantine`; the ledger records the decision
and the person. If an accepted slice can't be merged after all, `retry` takes the decision back.

**When** By hand only, after the alert `slice_held`.

**Re-running** Safe: a slice that is no longer held is refused with a message.

**When not to use** For quarantined rows: they do not hold a slice. See the table `quarantine`.

**Runbook** `docs/runbooks/release_slice.md`
"""

from airflow.sdk import Param, dag, task

from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "merge", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "slice_id": Param(
            type="integer",
            minimum=1,
            title="Slice",
            description="From the alert, or the page Data quality, which lists the slices that are held.",
        ),
        "decision": Param(
            "retry",
            type="string",
            enum=["retry", "accept"],
            values_display={
                "retry": "retry: prepare and judge the same versions again",
                "accept": "accept: merge it without the rows that break a rule, which go to quarantine",
            },
            title="Decision",
            description="retry: the cause is fixed, or a rule was changed. accept: the rows are as they should be.",
        ),
    },
)
def release_slice() -> None:
    """Wire the one task."""

    @task
    @refusing()
    def release() -> None:
        """Note the decision in the ledger; the running merge session acts on it."""
        from airflow.sdk import get_current_context

        from pinwheel.core.settings import MemsqlSettings, load
        from pinwheel.merge.ledger import release as decide

        context = get_current_context()
        params = context["params"]
        by = asked_by(context)
        decide(load(MemsqlSettings), params["slice_id"], params["decision"], by)

    release()


release_slice()
