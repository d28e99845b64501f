"""### Release a held slice

**What** A slice that broke a critical expectation is held: its rows wait in staging and its table stands still, while
the others go on. After looking at it (ledger table `merge_slices`, columns `state` and `detail`) say how to go on:
`retry` drops the staged rows, then stages and audits afresh (the cause is mended, or the expectation changed);
`accept` merges the slice as it is, and the ledger keeps that and who it was. What was accepted and can not be merged
after all is taken back by `retry`.

**When** By hand only, after the alert `slice_held`.

**Again?** Safe: a slice that is no longer held is refused with a message.

**Not for** Quarantined rows: those did not hold the slice; see the table `quarantine`.

**Runbook** `docs/runbooks/release_slice.md`
"""

from airflow.sdk import Param, dag, task


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "merge", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "slice_id": Param(type="integer", minimum=1, title="Slice", description="From the alert."),
        "decision": Param("retry", type="string", enum=["retry", "accept"], title="How to go on"),
    },
)
def release_slice() -> None:
    """Wire the one task."""

    @task
    def release() -> None:
        """Note the decision in the ledger; the running merge session acts on it."""
        from airflow.sdk import get_current_context

        from pinwheel.core.settings import MemsqlSettings, load
        from pinwheel.merge.ledger import release as decide

        context = get_current_context()
        params = context["params"]
        by = context["dag_run"].triggering_user_name or "unknown"
        decide(load(MemsqlSettings), params["slice_id"], params["decision"], by)

    release()


release_slice()
