"""### Make reporting tables anew from the lake

**What** Has reporting tables rebuilt from the lake's newest version: each is read from the lake's files, prepared and
judged like a slice, and loaded into a new table. Readers see the old one until the two are exchanged. Then
the table follows the lake's change feed from that version, and the rollups of all its days are made anew. The tasks of
`merge_events` do the work, part by part; this task only asks for it. Bad rows go to `quarantine` again. The stream and
the other tables go on meanwhile.

**When** By hand: after the alert `table_cut_off`, or when a table was lost or damaged. A table that was never merged is
rebuilt by itself when the log no longer has the lake's first versions. With `dry_run`, which is the default, the task's
log says what would be read.

**Re-running** Safe: a table that is being rebuilt goes on as it was.

**When not to use** To repair single rows: correct the lake. To make rollups anew: `make rollups DAY=…`.

**Runbook** `docs/runbooks/rebuild_tables.md`
"""

from typing import Any

from airflow.sdk import Param, dag, task

from pinwheel.core.contract import TABLES


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "merge", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "tables": Param(
            list(TABLES), type="array", items={"type": "string", "enum": list(TABLES)}, title="Tables", minItems=1
        ),
        "dry_run": Param(True, type="boolean", title="Only list what would be read"),
    },
)
def rebuild_tables() -> None:
    """Wire the one task."""

    @task
    def ask() -> list[dict[str, Any]]:
        """Ask the merge sessions to rebuild; returns per table the version, rows, files and parts."""
        from dataclasses import asdict

        from airflow.sdk import get_current_context

        from pinwheel.clients import memsql
        from pinwheel.core.settings import MergeSettings, load
        from pinwheel.merge import rebuild

        context = get_current_context()
        settings, tables = load(MergeSettings), context["params"]["tables"]
        if context["params"]["dry_run"]:
            return [asdict(extent) for extent in rebuild.extents(settings, tables)]
        by = context["dag_run"].triggering_user_name or "unknown"
        with memsql.connect(settings) as connection:
            return [asdict(extent) for extent in rebuild.request(connection, settings, tables, by)]

    ask()


rebuild_tables()
