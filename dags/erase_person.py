"""### Erase a person

**What** Erases a person, by user id, from all that Pinwheel keeps: the lake with its old files and log, tables, rollups
and people's numbers, dead letters, quarantine, results of checks, alerts, pages, logs, and this Dag's own form. Events
of others stay, without the person as the maker of a pin or quoted in a text. Redelivered events are kept out from then
on. A scan of everything proves that the id is nowhere. The receipt says what was erased, and what is outside.

**When** By hand. With `dry_run`, which is the default, the first task says where the id is, and nothing else happens.
Without it, another person than the one who triggered the run must approve, under *Required Actions*. The stream, the
merges and the reports go on meanwhile.

**Re-running** Safe: the next run for the same person goes on. The id is not kept, so it must be given again.

**When not to use** To correct single events: correct the lake.

**Runbook** `docs/runbooks/erase_person.md`
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from pinwheel.operate.refusal import refusing


@task
@refusing()
def count() -> dict[str, int]:
    """Say where the id is, by store."""
    from pinwheel.core.settings import EraseSettings, load
    from pinwheel.erase.ledger import id_in
    from pinwheel.erase.run import look

    return dict(look(load(EraseSettings), id_in(get_current_context()["params"])).finds)


@task.short_circuit
def is_meant() -> bool:
    """End a dry run here."""
    return not get_current_context()["params"]["dry_run"]


@task
def erase(answer: Any) -> str:
    """Erase and prove; returns the erasure's id. Empties the form, so no later task can use it."""
    import os

    from pinwheel.core.settings import EraseSettings, load
    from pinwheel.erase.ledger import asked_by_form
    from pinwheel.erase.run import erase

    os.nice(10)  # the stream and the merges go first where cores are few
    context = get_current_context()
    request = asked_by_form(context["params"], context["dag_run"].triggering_user_name, answer["responded_by_user"])
    return str(erase(load(EraseSettings), request)["erasure_id"])


@task
def receipt(erasure_id: str) -> dict[str, Any]:
    """The receipt, as ``erasures`` has it."""
    from pinwheel.core.settings import EraseSettings, load
    from pinwheel.erase.run import receipt_of

    return receipt_of(load(EraseSettings), erasure_id)


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "privacy", "by hand"],
    default_args={"owner": "data-engineering", "retries": 1, "retry_delay": timedelta(seconds=30)},
    params={
        "user_id": Param(None, type=["null", "integer"], title="User id", description="Taken out of the form again."),
        "reason": Param(None, type=["null", "string"], title="Reason", description="For the receipt. Without the id."),
        "erase_pins": Param(
            False, type="boolean", title="Also the texts of the person's pins", description="Off: without the person."
        ),
        "dry_run": Param(
            True, type="boolean", title="Only list where the person is", description="In the result of the task count."
        ),
    },
)
def erase_person() -> None:
    """Wire the tasks."""
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    approve = ApprovalOperator(
        task_id="approve",
        subject="Erase a person? It can't be undone.",
        body="Asked for by {{ dag_run.triggering_user_name }}: {{ params.reason }}\n\nWhere the person is: "
        "{{ ti.xcom_pull(task_ids='count') }}\n\nAnother person must approve.",
        response_timeout=timedelta(days=7),
        retries=5,  # Airflow takes a task that is answered in the second in which it pauses for one that died
        retry_delay=timedelta(seconds=1),
    )
    erased: Any = erase(approve.output)
    count() >> is_meant() >> approve
    receipt(erased)


erase_person()
