"""### Make reporting tables anew from the lake

**What** Has reporting tables rebuilt from the lake's newest version: each is read from the lake's files, prepared and
judged like a slice, and loaded into a new table. Readers see the old one until the two are exchanged. Then
the table follows the lake's change feed from that version, and the rollups of all its days are made anew. The tasks of
`merge_events` do the work, part by part; this Dag only asks for it. Bad rows go to `quarantine` again. The stream and
the other tables go on meanwhile.

**Where** With `PINWHEEL_LAKE_ENGINE=spark` a Spark job loads the parts, several at once, through the connection
`pinwheel_spark`. `merge_events` only exchanges the tables then.

**When** By hand: after the alert `table_cut_off`, or when a table was damaged or the database lost. A table that was
never merged is rebuilt by itself when the log no longer has the lake's first versions. With `dry_run`, which is the
default, the task's log says what would be read.

**Re-running** Safe: a table that is being rebuilt goes on as it was. After a Spark job that failed, it loads the parts
that are missing.

**When not to use** To repair single rows: correct the lake. To make rollups anew: `make rollups DAY=…`.

**Runbook** `docs/runbooks/rebuild_tables.md`
"""

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from pinwheel.core.contract import TABLES
from pinwheel.operate.asker import asked_by
from pinwheel.operate.refusal import refusing

NAMES = list(TABLES)


@task
@refusing()
def ask() -> list[dict[str, Any]]:
    """Ask for the rebuild; returns per table the version, rows, files and parts."""
    from dataclasses import asdict

    from pinwheel.clients import memsql
    from pinwheel.core.settings import LakeJobSettings, MergeSettings, load
    from pinwheel.merge import rebuild, rebuild_parts

    context = get_current_context()
    settings, tables = load(MergeSettings), context["params"]["tables"]
    if context["params"]["dry_run"]:
        return [asdict(extent) for extent in rebuild_parts.extents(settings, tables)]
    loader = rebuild.SPARK if load(LakeJobSettings).lake_engine == "spark" else rebuild.SESSION
    with memsql.connect(settings) as connection:
        return [asdict(extent) for extent in rebuild.request(connection, settings, tables, asked_by(context), loader)]


@task
def prepare() -> dict[str, Any]:
    """Arguments for spark-submit; skips the job in a dry run."""
    from pinwheel.clients import spark
    from pinwheel.core.settings import LakeJobSettings, load

    params = get_current_context()["params"]
    if params["dry_run"]:
        raise AirflowSkipException("dry run")
    return spark.lake_job(spark.REBUILD_TABLES, load(LakeJobSettings), params["tables"])


@dag(
    schedule=None,
    max_active_runs=1,
    catchup=False,
    doc_md=__doc__,
    tags=["pinwheel", "merge", "by hand"],
    default_args={"owner": "data-engineering", "retries": 0},
    params={
        "tables": Param(
            NAMES,
            type="array",
            items={"type": "string", "enum": NAMES},
            examples=NAMES,
            minItems=1,
            title="Tables",
            description="Readers see the old ones until the end.",
        ),
        "dry_run": Param(True, type="boolean", title="Only list what would be read", description="In the task's log."),
    },
)
def rebuild_tables() -> None:
    """Wire the one task; for Spark, the one that prepares the job and the one that submits it."""
    from pinwheel.core.settings import EngineSettings, load

    engine, asked = load(EngineSettings), ask()
    if engine.lake_engine == "local":
        return
    from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

    from pinwheel.clients.spark import SUBMITTED
    from pinwheel.core.connections import give_to_children

    prepared: Any = prepare()  # its result: indexed by name, which its type does not say
    submitted = {name: prepared[name] for name in SUBMITTED}
    job = SparkSubmitOperator(  # noqa: AIR001 - load reads settings
        task_id="load",
        conn_id=engine.spark_conn_id,
        pre_execute=give_to_children,  # secrets in a parameter would be in Airflow's database
        **submitted,
    )
    asked >> prepared >> job


rebuild_tables()
